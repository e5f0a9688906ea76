import sys
from pathlib import Path

from tg_parser.infrastructure.readers.telegram_json import TelegramJSONReader

path = Path(sys.argv[1])
reader = TelegramJSONReader()
assert reader.validate(path) == [], reader.validate(path)
chat = reader.read(path)
messages = {int(m.id): m for m in chat.messages}

def same(what, found, wanted):
    assert found == wanted, f"{what}: {found!r} instead of {wanted!r}"

same("chat", (chat.name, int(chat.id), len(chat.messages)), ("Demo group", 1002, 28))
same("text", messages[2].text, "🦊 Welcome everybody here! link secret\nlet x = a<b;")
same("author", (messages[3].author_name, str(messages[3].author_id)), ("Борис", "user112"))
same("reply", int(messages[3].reply_to.message_id), 2)
same("reactions", messages[3].reactions, {"🔥": 2, "👍": 1})
same("date", messages[4].timestamp.isoformat(), "2025-01-02T03:04:04")
same("voice", messages[11].attachments[0].mime_type, "audio/ogg")
same("file", messages[12].attachments[0].file_name, "walk <1>.mp4")
same("forward", messages[22].forward_from, "Demo news")
same("service", messages[24].message_type.name, "SERVICE")
same("topic", chat.topics[messages[26].topic_id].title, "Plans")
same("people", sorted(p.name for p in chat.participants.values())[:2], ["Alice Doe", "Demo group"])
print("tg-parser reads all", len(messages), "messages")

town = reader.read(Path(sys.argv[2]))
same("town", (town.name, int(town.id), len(town.messages)), ("River Club", 1002, 20))
same("words", town.messages[-1].text, "and this")
print("tg-parser reads all", len(town.messages), "messages of an export over the wire")
