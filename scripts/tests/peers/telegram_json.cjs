const assert = require('node:assert');
const { parseFromFile } = require('./node_modules/@stack.thefennec.dev/telegram-export-parser/dist/index.js');
const chat = parseFromFile(process.argv[2]);
// It does not know the action `topic_created` (message 25), says so, and goes on.
console.error = console.warn = () => {};
const messages = Object.fromEntries([...chat.messages()].map((m) => [m.id, m]));
const missed = Array.from({ length: 28 }, (_, at) => at + 1).filter((id) => !messages[id]);
assert.deepEqual(missed, [25]);
assert.equal(messages[10].poll.answers[0].text, 'The lake');
assert.equal(messages[18].locationInformation.latitude, 55.75);
assert.equal(messages[20].contactInformation.phone_number, '10000000000');
assert.equal(messages[2].textEntities.length, 9);
assert.equal(messages[3].reactions.length, 2);
assert.equal(messages[26].reactions[0].recent.length, 1);
assert.equal(messages[24].messageId, 2);
console.log('telegram-export-parser reads', Object.keys(messages).length, 'of 28 messages: all but a topic');
