import asyncio, sys
from telethon import TelegramClient, types

def emoji(message):
    if not message.reactions:
        return ""
    return "".join(r.reaction.emoticon for r in message.reactions.results if isinstance(r.reaction, types.ReactionEmoji))

async def main():
    client = TelegramClient(sys.argv[1], 12345, "0123456789abcdef0123456789abcdef")
    await client.connect()
    chat = await client.get_entity("large_club")
    names, entries, count = {}, [], 0
    async for m in client.iter_messages(chat, limit=None, wait_time=0):
        count += 1
        text = m.text or ""
        if m.media:
            text = f"{text} [Media]" if text else "[Media]"
        if not text.strip():
            continue
        name = names.get(m.sender_id)
        if name is None:
            s = m.sender
            name = " ".join(x for x in (getattr(s, "first_name", None), getattr(s, "last_name", None)) if x)
            name = names[m.sender_id] = name or getattr(s, "title", None) or "?"
        shown = emoji(m)
        entries.append(f"**{name}** ({m.date.strftime('%d.%m.%Y %H:%M')}):\n{text}{' ' + shown if shown else ''}\n\n")
    entries.reverse()
    with open(sys.argv[2], "w", encoding="utf-8") as f:
        f.write(f"# {chat.title}\nMessages: {count}\n\n---\n\n")
        f.writelines(entries)
    await client.disconnect()

asyncio.run(main())
