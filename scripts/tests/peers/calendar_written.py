"""What event_calendar writes, read by icalendar and recurring-ical-events. Usage: calendar_written.py EVENT_CALENDAR"""
import datetime as dt
import json
import os
import random
import subprocess
import sys
import tempfile

import icalendar
import recurring_ical_events

TEXTS = ["Größe; \"A, B\" \\ C", "чайная коробка", "a\\nb", "x" * 200, "日本語" * 40, "plain", "end\\", "tab\tin", "👩‍👩‍👧 " * 20]
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Africa/Casablanca", "Australia/Lord_Howe", "UTC"]
RULES = ["FREQ=WEEKLY;INTERVAL=2;COUNT=10", "FREQ=MONTHLY;COUNT=8", "FREQ=DAILY;INTERVAL=3;COUNT=30", "FREQ=YEARLY;COUNT=2", None]  # DTSTART is an instance of each


def main():
    tool = sys.argv[1]
    rng = random.Random(7)
    work = tempfile.mkdtemp()
    env = {"PATH": os.environ["PATH"], "HOME": work, "ONEJOB_STATE_DIR": work + "/state", "TZ": "UTC"}
    compared = 0
    for number in range(24):
        title, note = rng.choice(TEXTS).replace("\t", " "), rng.choice(TEXTS) + "\nsecond"
        start = dt.datetime(2026, rng.randint(1, 12), rng.randint(1, 28), rng.randint(5, 20), rng.choice((0, 15, 45)))
        zone, rule = rng.choice(ZONES), rng.choice(RULES)
        file = f"{work}/{number}.ics"
        args = [tool, "create", title, "--start", start.isoformat(), "-z", zone, "-m", "45", "--description", note, "--uid", f"u{number}", "-o", file, "-q"]
        subprocess.run(args + (["--rrule", rule] if rule else []), check=True, env=env, stdout=subprocess.DEVNULL)
        raw = open(file, "rb").read()
        assert all(len(line) <= 75 for line in raw.split(b"\r\n")), file
        calendar = icalendar.Calendar.from_ical(raw)
        (event,) = calendar.walk("VEVENT")
        assert str(event["SUMMARY"]) == title, (title, event["SUMMARY"])
        assert str(event["DESCRIPTION"]) == note, (note, event["DESCRIPTION"])
        assert zone == "UTC" or [str(z["TZID"]) for z in calendar.walk("VTIMEZONE")] == [zone]
        theirs = recurring_ical_events.of(calendar).between(dt.date(2026, 1, 1), dt.date(2028, 1, 1))
        theirs = sorted(e["DTSTART"].dt.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") for e in theirs)
        listed = subprocess.run([tool, "list", "-s", file, "--from", "2026-01-01", "--to", "2027-12-31", "-z", "UTC", "--json"], check=True, env=env, capture_output=True)
        ours = [e["start"]["utc"] for e in json.loads(listed.stdout)["events"]]
        assert ours == theirs, (zone, rule, start, ours[:5], theirs[:5])
        compared += len(ours)
    print(f"24 written calendars read back equal by icalendar, {compared} instances equal in recurring-ical-events")


if __name__ == "__main__":
    main()
