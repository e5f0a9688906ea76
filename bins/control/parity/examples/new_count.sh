# Counts the words of a file, another way.
n=0
for word in $(cat "$1"); do n=$((n + 1)); done
echo "words: $n"
