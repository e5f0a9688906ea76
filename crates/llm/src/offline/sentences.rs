//! Where sentences begin and end.

/// Longest sentence in bytes; what is longer is cut at a word.
const LONGEST: usize = 600;

/// The sentences of a text as byte ranges: ended by `.`, `!`, `?`, an ellipsis or their wider forms before a blank, or by
/// the end of a line.
///
/// A full stop ends none after a short abbreviation or a number, nor before a small letter: rather two sentences together
/// than one that is cut.
pub fn sentences(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let end = at + c.len_utf8();
        let wide = matches!(c, '。' | '！' | '？');
        let ends = match c {
            '\n' | '\r' | '。' | '！' | '？' => true,
            '.' | '!' | '?' | '…' => {
                // Of several signs the last decides.
                let rest = &text[end..];
                let next = rest.trim_start().chars().next();
                let goes_on = next.is_some_and(char::is_lowercase) || abbreviates(&text[start..at]);
                (rest.is_empty() || rest.starts_with(char::is_whitespace)) && (c != '.' || !goes_on)
            }
            '"' | '»' | ')' | '”' => {
                let before = text[start..at].chars().next_back();
                let blank = chars.peek().is_none_or(|(_, next)| next.is_whitespace());
                blank && before.is_some_and(|c| matches!(c, '.' | '!' | '?' | '…'))
            }
            _ => false,
        };
        if ends || (end - start > LONGEST && (c.is_whitespace() || wide)) || end - start > 2 * LONGEST {
            push(text, start, end, &mut found);
            start = end;
        }
    }
    push(text, start, text.len(), &mut found);
    found
}

/// Whether a full stop after this text may stand for a shortened word: one or two letters, or a number at the beginning.
fn abbreviates(before: &str) -> bool {
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    let letters = word.chars().count();
    let first = before.trim().len() == word.len();
    (letters <= 2 && word.chars().all(char::is_alphabetic))
        || (first && word.chars().all(|c| c.is_ascii_digit()))
}

fn push(text: &str, start: usize, end: usize, found: &mut Vec<(usize, usize)>) {
    let part = &text[start..end];
    let begin = start + (part.len() - part.trim_start().len());
    let end = start + part.trim_end().len();
    if begin < end {
        found.push((begin, end));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_where_readers_end_them() {
        for (text, expected) in [
            ("One. Two! Three?", vec!["One.", "Two!", "Three?"]),
            (
                "See p. 3 of v1.2.3 now. Ok",
                vec!["See p. 3 of v1.2.3 now.", "Ok"],
            ),
            (
                "Это т. е. почти всё... Дальше",
                vec!["Это т. е. почти всё...", "Дальше"],
            ),
            ("He said \"no.\" Then left", vec!["He said \"no.\"", "Then left"]),
            ("line one\n\nline two", vec!["line one", "line two"]),
            ("今天发布。明天测试！好", vec!["今天发布。", "明天测试！", "好"]),
            ("1. First thing. 2. Second", vec!["1. First thing.", "2. Second"]),
            ("  ", vec![]),
        ] {
            let found: Vec<&str> = sentences(text).into_iter().map(|(a, b)| &text[a..b]).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_but_blanks_is_lost(text in "[a-zа-я .!?\n\"»。]{0,80}") {
            let kept: String = sentences(&text).into_iter().map(|(a, b)| text[a..b].to_owned()).collect();
            let plain = |t: &str| t.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            proptest::prop_assert_eq!(plain(&kept), plain(&text));
        }
    }
}
