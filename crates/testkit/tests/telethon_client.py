"""An unmodified Telethon client against the data centre: the honesty check of the test server.

Usage: telethon_client.py SESSION CHECK; prints one JSON object with what it saw.
"""
import asyncio
import json
import os
import sys
import traceback

from telethon import TelegramClient, errors, functions, types


async def main():
    session, _ = sys.argv[1], sys.argv[2:]
    client = TelegramClient(session, 12345, "0123456789abcdef0123456789abcdef", catch_up=False)
    await client.connect()
    seen = {"authorized": await client.is_user_authorized()}
    me = await client.get_me()
    seen["me"] = me.id
    dialogs = await client.get_dialogs()
    seen["dialogs"] = [[d.id, d.title, d.unread_count] for d in dialogs]
    folders = (await client(functions.messages.GetDialogFiltersRequest())).filters
    seen["folders"] = [[f.title.text, f.broadcasts, [p.user_id for p in f.include_peers]]
                       for f in folders if isinstance(f, types.DialogFilter)]
    club = await client.get_entity("river_club")
    seen["club"] = [club.id, club.title]
    messages = await client.get_messages(club, limit=None)
    seen["history"] = [[m.id, m.raw_text if m.action is None else type(m.action).__name__] for m in messages]
    seen["formatted"] = (await client.get_messages(club, ids=10)).text
    seen["oldest_first"] = [m.id async for m in client.iter_messages(club, reverse=True, limit=5)]
    gappy = await client.get_entity("gappy_club")
    seen["gappy_newest_first"] = [m.id async for m in client.iter_messages(gappy)]
    seen["gappy_oldest_first"] = [m.id async for m in client.iter_messages(gappy, reverse=True)]
    seen["search"] = [m.id async for m in client.iter_messages(club, search="morning")]
    seen["senders"] = {str(m.id): (getattr(m.sender, "first_name", None) or getattr(m.sender, "title", None))
                       for m in messages if m.id in (3, 5, 13, 14)}
    picture = [m for m in messages if m.id == 6][0]
    seen["photo"] = len(await client.download_media(picture, bytes))
    paper = [m for m in messages if m.id == 20][0]
    data = await client.download_media(paper, bytes)
    seen["document"] = [len(data), sum(data[:4096])]
    sent = await client.send_message(club, "hello **from** Telethon", reply_to=9)
    seen["sent"] = [sent.id, sent.raw_text]
    edited = await client.edit_message(club, sent.id, "edited by Telethon")
    seen["edited"] = edited.raw_text
    await client(functions.messages.SendReactionRequest(
        peer=club, msg_id=3, reaction=[types.ReactionEmoji(emoticon="❤")]))
    three = await client.get_messages(club, ids=3)
    seen["reactions"] = [[getattr(r.reaction, "emoticon", "custom"), r.count, r.chosen_order is not None]
                         for r in three.reactions.results]
    try:
        await client(functions.messages.SendReactionRequest(
            peer=club, msg_id=3, reaction=[types.ReactionEmoji(emoticon="😊")]))
    except errors.RPCError as error:
        seen["refused"] = type(error).__name__
    seen["participants"] = sorted([p.id for p in await client.get_participants(club)])
    forum = [d for d in dialogs if d.title == "Workshop forum"][0].entity
    topics = await client(functions.messages.GetForumTopicsRequest(
        peer=forum, offset_date=0, offset_id=0, offset_topic=0, limit=100))
    seen["topics"] = [t.title for t in topics.topics]
    seen["upload"] = (await client.send_file("me", b"x" * 700_000, force_document=True)).document.size
    forwarded = await client.forward_messages("me", 3, club)
    seen["forwarded"] = [forwarded.raw_text, forwarded.forward is not None]
    deleted = await client.delete_messages(club, [sent.id])
    seen["deleted"] = deleted[0].pts_count
    heard = asyncio.get_running_loop().create_future()

    from telethon import events

    @client.on(events.NewMessage(chats=club))
    async def handler(event):
        if not heard.done():
            heard.set_result(event.raw_text)

    await client.get_messages(club, limit=1)
    print(json.dumps({"listening": True}), flush=True)
    seen["heard"] = await asyncio.wait_for(heard, 20)
    await client.disconnect()
    print(json.dumps(seen, ensure_ascii=False), flush=True)


async def bounded():
    try:
        await asyncio.wait_for(main(), 90)
    except BaseException:
        # The library may wait for ever while it is torn down after an error.
        traceback.print_exc()
        os._exit(1)


asyncio.run(bounded())
