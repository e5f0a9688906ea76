"""Lists a calendar with recurring-ical-events. Usage: calendar_list.py FILE FROM TO   (the day TO does not belong to it)"""
import datetime as dt
import sys

import icalendar
import recurring_ical_events

calendar = icalendar.Calendar.from_ical(open(sys.argv[1], "rb").read())
# Moments, not dates: a date would be read anew in the zone of every event.
first, last = (dt.datetime.fromisoformat(day).replace(tzinfo=dt.timezone.utc) for day in sys.argv[2:4])
found = recurring_ical_events.of(calendar).between(first, last)
print(len(found))
