//! `list`: what takes place in a range.

use app_core::{Context, ToolError, ToolResult};
use calendar::{Moment, Text, escape, stamp_utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    bounds::Start,
    gather::{Found, gather, opened},
    input,
    model::{Basis, Event, Finding, in_utc},
};

/// What takes place.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Listing {
    /// First moment of the range.
    pub from: String,
    /// First moment after it.
    pub to: String,
    /// Zone that its days are counted in.
    pub zone: String,
    /// Events in order of their start.
    pub events: Vec<Event>,
    /// Events of the range that were called off and are not shown.
    pub cancelled: usize,
    /// The file written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// The calendars behind it.
    pub basis: Basis,
}

/// Lists.
pub async fn list(input: &input::List, ctx: &Context) -> ToolResult<Listing> {
    let (view, window, sources) = opened(&input.calendars, (Start::Today, 30), ctx).await?;
    let mut basis = Basis::default();
    let found = gather(&sources, &window, &view, &mut basis, ctx)?;
    let words: Vec<String> = input.words.iter().map(|word| word.to_lowercase()).collect();
    let mut cancelled = 0;
    let mut shown = Vec::new();
    let mut events = Vec::new();
    let mut over = 0;
    for found in &found {
        let event = Event::of(&found.occurrence, found.source);
        if !event.says(&words) {
            continue;
        }
        if found.occurrence.cancelled && !input.cancelled {
            cancelled += 1;
        } else if events.len() < input.limit {
            events.push(event);
            shown.push(found);
        } else {
            over += 1;
        }
    }
    if over > 0 {
        basis.missing.push(Finding {
            source: String::new(),
            line: 0,
            uid: String::new(),
            message: format!("{over} more events than `--limit` allows"),
        });
    }
    ctx.count_items(events.len() as u64);
    if let Some(path) = &input.output {
        let text = as_calendar(&shown, ctx);
        ctx.write(path, "text/calendar", "output", text.as_bytes())?;
    }
    let listing = Listing {
        from: in_utc(window.from),
        to: in_utc(window.to),
        zone: view.zone.name().to_owned(),
        events,
        cancelled,
        output: input.output.as_ref().map(|path| path.display().to_string()),
        basis,
    };
    for finding in &listing.basis.missing {
        ctx.warn(told(finding));
    }
    Ok(listing)
}

/// A finding as one line.
pub fn told(finding: &Finding) -> String {
    match (finding.source.as_str(), finding.line) {
        ("", _) => finding.message.clone(),
        (source, 0) => format!("`{source}`: {}", finding.message),
        (source, line) => format!("`{source}:{line}`: {}", finding.message),
    }
}

/// The failure of a result that lacks something.
pub fn incomplete(basis: &Basis, output: &impl Serialize) -> Option<ToolError> {
    let first = basis.missing.first()?;
    let count = basis.missing.len();
    let message = if count == 1 {
        told(first)
    } else {
        format!(
            "{count} things are missing or uncertain, the first: {}",
            told(first)
        )
    };
    Some(
        ToolError::partial(message, output)
            .code("incomplete")
            .hint("`missing` of the result names each; `lint` says more"),
    )
}

/// The times as a calendar of single events, each in UTC or as days.
fn as_calendar(found: &[&Found<'_>], ctx: &Context) -> String {
    let mut text = Text::new();
    crate::make::head(&mut text);
    let stamp = stamp_utc(ctx.now());
    for found in found {
        let occurrence = &found.occurrence;
        let event = occurrence.event;
        let mut uid = event.uid.clone();
        if let Some(id) = &occurrence.recurrence_id {
            // Each is an event of its own here, so it needs an identity of its own.
            uid = format!("{}-{}", when(id).1, uid);
        }
        text.line("BEGIN", &[], "VEVENT")
            .line("UID", &[], &escape(&uid))
            .line("DTSTAMP", &[], &stamp);
        for (name, moment) in [("DTSTART", &occurrence.start), ("DTEND", &occurrence.end)] {
            let (day, value) = when(moment);
            let params: &[(&str, &str)] = if day { &[("VALUE", "DATE")] } else { &[] };
            text.line(name, params, &value);
        }
        text.line("SUMMARY", &[], &escape(&event.title));
        for (name, value) in [("LOCATION", &event.location), ("DESCRIPTION", &event.description)] {
            if !value.is_empty() {
                text.line(name, &[], &escape(value));
            }
        }
        if occurrence.cancelled {
            text.line("STATUS", &[], "CANCELLED");
        }
        if event.transparent {
            text.line("TRANSP", &[], "TRANSPARENT");
        }
        text.line("END", &[], "VEVENT");
    }
    text.line("END", &[], "VCALENDAR");
    text.finish()
}

/// Whether it is a day, and the value of the property.
fn when(moment: &Moment) -> (bool, String) {
    match moment {
        Moment::Day(date) => (true, date.strftime("%Y%m%d").to_string()),
        Moment::At { utc, .. } => (
            false,
            jiff::Timestamp::from_second(*utc)
                .map(stamp_utc)
                .unwrap_or_default(),
        ),
    }
}
