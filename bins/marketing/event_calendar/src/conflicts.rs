//! `conflicts` and `check`: events that meet.

use app_core::{Context, ToolError, ToolResult};
use calendar::{Moment, Zone};
use jiff::civil::Weekday;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    bounds::Start,
    gather::{Found, gather, opened},
    input,
    model::{Basis, Event, Finding},
    settings::Settings,
};

/// Pairs listed at most.
const MOST: usize = 10_000;

/// Two events that meet.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Clash {
    /// `overlap`, `same_day`, `holiday` or `weekend`.
    pub kind: String,
    /// The event; with `check` the planned one.
    pub event: Event,
    /// What it meets; nothing for a weekend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<Event>,
    /// Minutes that both take at once.
    pub minutes: i64,
}

/// Events that meet.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Clashes {
    /// Zone that days are counted in.
    pub zone: String,
    /// Events that were compared.
    pub compared: usize,
    /// Pairs that meet, in order.
    #[serde(rename = "clashes")]
    pub found: Vec<Clash>,
    /// The calendars behind it.
    pub basis: Basis,
}

/// Finds overlaps within calendars.
pub async fn conflicts(input: &input::Conflicts, ctx: &Context) -> ToolResult<Clashes> {
    let (view, window, sources) = opened(&input.calendars, (Start::Today, 30), ctx).await?;
    let mut basis = Basis::default();
    let mut found = gather(&sources, &window, &view, &mut basis, ctx)?;
    found.retain(|found| takes_time(found) && (input.all_day || !is_day(found)));
    let mut clashes = Clashes {
        zone: view.zone.name().to_owned(),
        compared: found.len(),
        found: Vec::new(),
        basis,
    };
    for (at, one) in found.iter().enumerate() {
        ctx.check_cancelled()?;
        // In order of their start: those that begin before this one is over.
        for two in found[at + 1..]
            .iter()
            .take_while(|two| two.from < one.to.max(one.from + 1))
        {
            if overlap(one, two).is_some() && clashes.full() {
                return Ok(clashes);
            }
            clashes.note("overlap", one, Some(two));
        }
    }
    Ok(clashes)
}

/// Finds what a plan meets in other calendars and on holidays.
pub async fn check(input: &input::Check, ctx: &Context) -> ToolResult<Clashes> {
    let settings = Settings::of(ctx)?;
    let holidays = input.holidays.clone().or_else(|| settings.holidays.clone());
    if input.against.is_empty() && holidays.is_none() && !input.weekends {
        return Err(
            ToolError::invalid("against", "there is nothing to check the plan against")
                .hint("give --against, --holidays or --weekends"),
        );
    }
    let (view, window) = input.range.seen((Start::Today, 365), &settings, ctx)?;
    let plan = view.read(std::slice::from_ref(&input.plan), ctx).await?;
    let others = view.read(&input.against, ctx).await?;
    let free_days = match &holidays {
        Some(name) => view.read(std::slice::from_ref(name), ctx).await?,
        None => Vec::new(),
    };
    let mut basis = Basis::default();
    let mut planned = gather(&plan, &window, &view, &mut basis, ctx)?;
    planned.retain(|found| !found.occurrence.cancelled);
    let mut others = gather(&others, &window, &view, &mut basis, ctx)?;
    others.retain(takes_time);
    let mut free_days = gather(&free_days, &window, &view, &mut basis, ctx)?;
    free_days.retain(|found| !found.occurrence.cancelled);
    let mut clashes = Clashes {
        zone: view.zone.name().to_owned(),
        compared: planned.len(),
        found: Vec::new(),
        basis,
    };
    for one in &planned {
        ctx.check_cancelled()?;
        for day in free_days.iter().filter(|day| overlap(one, day).is_some()) {
            if clashes.full() {
                return Ok(clashes);
            }
            clashes.add("holiday", one, Some(day));
        }
        for two in others.iter().filter(|two| !same_event(one, two)) {
            let kind = if overlap(one, two).is_some() {
                "overlap"
            } else if input.same_day && shares_day(one, two, &view.zone) {
                "same_day"
            } else {
                continue;
            };
            if clashes.full() {
                return Ok(clashes);
            }
            clashes.add(kind, one, Some(two));
        }
        if input.weekends && on_weekend(one, &view.zone) {
            if clashes.full() {
                return Ok(clashes);
            }
            clashes.add("weekend", one, None);
        }
    }
    Ok(clashes)
}

impl Clashes {
    /// Whether there is no room for more; then that is said.
    fn full(&mut self) -> bool {
        if self.found.len() < MOST {
            return false;
        }
        self.basis.missing.push(Finding {
            source: String::new(),
            line: 0,
            uid: String::new(),
            message: format!("more than {MOST} pairs meet: the rest is not listed"),
        });
        true
    }

    fn note(&mut self, kind: &str, one: &Found<'_>, two: Option<&Found<'_>>) {
        if two.is_none_or(|two| overlap(one, two).is_some()) {
            self.add(kind, one, two);
        }
    }

    fn add(&mut self, kind: &str, one: &Found<'_>, two: Option<&Found<'_>>) {
        self.found.push(Clash {
            kind: kind.to_owned(),
            event: Event::of(&one.occurrence, one.source),
            with: two.map(|two| Event::of(&two.occurrence, two.source)),
            minutes: two.and_then(|two| overlap(one, two)).unwrap_or(0) / 60,
        });
    }
}

/// The failure of a run that found something.
pub fn met(clashes: &Clashes, output: &impl Serialize) -> Option<ToolError> {
    let first = clashes.found.first()?;
    let count = clashes.found.len();
    let with = first
        .with
        .as_ref()
        .map_or("a weekend", |with| with.title.as_str());
    let message = format!(
        "{count} {}, the first: `{}` and `{with}`",
        if count == 1 { "clash" } else { "clashes" },
        first.event.title
    );
    Some(ToolError::partial(message, output).code("clashes"))
}

fn is_day(found: &Found<'_>) -> bool {
    matches!(found.occurrence.start, Moment::Day(_))
}

fn takes_time(found: &Found<'_>) -> bool {
    !found.occurrence.cancelled && !found.occurrence.event.transparent
}

/// Seconds that both take at once; 0 where one of them is a moment within the other. `None` when they do not meet.
fn overlap(one: &Found<'_>, two: &Found<'_>) -> Option<i64> {
    let (from, to) = (one.from.max(two.from), one.to.min(two.to));
    let moment = |found: &Found<'_>| found.from == found.to;
    match to - from {
        both if both > 0 => Some(both),
        // A moment meets what begins then or is under way, not what has just ended.
        0 if moment(one) && (two.to > one.from || moment(two)) => Some(0),
        0 if moment(two) && (one.to > two.from || moment(one)) => Some(0),
        _ => None,
    }
}

/// Whether both are the same event, which stands in two calendars.
fn same_event(one: &Found<'_>, two: &Found<'_>) -> bool {
    let uid = &one.occurrence.event.uid;
    !uid.is_empty() && *uid == two.occurrence.event.uid
}

/// First and last day of an event.
fn days(found: &Found<'_>, zone: &Zone) -> Option<(jiff::civil::Date, jiff::civil::Date)> {
    let last = (found.to - 1).max(found.from);
    Some((zone.civil_at(found.from)?.date(), zone.civil_at(last)?.date()))
}

fn shares_day(one: &Found<'_>, two: &Found<'_>, zone: &Zone) -> bool {
    match (days(one, zone), days(two, zone)) {
        (Some(one), Some(two)) => one.0 <= two.1 && two.0 <= one.1,
        _ => false,
    }
}

fn on_weekend(found: &Found<'_>, zone: &Zone) -> bool {
    let Some((first, last)) = days(found, zone) else {
        return false;
    };
    let mut day = first;
    // Seven days have every day of the week.
    for _ in 0..7 {
        if matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
            return true;
        }
        match day.tomorrow() {
            Ok(next) if next <= last => day = next,
            _ => return false,
        }
    }
    true
}
