//! `create`: a new event, in a file of its own or in a copy of another.

mod checks;

use std::path::Path;

use app_core::{Context, ErrorKind, Source, ToolError, ToolResult};
use calendar::{
    Rule, Text, Time, Until, Zone, escape, inserted, parse, stamp_utc, vtimezone_text, when_line,
};
use jiff::{ToSpan as _, civil::DateTime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    bounds::{self, Given},
    input,
    settings::Settings,
};

use checks::checked;

/// Largest calendar that is copied, in bytes.
pub const LARGEST: u64 = 32 << 20;

/// A file that was written.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Written {
    /// The file.
    pub output: String,
    /// Identity of the event.
    pub uid: String,
    /// What was done.
    pub done: String,
    /// The event as it stands in the file.
    pub text: String,
}

/// Begins a calendar.
pub fn head(text: &mut Text) {
    text.line("BEGIN", &[], "VCALENDAR")
        .line("VERSION", &[], "2.0")
        .line(
            "PRODID",
            &[],
            concat!("-//onejob//event_calendar ", env!("CARGO_PKG_VERSION"), "//EN"),
        );
}

/// Creates.
pub fn create(input: &input::Create, ctx: &Context) -> ToolResult<Written> {
    let settings = Settings::of(ctx)?;
    let attendees = checked(input)?;
    let zone = bounds::zone(input.zone.as_deref(), &settings)?;
    let start = time("start", &input.start, &zone)?;
    let end = end(input, &start, &zone)?;
    let rule = input
        .rrule
        .as_deref()
        .map(|text| rule(text, &start))
        .transpose()?;
    let uid = match &input.uid {
        Some(uid) if !uid.trim().is_empty() => uid.trim().to_owned(),
        _ => ctx.new_id("event"),
    };
    let mut event = Text::new();
    event
        .line("BEGIN", &[], "VEVENT")
        .line("UID", &[], &escape(&uid))
        .line("DTSTAMP", &[], &stamp_utc(ctx.now()));
    put_time(&mut event, "DTSTART", &start);
    put_time(&mut event, "DTEND", &end);
    if let Some(rule) = &rule {
        event.line("RRULE", &[], rule);
    }
    event.line("SUMMARY", &[], &escape(&input.title));
    for (name, value) in [("LOCATION", &input.location), ("DESCRIPTION", &input.description)] {
        if let Some(value) = value.as_ref().filter(|value| !value.is_empty()) {
            event.line(name, &[], &escape(value));
        }
    }
    if !input.categories.is_empty() {
        let list: Vec<String> = input.categories.iter().map(|name| escape(name)).collect();
        event.line("CATEGORIES", &[], &list.join(","));
    }
    for (name, address) in &attendees {
        let params = [("CN", name.as_str())];
        let params = if name.is_empty() {
            &params[..0]
        } else {
            &params[..]
        };
        event.line("ATTENDEE", params, &format!("mailto:{address}"));
    }
    if input.transparent {
        event.line("TRANSP", &[], "TRANSPARENT");
    }
    event.line("END", &[], "VEVENT");
    let event = event.finish();
    let zones = zone_texts(&start);
    let bytes = match &input.add_to {
        None => {
            let mut text = Text::new();
            head(&mut text);
            let mut whole = text.finish();
            whole.push_str(&zones);
            whole.push_str(&event);
            whole.push_str("END:VCALENDAR\r\n");
            whole.into_bytes()
        }
        Some(file) => added(&ctx.read(file, LARGEST)?, file, &uid, &zones, &event)?,
    };
    write(&input.output, input.add_to.as_deref(), &bytes, ctx)?;
    Ok(Written {
        output: input.output.display().to_string(),
        uid,
        done: "created".to_owned(),
        text: event,
    })
}

/// A copy of a calendar with an event more, and its zone where the copy does not have it yet.
fn added(source: &[u8], file: &Path, uid: &str, zones: &str, event: &str) -> ToolResult<Vec<u8>> {
    let document = parse(source);
    let wrong = |text: &str, code: &str| {
        ToolError::new(ErrorKind::InvalidInput, format!("`{}` {text}", file.display())).code(code)
    };
    let calendar = document
        .components
        .iter()
        .find(|component| component.name == "VCALENDAR")
        .ok_or_else(|| wrong("is no calendar", "not_a_calendar"))?;
    let taken = |component: &calendar::Component| {
        component.name == "VEVENT"
            && component
                .get("UID")
                .is_some_and(|line| calendar::unescape(line.value.trim()) == uid)
    };
    if calendar.parts.iter().any(taken) {
        return Err(ToolError::new(
            ErrorKind::Conflict,
            format!("`{}` has an event `{uid}` already", file.display()),
        )
        .code("uid_taken"));
    }
    let known = parse(zones.as_bytes())
        .components
        .iter()
        .filter_map(|zone| zone.get("TZID"))
        .any(|id| {
            let mut defined = calendar.parts.iter().filter(|part| part.name == "VTIMEZONE");
            defined.any(|part| part.get("TZID").is_some_and(|line| line.value.trim() == id.value))
        });
    let text = if known {
        event.to_owned()
    } else {
        format!("{zones}{event}")
    };
    Ok(inserted(source, calendar, text.as_bytes()))
}

/// Writes a calendar, unless it could not be read back.
pub fn write(output: &Path, from: Option<&Path>, bytes: &[u8], ctx: &Context) -> ToolResult<()> {
    let read = calendar::read(bytes, None, &Zone::utc());
    if !read.is_calendar {
        return Err(ToolError::internal("the written calendar cannot be read back"));
    }
    let mut file = ctx.create(output, "text/calendar", "output")?;
    if let Some(from) = from {
        file = file.made_from(Source::named(from.display().to_string()));
    }
    std::io::Write::write_all(&mut file, bytes).map_err(|e| ToolError::file("write", output, &e))?;
    file.commit()?;
    Ok(())
}

/// A property with a date or time.
pub fn put_time(text: &mut Text, name: &str, time: &Time) {
    let (params, value) = when_line(time);
    let params: Vec<(&str, &str)> = params
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    text.line(name, &params, &value);
}

/// The `VTIMEZONE` that a time needs; nothing for days and UTC.
pub fn zone_texts(time: &Time) -> String {
    let zone = time
        .zone()
        .filter(|zone| *zone.origin() == calendar::Origin::Database);
    zone.and_then(Zone::time_zone)
        .and_then(|zone| vtimezone_text(zone, time.civil()))
        .unwrap_or_default()
}

/// A day, or a time in `zone`.
pub fn time(field: &str, text: &str, zone: &Zone) -> ToolResult<Time> {
    Ok(match bounds::given(field, text)? {
        Given::Day(day) => Time::Date(day),
        Given::Local(time) => {
            if zone.resolve(time).gap {
                let text = format!("the clock of `{}` leaps over {time}", zone.name());
                return Err(ToolError::invalid(field, text));
            }
            Time::At(whole(time), zone.clone())
        }
        Given::Moment(at) => {
            let civil = zone
                .civil_at(at.as_second())
                .ok_or_else(|| ToolError::invalid(field, "the time leaves the calendar"))?;
            Time::At(civil, zone.clone())
        }
    })
}

/// Without fractions of a second, which the format does not have.
fn whole(time: DateTime) -> DateTime {
    time.with().subsec_nanosecond(0).build().unwrap_or(time)
}

fn end(input: &input::Create, start: &Time, zone: &Zone) -> ToolResult<Time> {
    let too_far = || ToolError::invalid("start", "the end leaves the calendar");
    let early = || ToolError::invalid("end", "the event ends before it begins");
    match (start, &input.end, input.minutes) {
        (_, Some(_), Some(_)) => Err(ToolError::invalid("minutes", "give an end or minutes, not both")),
        (Time::Date(_), None, Some(_)) => {
            Err(ToolError::invalid("minutes", "a whole-day event has no minutes")
                .hint("give a start with a time, or the last day as --end"))
        }
        (Time::Date(day), None, None) => Ok(Time::Date(day.tomorrow().map_err(|_| too_far())?)),
        (Time::Date(day), Some(text), None) => match bounds::given("end", text)? {
            Given::Day(last) if last >= *day => Ok(Time::Date(last.tomorrow().map_err(|_| too_far())?)),
            Given::Day(_) => Err(early()),
            _ => Err(ToolError::invalid("end", "a whole-day event ends on a day")),
        },
        (Time::At(..), Some(text), None) => match time("end", text, zone)? {
            Time::Date(_) => Err(ToolError::invalid(
                "end",
                "the end needs a time, as the start has one",
            )),
            end @ Time::At(..) if end.civil() < start.civil() => Err(early()),
            end @ Time::At(..) => Ok(end),
        },
        (Time::At(civil, _), None, minutes) => {
            let later = zone.resolve(*civil).utc + minutes.unwrap_or(60) * 60;
            let end = zone.civil_at(later).ok_or_else(too_far)?;
            Ok(Time::At(end, zone.clone()))
        }
    }
}

/// The rule as it is written: its end in UTC where RFC 5545 wants that.
fn rule(text: &str, start: &Time) -> ToolResult<String> {
    let text = text.trim().trim_start_matches("RRULE:").trim_end_matches(';');
    let rule = Rule::parse(text).map_err(|what| {
        ToolError::invalid("rrule", what)
            .hint("for example FREQ=WEEKLY;BYDAY=MO,TH;COUNT=10 (RFC 5545 3.3.10)")
    })?;
    let fit = |until: String| {
        let parts = text.split(';').map(|part| match part.split_once('=') {
            Some((name, _)) if name.trim().eq_ignore_ascii_case("UNTIL") => format!("UNTIL={until}"),
            _ => part.trim().to_owned(),
        });
        parts.collect::<Vec<_>>().join(";")
    };
    let last = |time: DateTime, zone: &Zone| {
        let utc = zone.resolve(time).utc;
        jiff::Timestamp::from_second(utc)
            .map(stamp_utc)
            .map_err(|_| ToolError::invalid("rrule", "UNTIL leaves the calendar"))
    };
    Ok(match (rule.until, start) {
        (Some(Until::Utc(end) | Until::Local(end)), Time::Date(_)) => {
            fit(end.date().strftime("%Y%m%d").to_string())
        }
        (Some(Until::Local(end)), Time::At(_, zone)) => fit(last(end, zone)?),
        (Some(Until::Date(end)), Time::At(_, zone)) => {
            let midnight = end.checked_add(1.day()).unwrap_or(end).at(0, 0, 0, 0);
            let end = midnight.checked_sub(1.second()).unwrap_or(midnight);
            fit(last(end, zone)?)
        }
        _ => text.to_owned(),
    })
}
