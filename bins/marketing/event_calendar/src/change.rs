//! `move` and `cancel`: a copy of a calendar with one event changed and every other byte kept.

mod target;

use std::path::Path;

use app_core::{Context, ToolError, ToolResult};
use calendar::{Calendar, Component, Edit, Event, Text, Time, Zone, changed, inserted, replaced, stamp_utc};

use crate::{
    bounds, input,
    make::{LARGEST, Written, put_time, time, write, zone_texts},
    settings::Settings,
};

use target::Target;

/// Properties of a revision.
fn revision(event: &Event, ctx: &Context) -> Vec<Edit> {
    let stamp = stamp_utc(ctx.now());
    vec![
        Edit::set("DTSTAMP", vec![format!("DTSTAMP:{stamp}")]),
        Edit::set("LAST-MODIFIED", vec![format!("LAST-MODIFIED:{stamp}")]),
        Edit::set(
            "SEQUENCE",
            vec![format!("SEQUENCE:{}", event.sequence.saturating_add(1))],
        ),
    ]
}

/// A property with a time, as a content line.
fn line(name: &str, time: &Time) -> String {
    let mut text = Text::new();
    put_time(&mut text, name, time);
    text.finish().replace("\r\n ", "").trim_end().to_owned()
}

/// The new start and end of an event that keeps its length.
fn moved(event: &Event, to: &str) -> ToolResult<[Edit; 3]> {
    let utc = Zone::utc();
    let zone = event.start.zone().unwrap_or(&utc);
    let start = time("to", to, zone)?;
    let length = match (&event.start, &start, event.length) {
        (Time::Date(_), Time::Date(_), calendar::Length::Days(days)) => format!("DURATION:P{days}D"),
        (Time::At(..), Time::At(..), calendar::Length::Exact(seconds)) => format!("DURATION:PT{seconds}S"),
        (Time::At(..), Time::At(..), calendar::Length::Nominal { days, seconds }) => {
            format!("DURATION:P{days}DT{seconds}S")
        }
        (Time::Date(_), _, _) => {
            return Err(ToolError::invalid("to", "a whole-day event moves to a day")
                .hint("give a date without a time"));
        }
        _ => return Err(ToolError::invalid("to", "the event has a time: give one too")),
    };
    Ok([
        Edit::set("DTSTART", vec![line("DTSTART", &start)]),
        Edit::set("DTEND", Vec::new()),
        Edit::set("DURATION", vec![length]),
    ])
}

fn read(file: &Path, ctx: &Context) -> ToolResult<(Vec<u8>, Calendar)> {
    let settings = Settings::of(ctx)?;
    let bytes = ctx.read(file, LARGEST)?;
    let calendar = calendar::read(&bytes, None, &bounds::zone(None, &settings)?);
    Ok((bytes, calendar))
}

/// Moves.
pub fn relocate(input: &input::Move, ctx: &Context) -> ToolResult<Written> {
    let (source, calendar) = read(&input.file, ctx)?;
    let target = Target::find(&source, &calendar, &input.uid, &input.file)?;
    let bytes = match &input.instance {
        None if target.master.recurs() => {
            return Err(ToolError::invalid("instance", "the event is a series")
                .hint("say which instance is meant with --instance; a whole series is better made anew"));
        }
        None => {
            let (_, component) = target.component(target.master)?;
            let mut edits = revision(target.master, ctx);
            edits.extend(moved(target.master, &input.to)?);
            let text = changed(&source, component, &edits);
            (replaced(&source, component, &text), text)
        }
        Some(text) => {
            let instance = target.instance(text)?;
            one_moved(&target, &instance, &input.to, ctx)?
        }
    };
    finish(&input.file, &input.output, &input.uid, "moved", bytes, ctx)
}

/// One instance at another time: a change of its own beside the series, or the one there is, changed.
fn one_moved(
    target: &Target<'_>,
    instance: &Time,
    to: &str,
    ctx: &Context,
) -> ToolResult<(Vec<u8>, Vec<u8>)> {
    if let Some(known) = target.change_of(instance) {
        let (_, component) = target.component(known)?;
        let mut edits = revision(known, ctx);
        edits.extend(moved(known, to)?);
        let text = changed(target.source, component, &edits);
        return Ok((replaced(target.source, component, &text), text));
    }
    let (outer, component) = target.component(target.master)?;
    let mut edits = revision(target.master, ctx);
    edits.extend(moved(target.master, to)?);
    edits.push(Edit::set("RECURRENCE-ID", vec![line("RECURRENCE-ID", instance)]));
    for name in ["RRULE", "RDATE", "EXDATE", "EXRULE"] {
        edits.push(Edit::set(name, Vec::new()));
    }
    let mut text = changed(target.source, component, &edits);
    if !text.ends_with(b"\n") {
        text.extend_from_slice(b"\r\n");
    }
    let names_zone = |part: &Component| part.name == "VTIMEZONE";
    let mut added = Vec::new();
    if !outer.parts.iter().any(names_zone) {
        added.extend_from_slice(zone_texts(instance).as_bytes());
    }
    added.extend_from_slice(&text);
    Ok((inserted(target.source, outer, &added), text))
}

/// Calls off.
pub fn call_off(input: &input::Cancel, ctx: &Context) -> ToolResult<Written> {
    let (source, calendar) = read(&input.file, ctx)?;
    let target = Target::find(&source, &calendar, &input.uid, &input.file)?;
    let bytes = match &input.instance {
        None => all_off(&target, ctx)?,
        Some(text) if target.master.recurs() => {
            let instance = target.instance(text)?;
            one_out(&target, &instance, ctx)?
        }
        Some(_) => {
            return Err(ToolError::invalid("instance", "the event is no series")
                .hint("leave --instance out to call it off"));
        }
    };
    finish(&input.file, &input.output, &input.uid, "cancelled", bytes, ctx)
}

/// The event and every changed instance of it marked.
fn all_off(target: &Target<'_>, ctx: &Context) -> ToolResult<(Vec<u8>, Vec<u8>)> {
    let mut events: Vec<&Event> = vec![target.master];
    events.extend(&target.series.changed);
    // From the end on, so that the places of those before stay right.
    events.sort_by_key(|event| std::cmp::Reverse(event.line));
    let (mut bytes, mut shown) = (target.source.to_vec(), Vec::new());
    for event in events {
        let (_, component) = target.component(event)?;
        let mut edits = revision(event, ctx);
        edits.push(Edit::set("STATUS", vec!["STATUS:CANCELLED".to_owned()]));
        let text = changed(target.source, component, &edits);
        bytes = replaced(&bytes, component, &text);
        shown.splice(0..0, text);
    }
    Ok((bytes, shown))
}

/// One instance taken out: marked at its own change where it has one, else excepted from the series.
fn one_out(target: &Target<'_>, instance: &Time, ctx: &Context) -> ToolResult<(Vec<u8>, Vec<u8>)> {
    if let Some(known) = target.change_of(instance) {
        let (_, component) = target.component(known)?;
        let mut edits = revision(known, ctx);
        edits.push(Edit::set("STATUS", vec!["STATUS:CANCELLED".to_owned()]));
        let text = changed(target.source, component, &edits);
        return Ok((replaced(target.source, component, &text), text));
    }
    let (_, component) = target.component(target.master)?;
    let mut edits = revision(target.master, ctx);
    // Those there are stay as they stand; each line can have a zone of its own.
    let mut lines: Vec<String> = component
        .all("EXDATE")
        .map(|line| {
            let raw = String::from_utf8_lossy(&target.source[line.bytes.clone()]).into_owned();
            unfolded(&raw)
        })
        .collect();
    lines.push(line("EXDATE", instance));
    edits.push(Edit::set("EXDATE", lines));
    let text = changed(target.source, component, &edits);
    Ok((replaced(target.source, component, &text), text))
}

fn unfolded(raw: &str) -> String {
    raw.replace("\r\n", "\n")
        .replace("\n ", "")
        .replace("\n\t", "")
        .trim_end()
        .to_owned()
}

fn finish(
    file: &Path,
    output: &Path,
    uid: &str,
    done: &str,
    (bytes, text): (Vec<u8>, Vec<u8>),
    ctx: &Context,
) -> ToolResult<Written> {
    write(output, Some(file), &bytes, ctx)?;
    Ok(Written {
        output: output.display().to_string(),
        uid: uid.to_owned(),
        done: done.to_owned(),
        text: String::from_utf8_lossy(&text).into_owned(),
    })
}
