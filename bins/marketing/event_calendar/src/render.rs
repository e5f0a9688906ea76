//! Results for a person: days with what takes place on them, in the zone of the run.

use std::fmt::{self, Write};

use app_core::{Paint, View, text::visible_line};
use calendar::Zone;
use jiff::{Timestamp, civil::Date};

use crate::{
    Output,
    conflicts::Clashes,
    free::{FreeBusy, Slot},
    input::Input,
    lint::Linted,
    list::{Listing, told},
    model::{Basis, Event, Finding, When},
};

type Out<'a> = &'a mut dyn Write;

/// Writes any result.
pub fn render(output: &Output, view: &View<'_, Input>, out: Out<'_>) -> fmt::Result {
    match output {
        Output::List(listing) => list(listing, view, out),
        Output::Free(times) => free(times, view, out),
        Output::Conflicts(clashes) | Output::Check(clashes) => met(clashes, view, out),
        Output::Create(written) | Output::Move(written) | Output::Cancel(written) => {
            writeln!(
                out,
                "{}: {} `{}`\n",
                visible_line(&written.output),
                written.done,
                visible_line(&written.uid)
            )?;
            out.write_str(&written.text.replace("\r\n", "\n"))
        }
        Output::Lint(linted) => lint(linted, view, out),
    }
}

/// A moment as a clock of this zone shows it; `None` for a day.
fn clock(when: &When, zone: &Zone) -> Option<jiff::civil::DateTime> {
    let utc: Timestamp = when.utc.as_deref()?.parse().ok()?;
    zone.civil_at(utc.as_second())
}

fn day(when: &When, zone: &Zone) -> Option<Date> {
    match &when.date {
        Some(date) => date.parse().ok(),
        None => clock(when, zone).map(jiff::civil::DateTime::date),
    }
}

fn zone(name: &str) -> Zone {
    Zone::database(name).unwrap_or_else(Zone::utc)
}

/// `09:30-10:15`, `all day`, or with a date where it ends on another day.
fn span(event: &Event, zone: &Zone) -> String {
    let (Some(from), Some(to)) = (clock(&event.start, zone), clock(&event.end, zone)) else {
        let last = day(&event.end, zone).and_then(|end| end.yesterday().ok());
        return match (day(&event.start, zone), last) {
            (Some(first), Some(last)) if last > first => format!("until {}", last.strftime("%d %b")),
            _ => "all day".to_owned(),
        };
    };
    let begin = from.strftime("%H:%M");
    if from == to {
        format!("{begin}")
    } else if from.date() == to.date() {
        format!("{begin}-{}", to.strftime("%H:%M"))
    } else {
        format!("{begin}-{}", to.strftime("%d %b %H:%M"))
    }
}

/// What was guessed about an event.
fn marks(event: &Event) -> String {
    let mut marks = Vec::new();
    if event.status != "confirmed" {
        marks.push(event.status.clone());
    }
    match (&event.zone_assumed, event.zone_unknown) {
        (Some(zone), true) => marks.push(format!("unknown zone, read in {zone}")),
        (Some(zone), false) => marks.push(format!("zone taken: {zone}")),
        (None, _) => {}
    }
    if event.dst_gap {
        marks.push("clock leaps here, moved".to_owned());
    }
    if event.dst_repeated {
        marks.push("clock shows this time twice, the first taken".to_owned());
    }
    if event.until_lenient {
        marks.push("end of the series guessed".to_owned());
    }
    if marks.is_empty() {
        String::new()
    } else {
        format!("  [{}]", marks.join("; "))
    }
}

fn list(listing: &Listing, view: &View<'_, Input>, out: Out<'_>) -> fmt::Result {
    let zone = zone(&listing.zone);
    let mut last = None;
    for event in &listing.events {
        let on = day(&event.start, &zone);
        if on != last {
            last = on;
            let title = on.map_or(String::new(), |on| on.strftime("%a %d %b %Y").to_string());
            writeln!(out, "{}", view.paint(Paint::Bold, &title))?;
        }
        let title = visible_line(&event.title);
        let place = if event.location.is_empty() {
            String::new()
        } else {
            format!(" ({})", visible_line(&event.location))
        };
        let marks = visible_line(&marks(event)).into_owned();
        writeln!(
            out,
            "  {:<19} {title}{}{}",
            span(event, &zone),
            view.paint(Paint::Dim, &place),
            view.paint(Paint::Yellow, &marks)
        )?;
    }
    let count = listing.events.len();
    writeln!(
        out,
        "{count} {} in {} ({} read from {} {})",
        plural(count, "event", "events"),
        listing.zone,
        listing.basis.events_read,
        listing.basis.calendars,
        plural(listing.basis.calendars, "calendar", "calendars")
    )?;
    if listing.cancelled > 0 {
        writeln!(out, "{} called off, not shown", listing.cancelled)?;
    }
    if let Some(file) = &listing.output {
        writeln!(out, "written to {}", visible_line(file))?;
    }
    basis(&listing.basis, view, out)
}

fn plural<'a>(count: usize, one: &'a str, more: &'a str) -> &'a str {
    if count == 1 { one } else { more }
}

/// What is missing and what was guessed.
fn basis(basis: &Basis, view: &View<'_, Input>, out: Out<'_>) -> fmt::Result {
    findings("missing", Paint::Red, &basis.missing, view, out)?;
    findings("note", Paint::Yellow, &basis.warnings, view, out)?;
    if basis.more_warnings > 0 {
        writeln!(out, "and {} more notes", basis.more_warnings)?;
    }
    Ok(())
}

fn findings(
    name: &str,
    paint: Paint,
    found: &[Finding],
    view: &View<'_, Input>,
    out: Out<'_>,
) -> fmt::Result {
    const SHOWN: usize = 50;
    for finding in found.iter().take(SHOWN) {
        writeln!(
            out,
            "{}: {}",
            view.paint(paint, name),
            visible_line(&told(finding))
        )?;
    }
    if found.len() > SHOWN {
        writeln!(out, "and {} more with --json", found.len() - SHOWN)?;
    }
    Ok(())
}

fn slot(slot: &Slot) -> String {
    let place = |text: &str| text.get(..16).unwrap_or_default().replace('T', " ");
    let (from, to) = (place(&slot.from), place(&slot.to));
    let to = if from.get(..10) == to.get(..10) {
        to.get(11..).unwrap_or_default().to_owned()
    } else {
        to
    };
    format!("{from} - {to}")
}

fn length(minutes: i64) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

fn free(times: &FreeBusy, view: &View<'_, Input>, out: Out<'_>) -> fmt::Result {
    match &times.next {
        Some(next) => writeln!(out, "next free: {}", view.paint(Paint::Green, &slot(next)))?,
        None => writeln!(out, "{}", view.paint(Paint::Red, "no free time is long enough"))?,
    }
    for (name, slots) in [("free", &times.free), ("busy", &times.busy)] {
        for found in slots {
            writeln!(out, "  {name}  {:<30} {}", slot(found), length(found.minutes))?;
        }
    }
    writeln!(out, "times in {}", times.zone)?;
    basis(&times.basis, view, out)
}

fn met(clashes: &Clashes, view: &View<'_, Input>, out: Out<'_>) -> fmt::Result {
    let zone = zone(&clashes.zone);
    let place = |event: &Event| {
        let on = day(&event.start, &zone).map_or(String::new(), |on| on.strftime("%d %b %Y").to_string());
        format!("{on} {} {}", span(event, &zone), visible_line(&event.title))
    };
    for clash in &clashes.found {
        let kind = view.paint(Paint::Red, &clash.kind.replace('_', " "));
        match &clash.with {
            Some(with) => writeln!(
                out,
                "{kind}: {}\n    with {}{}",
                place(&clash.event),
                place(with),
                if clash.minutes > 0 {
                    format!("  ({})", length(clash.minutes))
                } else {
                    String::new()
                }
            )?,
            None => writeln!(out, "{kind}: {}", place(&clash.event))?,
        }
    }
    let count = clashes.found.len();
    writeln!(
        out,
        "{count} {} among {} {}, days in {}",
        plural(count, "clash", "clashes"),
        clashes.compared,
        plural(clashes.compared, "event", "events"),
        clashes.zone
    )?;
    basis(&clashes.basis, view, out)
}

fn lint(linted: &Linted, view: &View<'_, Input>, out: Out<'_>) -> fmt::Result {
    findings("error", Paint::Red, &linted.errors, view, out)?;
    findings("warning", Paint::Yellow, &linted.warnings, view, out)?;
    writeln!(
        out,
        "{} events in {} {}: {} errors, {} warnings",
        linted.events,
        linted.calendars,
        plural(linted.calendars, "calendar", "calendars"),
        linted.errors.len(),
        linted.warnings.len()
    )
}
