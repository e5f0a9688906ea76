//! `free`: busy times merged, and the free ones between them within working hours.

use app_core::{Context, ToolError, ToolResult};
use calendar::{Moment, Window, Zone};
use jiff::civil::{Date, Time, Weekday};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    bounds::Start,
    gather::{gather, opened},
    input,
    model::{Basis, in_utc, local},
};

/// A stretch of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Slot {
    /// When it begins, on the clock of the zone.
    pub from: String,
    /// When it ends.
    pub to: String,
    /// When it begins in UTC.
    pub from_utc: String,
    /// When it ends in UTC.
    pub to_utc: String,
    /// How long it is.
    pub minutes: i64,
}

/// Busy and free times of a range.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FreeBusy {
    /// Zone of days and working hours.
    pub zone: String,
    /// The first free time that is long enough.
    pub next: Option<Slot>,
    /// All free times that are long enough.
    pub free: Vec<Slot>,
    /// Busy times, those that touch put together.
    pub busy: Vec<Slot>,
    /// The calendars behind it.
    pub basis: Basis,
}

/// Looks for free times.
pub async fn free(input: &input::Free, ctx: &Context) -> ToolResult<FreeBusy> {
    let hours = (
        clock("day_start", &input.day_start)?,
        clock("day_end", &input.day_end)?,
    );
    if hours.1 <= hours.0 {
        return Err(ToolError::invalid("day_end", "the day ends before it begins"));
    }
    let (view, window, sources) = opened(&input.calendars, (Start::Now, 7), ctx).await?;
    let mut basis = Basis::default();
    let found = gather(&sources, &window, &view, &mut basis, ctx)?;
    let taken = found
        .iter()
        .filter(|found| {
            let day = matches!(found.occurrence.start, Moment::Day(_));
            let leaves_free = found.occurrence.event.transparent || day && input.ignore_all_day;
            !found.occurrence.cancelled && !leaves_free
        })
        .map(|found| (found.from.max(window.from), found.to.min(window.to)));
    let busy = merged(taken.collect());
    let open = working(&window, hours, input.weekends, &view.zone);
    let free: Vec<(i64, i64)> = without(&open, &busy)
        .into_iter()
        .filter(|(from, to)| to - from >= input.minutes * 60)
        .collect();
    let slots = |times: &[(i64, i64)]| {
        times
            .iter()
            .map(|slot| shown(*slot, &view.zone))
            .collect::<Vec<_>>()
    };
    let free = slots(&free);
    ctx.count_items(free.len() as u64);
    Ok(FreeBusy {
        zone: view.zone.name().to_owned(),
        next: free.first().cloned(),
        free,
        busy: slots(&busy),
        basis,
    })
}

fn shown((from, to): (i64, i64), zone: &Zone) -> Slot {
    Slot {
        from: local(from, zone),
        to: local(to, zone),
        from_utc: in_utc(from),
        to_utc: in_utc(to),
        minutes: (to - from) / 60,
    }
}

/// Minutes of the day.
fn clock(field: &str, text: &str) -> ToolResult<i64> {
    let read = || {
        let (hour, minute) = text.trim().split_once(':')?;
        let short = |part: &str| part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        if !short(hour) || !short(minute) {
            return None;
        }
        let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
        let minutes = hour * 60 + minute;
        (minute < 60 && minutes <= 24 * 60).then_some(minutes)
    };
    read().ok_or_else(|| {
        ToolError::invalid(field, format!("`{}` is no time of day", web::shown_text(text)))
            .hint("write it as 09:00")
    })
}

/// The working hours of every day of the window, in seconds since 1970.
fn working(window: &Window, hours: (i64, i64), weekends: bool, zone: &Zone) -> Vec<(i64, i64)> {
    let mut open = Vec::new();
    let mut day = window.first;
    while day <= window.last {
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        if weekends || !weekend {
            let from = at(day, hours.0, zone).max(window.from);
            let to = at(day, hours.1, zone).min(window.to);
            if from < to {
                open.push((from, to));
            }
        }
        let Ok(next) = day.tomorrow() else { break };
        day = next;
    }
    merged(open)
}

fn at(day: Date, minutes: i64, zone: &Zone) -> i64 {
    let (day, minutes) = if minutes == 24 * 60 {
        (day.tomorrow().unwrap_or(day), 0)
    } else {
        (day, minutes)
    };
    let time = Time::new((minutes / 60) as i8, (minutes % 60) as i8, 0, 0).unwrap_or(Time::midnight());
    zone.resolve(day.to_datetime(time)).utc
}

/// Times that overlap or touch put together, in order; empty ones are left out.
pub fn merged(mut times: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    times.retain(|(from, to)| from < to);
    times.sort_unstable();
    let mut out: Vec<(i64, i64)> = Vec::new();
    for (from, to) in times {
        match out.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => out.push((from, to)),
        }
    }
    out
}

/// What is left of `open` without `busy`; both in order and apart.
pub fn without(open: &[(i64, i64)], busy: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut left = Vec::new();
    let mut first = 0;
    for &(mut from, to) in open {
        while first < busy.len() && busy[first].1 <= from {
            first += 1;
        }
        for &(begin, end) in busy[first..].iter().take_while(|slot| slot.0 < to) {
            if begin > from {
                left.push((from, begin));
            }
            from = from.max(end);
        }
        if from < to {
            left.push((from, to));
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_is_what_is_left() {
        let busy = merged(vec![(30, 40), (10, 20), (15, 25), (25, 26), (50, 50)]);
        assert_eq!(busy, [(10, 26), (30, 40)]);
        assert_eq!(
            without(&[(0, 35), (38, 60)], &busy),
            [(0, 10), (26, 30), (40, 60)]
        );
        assert_eq!(without(&[(12, 20)], &busy), []);
        assert_eq!(without(&[(12, 20)], &[]), [(12, 20)]);
    }

    #[test]
    fn times_of_day_are_read_strictly() {
        assert_eq!(clock("x", "24:00").unwrap(), 1440);
        for bad in ["24:01", "9", "09:60", "a:b", "-1:00", "+9:00", ""] {
            assert!(clock("x", bad).is_err(), "{bad}");
        }
    }
}
