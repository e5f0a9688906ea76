//! `lint`: what is wrong with calendars.

use app_core::{Context, ToolError, ToolResult};
use calendar::{Limits, Origin, Time, Window, group};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    gather::{self, View},
    input,
    list::told,
    model::{Basis, Finding},
    settings::Settings,
    sources::Source,
};

/// What is wrong.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Linted {
    /// Calendars read.
    pub calendars: usize,
    /// Events in them.
    pub events: usize,
    /// Events that cannot be read, or whose times are uncertain.
    pub errors: Vec<Finding>,
    /// What programs may read in different ways, and how it was read here.
    pub warnings: Vec<Finding>,
}

/// Looks for mistakes.
pub async fn lint(input: &input::Lint, ctx: &Context) -> ToolResult<Linted> {
    let settings = Settings::of(ctx)?;
    let view = View::new(None, input.floating.as_deref(), input::DstGap::Shift, &settings)?;
    let sources = view.read(&settings.sources(&input.sources)?, ctx).await?;
    let mut basis = Basis::default();
    for source in &sources {
        gather::about(source, &mut basis);
        zones(source, &mut basis);
        series(source, &mut basis, ctx)?;
    }
    let by_line = |one: &Finding, two: &Finding| (&one.source, one.line).cmp(&(&two.source, two.line));
    basis.warnings.sort_by(by_line);
    basis.missing.sort_by(by_line);
    if basis.more_warnings > 0 {
        let message = format!("{} more warnings", basis.more_warnings);
        basis.warnings.push(Finding {
            source: String::new(),
            line: 0,
            uid: String::new(),
            message,
        });
    }
    let linted = Linted {
        calendars: basis.calendars,
        events: basis.events_read,
        errors: basis.missing,
        warnings: basis.warnings,
    };
    Ok(linted)
}

/// The failure of a run that found mistakes.
pub fn mistakes(linted: &Linted, input: &input::Input, output: &impl Serialize) -> Option<ToolError> {
    let strict = matches!(input, input::Input::Lint(lint) if lint.strict);
    let first = match linted.errors.first() {
        Some(first) => first,
        None if strict => linted.warnings.first()?,
        None => return None,
    };
    let message = format!(
        "{} errors and {} warnings, the first: {}",
        linted.errors.len(),
        linted.warnings.len(),
        told(first)
    );
    Some(ToolError::partial(message, output).code("mistakes"))
}

/// Zones that are unknown or had to be guessed.
fn zones(source: &Source, basis: &mut Basis) {
    for event in &source.calendar.events {
        let Time::At(_, zone) = &event.start else { continue };
        let finding = |message: String| Finding {
            source: source.name.clone(),
            line: event.line,
            uid: event.uid.clone(),
            message,
        };
        match zone.origin() {
            Origin::Unknown(taken) => basis.missing.push(finding(format!(
                "zone `{}` is not known: read in `{taken}`",
                zone.name()
            ))),
            Origin::Windows(taken) => basis.warn(finding(format!(
                "zone `{}` is a name of Windows without VTIMEZONE: read as `{taken}`",
                zone.name()
            ))),
            Origin::Floating(taken) => {
                basis.warn(finding(format!("the time names no zone: read in `{taken}`")));
            }
            Origin::Utc | Origin::File | Origin::Database => {}
        }
    }
}

/// Revisions that do not count, and changes of instances that do not exist.
fn series(source: &Source, basis: &mut Basis, ctx: &Context) -> ToolResult<()> {
    let limits = Limits::default();
    for series in group(&source.calendar.events) {
        ctx.check_cancelled()?;
        let mut warn = |line: usize, message: &str| {
            basis.warn(Finding {
                source: source.name.clone(),
                line,
                uid: gather::uid(&series).to_owned(),
                message: message.to_owned(),
            });
        };
        for event in &series.superseded {
            warn(
                event.line,
                "the same event stands in a later revision: this one does not count",
            );
        }
        if series.master.is_none() {
            if let Some(first) = series.changed.first() {
                warn(first.line, "a changed instance without its series");
            }
            continue;
        }
        for event in &series.changed {
            let Some(window) = around(event.start.date()) else {
                continue;
            };
            let overview = series.occurrences(&window, calendar::DstGap::Shift, &limits);
            if overview.orphans.iter().any(|orphan| orphan.line == event.line) {
                warn(event.line, "changes an instance that its series does not have");
            }
        }
    }
    Ok(())
}

/// A few days around a day.
fn around(day: Date) -> Option<Window> {
    let utc = calendar::Zone::utc();
    let (first, last) = (day.yesterday().ok()?, day.tomorrow().ok()?);
    Some(Window {
        from: utc.resolve(first.at(0, 0, 0, 0)).utc,
        to: utc.resolve(last.tomorrow().ok()?.at(0, 0, 0, 0)).utc,
        first,
        last,
    })
}
