"""Random recurrence rules in python-dateutil and in ours: instance by instance.

Usage: calendar_rules.py EXPAND RULES [SEED]   (EXPAND is the example program of crates/calendar)
A difference is accepted only where a row of ACCEPTED foretells it; one that no row foretells ends with 1.
"""
import datetime as dt
import random
import signal
import subprocess
import sys
import time

from dateutil.rrule import rrulestr

DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
MOST = 1200  # instances compared of one rule

# name, what dateutil does otherwise and why ours stays, when it applies (parts of the rule, start)
ACCEPTED = [
    ("first week of a set",
     "BYSETPOS in the week that the series begins in: dateutil counts places from the start on, RFC 5545 in the whole week",
     lambda p, s: p["FREQ"] == "WEEKLY" and "BYSETPOS" in p and s.weekday() != DAYS.index(p.get("WKST", "MO"))),
    ("numbered and plain days together",
     "BYDAY=MO,1TU: dateutil takes days that satisfy both lists, RFC 5545 days that satisfy one",
     lambda p, s: "BYDAY" in p and len({d[:-2] == "" for d in p["BYDAY"].split(",")}) == 2),
    ("last week of the year before",
     "BYWEEKNO of 52 or 53 in January: dateutil counts the weeks of the year before with the length of the wrong year; 2 January 2038 lies in week 52 where weeks begin on Sunday",
     lambda p, s: any(abs(int(n)) >= 52 for n in p.get("BYWEEKNO", "0").split(","))),
]


def some(rng, low, high, most, negative=False):
    values = {rng.randint(low, high) * (rng.choice((1, -1)) if negative else 1) for _ in range(rng.randint(1, most))}
    return ",".join(str(v) for v in values)


def make(rng):
    freq = rng.choices(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"], [6, 7, 6, 5, 2, 1, 1])[0]
    start = dt.datetime(rng.randint(2015, 2030), rng.randint(1, 12), rng.randint(1, 28), rng.randint(0, 23), rng.choice((0, 15, 30, 59)), rng.choice((0, 0, 0, 41)))
    if rng.random() < 0.1:
        start = start.replace(month=rng.choice((1, 3, 5, 7, 8, 10, 12)), day=31)
    parts = {"FREQ": freq}
    if rng.random() < 0.5:
        parts["INTERVAL"] = str(rng.choice((2, 3, 4, 5, 7, 12, 45)) if freq != "YEARLY" else rng.choice((2, 3, 4)))
    if rng.random() < 0.3:
        parts["WKST"] = rng.choice(DAYS)
    chance = lambda value: rng.random() < value
    if chance(0.3):
        parts["BYMONTH"] = some(rng, 1, 12, 4)
    if freq == "YEARLY" and chance(0.15):
        parts["BYWEEKNO"] = some(rng, 1, 53, 3, chance(0.3))
    if freq in ("YEARLY", "HOURLY", "MINUTELY", "SECONDLY") and chance(0.12):
        parts["BYYEARDAY"] = some(rng, 1, 366, 40 if freq != "YEARLY" else 6, chance(0.4))
    if freq != "WEEKLY" and chance(0.25):
        parts["BYMONTHDAY"] = some(rng, 1, 31, 5, chance(0.4))
    if chance(0.4):
        numbered = freq in ("YEARLY", "MONTHLY") and "BYWEEKNO" not in parts
        days = []
        mixed = chance(0.1)
        with_number = numbered and chance(0.6)
        for day in rng.sample(DAYS, rng.randint(1, 4)):
            place = ""
            if with_number and not (mixed and chance(0.5)):
                high = 5 if freq == "MONTHLY" or "BYMONTH" in parts else 53
                place = str(rng.choice((1, -1)) * rng.randint(1, high))
            days.append(place + day)
        parts["BYDAY"] = ",".join(days)
    if chance(0.2):
        parts["BYHOUR"] = some(rng, 0, 23, 4)
    if chance(0.15):
        parts["BYMINUTE"] = some(rng, 0, 59, 3)
    if chance(0.1):
        parts["BYSECOND"] = some(rng, 0, 59, 3)
    if any(k.startswith("BY") for k in parts) and chance(0.25):
        parts["BYSETPOS"] = some(rng, 1, 6, 3, chance(0.5))
    span = {"SECONDLY": dt.timedelta(hours=20), "MINUTELY": dt.timedelta(days=20), "HOURLY": dt.timedelta(days=200)}.get(freq, dt.timedelta(days=3652))
    end = start + span
    roll = rng.random()
    if roll < 0.35:
        parts["COUNT"] = str(rng.randint(1, 60))
    elif roll < 0.6:
        parts["UNTIL"] = (start + span * rng.random()).strftime("%Y%m%dT%H%M%SZ")
    return start, parts, end


def theirs(start, parts, end):
    """What dateutil gives, with DTSTART as RFC 5545 has it: always the first, and counted."""
    left = dict(parts)
    if "BYWEEKNO" in left and not any(k in left for k in ("BYDAY", "BYMONTHDAY", "BYYEARDAY")):
        # RFC 5545: what a rule does not say comes from DTSTART, here the weekday. dateutil takes all seven days.
        left["BYDAY"] = DAYS[start.weekday()]
    count = int(left.pop("COUNT", 0))
    utc = dt.timezone.utc
    rule = rrulestr(";".join(f"{k}={v}" for k, v in left.items()), dtstart=start.replace(tzinfo=utc))
    found = [start]
    try:
        for at in rule.xafter(start.replace(tzinfo=utc), inc=False):
            at = at.replace(tzinfo=None)
            if at > end or len(found) >= min(count or MOST, MOST):
                break
            found.append(at)
    except ValueError:
        pass  # it refuses intervals that never meet a BY part; ours finds nothing
    return [at.strftime("%Y%m%dT%H%M%S") for at in found]


class TooLong(Exception):
    """dateutil walks second by second to the year 9999 where a rule never meets."""


def give_up(*_):
    raise TooLong


def main():
    program, rules = sys.argv[1], int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 5545
    rng = random.Random(seed)
    cases, want, took, left_out = [], [], 0.0, 0
    signal.signal(signal.SIGALRM, give_up)
    while len(cases) < rules:
        start, parts, end = make(rng)
        began = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, 1.0)
        try:
            expected = theirs(start, parts, end)
        except (ValueError, TooLong):
            left_out += 1  # refused, or not done within a second
            continue
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        took += time.perf_counter() - began
        cases.append((start, parts, end))
        want.append(expected)
    lines = "".join(f"{s:%Y%m%dT%H%M%SZ}\t{';'.join(f'{k}={v}' for k, v in p.items())}\t{e:%Y%m%dT%H%M%SZ}\n" for s, p, e in cases)
    began = time.perf_counter()
    got = subprocess.run([program], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    ours = time.perf_counter() - began
    assert len(got) == len(cases), "a line is missing"
    met, wrong = {name: 0 for name, _, _ in ACCEPTED}, 0
    instances = 0
    for (start, parts, end), expected, line in zip(cases, want, got):
        found = line.split()
        instances += len(expected)
        if found[:MOST] == expected[:MOST] and (len(expected) >= MOST or len(found) == len(expected)):
            continue
        rows = [name for name, _, applies in ACCEPTED if applies(parts, start)]
        if rows:
            met[rows[0]] += 1
            if "-v" in sys.argv:
                at = next((i for i, (a, b) in enumerate(zip(found + ["none"], expected + ["none"])) if a != b), None)
                print(f"foretold {start} {parts} at {at}: {found[at:at + 3]} {expected[at:at + 3]}")
            continue
        wrong += 1
        if wrong <= 10:
            at = next((i for i, (a, b) in enumerate(zip(found + ["none"], expected + ["none"])) if a != b), None)
            print(f"DIFFERS {start} {parts}\n  at {at}: ours {found[at:at + 3] if at is not None else len(found)}, dateutil {expected[at:at + 3] if at is not None else len(expected)}; {line[:80] if line.startswith('error') else ''}")
    print(f"{len(cases)} rules, {instances} instances: {len(cases) - wrong - sum(met.values())} equal, {sum(met.values())} differ as foretold, {wrong} differ otherwise; {left_out} more were too long for dateutil")
    for name, reason, _ in ACCEPTED:
        print(f"  {met[name]:4} {name}: {reason}")
    print(f"  ours {ours:.2f} s with its process, dateutil {took:.2f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
