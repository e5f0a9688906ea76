"""Writes a calendar for a benchmark. Usage: calendar_make.py FILE EVENTS"""
import datetime as dt
import random
import sys

RULES = ["FREQ=WEEKLY", "FREQ=MONTHLY;COUNT=40", "FREQ=DAILY;COUNT=90", "FREQ=YEARLY", "FREQ=MONTHLY;INTERVAL=2;UNTIL=20270101T000000Z"]  # DTSTART is an instance of each
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Tokyo"]
rng = random.Random(3)
out = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//quillmoss//bench//EN"]
for number in range(int(sys.argv[2])):
    start = dt.datetime(2024, 1, 1) + dt.timedelta(minutes=15 * rng.randint(0, 4 * 24 * 1000))
    out += ["BEGIN:VEVENT", f"UID:{number}@quillmoss.example", "DTSTAMP:20240101T000000Z", f"SUMMARY:Event {number}", f"DESCRIPTION:{'word ' * 12}"]
    if rng.random() < 0.1:
        out += [f"DTSTART;VALUE=DATE:{start:%Y%m%d}"]
    else:
        zone = rng.choice(ZONES)
        out += [f"DTSTART;TZID={zone}:{start:%Y%m%dT%H%M%S}", "DURATION:PT45M"]
        if rng.random() < 0.2:
            out += ["RRULE:" + rng.choice(RULES)]
    out += ["END:VEVENT"]
out += ["END:VCALENDAR", ""]
open(sys.argv[1], "w", newline="").write("\r\n".join(out))
