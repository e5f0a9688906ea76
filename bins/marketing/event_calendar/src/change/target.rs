//! The event of a calendar that is meant, and the instance of a series.

use std::path::Path;

use app_core::{ErrorKind, ToolError, ToolResult};
use calendar::{Calendar, Component, DstGap, Event, Limits, Moment, Series, Time, Window, Zone, group};
use jiff::ToSpan as _;

use crate::bounds::{self, Given};

/// A calendar and the event that is meant.
pub(super) struct Target<'a> {
    pub(super) source: &'a [u8],
    calendar: &'a Calendar,
    pub(super) series: Series<'a>,
    pub(super) master: &'a Event,
}

impl<'a> Target<'a> {
    pub(super) fn find(source: &'a [u8], calendar: &'a Calendar, uid: &str, file: &Path) -> ToolResult<Self> {
        if !calendar.is_calendar {
            let text = format!("`{}` is no calendar", file.display());
            return Err(ToolError::new(ErrorKind::InvalidInput, text).code("not_a_calendar"));
        }
        let series = group(&calendar.events)
            .into_iter()
            .find(|series| crate::gather::uid(series) == uid);
        let unknown = || {
            let shown = web::shown_text(uid);
            ToolError::not_found(format!("`{}` has no event `{shown}`", file.display()))
                .hint("`list --json` shows the identities")
        };
        let series = series.ok_or_else(unknown)?;
        let master = series.master.ok_or_else(unknown)?;
        Ok(Self {
            source,
            calendar,
            series,
            master,
        })
    }

    /// The component that an event was read from, and the calendar around it.
    pub(super) fn component(&self, event: &Event) -> ToolResult<(&'a Component, &'a Component)> {
        self.calendar
            .document
            .components
            .iter()
            .find_map(|outer| {
                let part = outer.parts.iter().find(|part| part.line == event.line)?;
                Some((outer, part))
            })
            .ok_or_else(|| {
                ToolError::new(ErrorKind::InvalidInput, "the event stands outside of a calendar")
                    .hint("put it between BEGIN:VCALENDAR and END:VCALENDAR")
            })
    }

    /// When the series has the instance that the caller means, as the series writes it.
    pub(super) fn instance(&self, text: &str) -> ToolResult<Time> {
        let utc = Zone::utc();
        let zone = self.master.start.zone().unwrap_or(&utc);
        let given = bounds::given("instance", text)?;
        let at = bounds::seconds(given, zone);
        let day = zone
            .civil_at(at)
            .ok_or_else(|| ToolError::invalid("instance", "the time leaves the calendar"))?
            .date();
        let around = |days: i64| day.checked_add(days.days()).unwrap_or(day);
        let window = Window {
            from: at - 2 * 86_400,
            to: at + 2 * 86_400,
            first: around(-2),
            last: around(2),
        };
        // The plain series: an instance that was moved is still named by its time in the series.
        let plain = Series {
            master: Some(self.master),
            ..Series::default()
        };
        let overview = plain.occurrences(&window, DstGap::Shift, &Limits::default());
        let mut found = overview
            .occurrences
            .iter()
            .filter_map(|occurrence| match &occurrence.start {
                Moment::Day(date) => {
                    (matches!(given, Given::Day(asked) if asked == *date)).then_some(Time::Date(*date))
                }
                Moment::At { utc, .. } => {
                    let civil = zone.civil_at(*utc)?;
                    let meant = match given {
                        Given::Day(asked) => civil.date() == asked,
                        _ => *utc == at,
                    };
                    meant.then(|| Time::At(civil, zone.clone()))
                }
            });
        let first = found.next().ok_or_else(|| {
            ToolError::not_found(format!("the series has no instance `{}`", web::shown_text(text)))
                .hint("give its time by the series: `recurrence_id` of `list --json`")
        })?;
        if found.next().is_some() {
            return Err(
                ToolError::invalid("instance", "the series has several instances on that day")
                    .hint("give the time too"),
            );
        }
        Ok(first)
    }

    /// The changed instance that stands for this one already.
    pub(super) fn change_of(&self, instance: &Time) -> Option<&'a Event> {
        let place = |time: &Time| match time {
            Time::Date(date) => (date.to_string(), 0),
            Time::At(civil, zone) => (String::new(), zone.resolve(*civil).utc),
        };
        self.series.changed.iter().copied().find(|event| {
            event.recurrence_id.as_ref().is_some_and(|id| {
                place(id) == place(instance)
                    || matches!((id, instance), (Time::Date(day), at) if *day == at.date())
            })
        })
    }
}
