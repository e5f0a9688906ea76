"""A script of the kind that gets replaced: reads a file, asks a server, writes files and rows, sends a mail, prints.

`--fault NAME` makes one mistake of a replacement; without it the script is the control.
"""

import argparse
import datetime
import http.client
import json
import os
import signal
import smtplib
import sqlite3
import sys
import time
import urllib.parse
import uuid
from email.message import EmailMessage

parser = argparse.ArgumentParser()
parser.add_argument("--fault", default="")
parser.add_argument("orders")
parser.add_argument("--server")
parser.add_argument("--smtp")
args = parser.parse_args()


def fault(name):
    return args.fault == name


if fault("hangs"):
    if os.fork() == 0:
        time.sleep(600)
    time.sleep(600)
if fault("traceback"):
    sys.stderr.write("Traceback (most recent call last):\n  KeyError: 'x'\n")
if fault("chatter"):
    print("reading orders\r[####      ] 40%\r[##########] 100%", file=sys.stderr)
    print("warning: 2 names are not ASCII\nread with 0 errors", file=sys.stderr)
if fault("error_line"):
    print("ERROR: cannot tell the day", file=sys.stderr)

orders = [line.strip().split(";") for line in open(args.orders, encoding="utf-8") if line.strip()]
if fault("deleted_input"):
    os.remove(args.orders)

# An empty variable counts as unset.
limit = os.environ.get("LIMIT") or "10"
if fault("empty_variable"):
    limit = os.environ.get("LIMIT", "10")

# -- requests
host, port = args.server.split(":")


def ask(method, path, body=None, headers=None):
    connection = http.client.HTTPConnection(host, int(port))
    connection.request(method, path, body=body, headers=headers or {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


names = [("page", "1"), ("q", "caf\u00e9 noir")]
if fault("query_order"):
    names.reverse()
if fault("query_value"):
    names[0] = ("page", "2")
query = urllib.parse.urlencode(names)
if fault("query_encoding"):
    query = query.replace("+", "%20")
if fault("query_key"):
    query = query + "&api_key=geheim-5"
client = {"X-Client": "report", "Authorization": "Bearer tok-123456"}
if fault("missing_header"):
    del client["X-Client"]
if fault("other_token"):
    client["Authorization"] = "Bearer tok-654321"
if fault("changed_header"):
    client["X-Client"] = "rust"


def list_orders():
    ask("GET", "/orders?" + query, headers=client)


def push():
    rows = [{"id": int(number), "name": name, "price": float(price)} for number, name, price in orders]
    body = json.dumps({"orders": rows})
    kind = "application/json"
    if fault("content_type"):
        kind = "text/plain"
    if fault("empty_body"):
        body = ""
    if fault("number_as_text"):
        body = body.replace('"id": 1', '"id": "1"')
    status, text = ask("PUT" if fault("method") else "POST", "/push", body.encode(), {"Content-Type": kind})
    if fault("empty_answer"):
        json.loads(text)


if fault("request_order"):
    push()
    list_orders()
else:
    if not fault("missing_request"):
        list_orders()
    push()
if fault("extra_request"):
    ask("GET", "/health")
if fault("duplicate_request"):
    push()

# -- files
total = sum(float(price) for _, _, price in orders)
summary = {"count": len(orders), "total": total, "longest": max(len(name) for _, name, _ in orders)}
if fault("changed_byte"):
    summary["total"] = total + 0.01
if fault("null_for_missing"):
    summary["discount"] = None
if fault("bytes_for_characters"):
    summary["longest"] = max(len(name.encode()) for _, name, _ in orders)
if not fault("missing_file"):
    os.makedirs("out", exist_ok=True)
    with open("out/summary.json", "w", encoding="utf-8") as out:
        json.dump(summary, out, indent=1)
        if not fault("trailing_newline"):
            out.write("\n")
if fault("extra_file"):
    open("out/debug.log", "w").close()
if fault("file_mode"):
    os.chmod("out/summary.json", 0o600)
if fault("executable"):
    os.chmod("out/summary.json", 0o744)

# -- rows
database = sqlite3.connect("orders.db")
database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT, price REAL)")
database.execute("CREATE TABLE log (line TEXT)")
for number, name, price in orders:
    if fault("missing_row") and number == "2":
        continue
    if fault("changed_row") and number == "2":
        name = name.upper()
    database.execute("INSERT INTO orders VALUES (?, ?, ?)", (int(number), name, float(price)))
    database.execute("INSERT INTO log VALUES (?)", ("took " + number,))
if fault("extra_row"):
    database.execute("INSERT INTO log VALUES ('took 1')")
database.commit()
database.close()

# -- mail
message = EmailMessage()
message["From"], message["To"], message["Subject"] = "shop@example.com", "anna@example.com", "Bestellungen \u00fcber Nacht"
message.set_content("Guten Tag,\nes sind %d.\n" % (len(orders) + (1 if fault("mail_text") else 0)))
if fault("mail_subject"):
    message.replace_header("Subject", "Bestellungen")
to = ["anna@example.com"] if not fault("mail_recipient") else ["bert@example.com"]
with smtplib.SMTP(*args.smtp.split(":")) as server:
    for _ in range(2 if fault("duplicate_send") else 0 if fault("missing_send") else 1):
        server.send_message(message, to_addrs=to)

# -- output
zone = datetime.timezone(datetime.timedelta(hours=3)) if fault("time_zone") else datetime.timezone.utc
day = datetime.datetime(2026, 11, 22, 23, 30, tzinfo=datetime.timezone.utc).astimezone(zone)
result = {"date": day.isoformat(), "limit": limit, "rate": 1.0, "name": "Zo\u00eb", "run": str(uuid.uuid4())}
if fault("float_format"):
    result["rate"] = 1
if fault("key_order"):
    result = dict(reversed(result.items()))
if fault("dropped_key"):
    del result["rate"]
text = json.dumps(result, ensure_ascii=fault("escaping")) + "\n" + "%d orders, %.2f in all" % (len(orders), total)
if fault("line_ends"):
    text = text.replace("\n", "\r\n")
stream = sys.stderr if fault("stderr_for_stdout") else sys.stdout
stream.write(text + ("" if fault("no_last_newline") else "\n"))
stream.flush()
if fault("signal"):
    os.kill(os.getpid(), signal.SIGTERM)
sys.exit(3 if fault("exit_code") else 0)
