"""Lists a calendar with recurring-ical-events. Usage: calendar_list.py FILE FROM TO   (the day TO does not belong to it)"""
import datetime as dt
import sys

import icalendar
import recurring_ical_events

calendar = icalendar.Calendar.from_ical(open(sys.argv[1], "rb").read())
found = recurring_ical_events.of(calendar).between(dt.date.fromisoformat(sys.argv[2]), dt.date.fromisoformat(sys.argv[3]))
print(len(found))
