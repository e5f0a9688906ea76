//! From calendars to what takes place in a range.

use std::collections::HashSet;

use app_core::{Context, ToolResult};
use calendar::{Limits, Moment, Occurrence, Origin, Series, Window, Zone, group};

use crate::{
    bounds::{self, Start},
    input::{self, DstGap},
    model::{Basis, Finding},
    settings::Settings,
    sources::{self, Reading, Source},
};

/// Occurrences held at most, over all calendars.
const MOST: usize = 200_000;

/// How a range of calendars is looked at.
#[derive(Clone, Debug)]
pub struct View {
    /// Zone of days.
    pub zone: Zone,
    reading: Reading,
    gap: calendar::DstGap,
}

impl View {
    /// From what the caller says.
    pub fn new(
        zone: Option<&str>,
        floating: Option<&str>,
        gap: DstGap,
        settings: &Settings,
    ) -> ToolResult<Self> {
        let zone = bounds::zone(zone, settings)?;
        let floating = floating.map(|name| bounds::named("floating", name)).transpose()?;
        Ok(Self {
            reading: Reading {
                floating,
                fallback: zone.clone(),
            },
            zone,
            gap: gap.into(),
        })
    }

    /// Reads calendars.
    pub async fn read(&self, names: &[String], ctx: &Context) -> ToolResult<Vec<Source>> {
        sources::read(names, &self.reading, ctx).await
    }
}

impl input::Range {
    /// How calendars are looked at, and when; what is not said begins and lasts as `unsaid` tells, in days.
    pub fn seen(
        &self,
        unsaid: (Start, i64),
        settings: &Settings,
        ctx: &Context,
    ) -> ToolResult<(View, Window)> {
        let view = View::new(
            self.zone.as_deref(),
            self.floating.as_deref(),
            self.dst_gap,
            settings,
        )?;
        let window = bounds::window(self.from.as_deref(), self.to.as_deref(), unsaid, &view.zone, ctx)?;
        Ok((view, window))
    }
}

/// The calendars that were asked for, or else those of the settings, and how they are looked at.
pub async fn opened(
    calendars: &input::Calendars,
    unsaid: (Start, i64),
    ctx: &Context,
) -> ToolResult<(View, Window, Vec<Source>)> {
    let settings = Settings::of(ctx)?;
    let (view, window) = calendars.range.seen(unsaid, &settings, ctx)?;
    let sources = view.read(&settings.sources(&calendars.sources)?, ctx).await?;
    Ok((view, window, sources))
}

/// An occurrence and the calendar it stands in.
#[derive(Clone, Debug)]
pub struct Found<'a> {
    /// The calendar's name.
    pub source: &'a str,
    /// What takes place.
    pub occurrence: Occurrence<'a>,
    /// When it begins, in seconds since 1970; days begin at midnight in the zone of the view.
    pub from: i64,
    /// When it is over.
    pub to: i64,
}

/// Everything that takes place in the window, in order, each once however many calendars have it.
pub fn gather<'a>(
    sources: &'a [Source],
    window: &Window,
    view: &View,
    basis: &mut Basis,
    ctx: &Context,
) -> ToolResult<Vec<Found<'a>>> {
    let limits = Limits::default();
    let mut found: Vec<Found<'a>> = Vec::new();
    for source in sources {
        about(source, basis);
        for series in group(&source.calendar.events) {
            ctx.check_cancelled()?;
            let overview = series.occurrences(window, view.gap, &limits);
            let finding = |line: usize, message: String| Finding {
                source: source.name.clone(),
                line,
                uid: uid(&series).to_owned(),
                message,
            };
            let line = series.master.map_or(0, |master| master.line);
            if let Some(cut) = overview.cut {
                basis
                    .missing
                    .push(finding(line, format!("not all of its times are here: {cut}")));
            }
            for orphan in overview.orphans {
                let text = "changes an instance that its series does not have: shown all the same";
                basis.warn(finding(orphan.line, text.to_owned()));
            }
            unknown_zones(&overview.occurrences, |line, message| {
                basis.missing.push(finding(line, message));
            });
            if found.len() + overview.occurrences.len() > MOST {
                basis
                    .missing
                    .push(finding(line, format!("more than {MOST} times in all: left out")));
                continue;
            }
            found.extend(overview.occurrences.into_iter().map(|occurrence| Found {
                source: &source.name,
                from: occurrence.start.seconds(&view.zone),
                to: occurrence.end.seconds(&view.zone),
                occurrence,
            }));
        }
    }
    let mut seen = HashSet::new();
    // The same event often stands in several calendars: of each who takes part in it, for example.
    found.retain(|found| {
        let event = found.occurrence.event;
        event.uid.is_empty() || seen.insert((event.uid.clone(), found.from, found.to, event.title.clone()))
    });
    found.sort_by(|one, two| {
        let day = |found: &Found<'_>| !matches!(found.occurrence.start, Moment::Day(_));
        (one.from, day(one), one.to).cmp(&(two.from, day(two), two.to))
    });
    Ok(found)
}

/// Identity of a series.
pub fn uid<'a>(series: &Series<'a>) -> &'a str {
    series
        .master
        .or_else(|| series.changed.first().copied())
        .map_or("", |event| event.uid.as_str())
}

/// A time in a zone that nobody knows may be wrong by hours: it is shown, and told.
fn unknown_zones(occurrences: &[Occurrence<'_>], mut tell: impl FnMut(usize, String)) {
    let mut told = HashSet::new();
    for occurrence in occurrences {
        let Moment::At { zone, .. } = &occurrence.start else {
            continue;
        };
        if let Origin::Unknown(taken) = zone.origin()
            && told.insert(occurrence.event.line)
        {
            let text = format!("zone `{}` is not known: read in `{taken}`", zone.name());
            tell(occurrence.event.line, text);
        }
    }
}

/// What is to say about a calendar itself.
pub fn about(source: &Source, basis: &mut Basis) {
    let calendar = &source.calendar;
    basis.calendars += 1;
    basis.events_read += calendar.events.len() + calendar.skipped.len();
    let finding = |line: usize, uid: &str, message: &str| Finding {
        source: source.name.clone(),
        line,
        uid: uid.to_owned(),
        message: message.to_owned(),
    };
    if let Some(stale) = &source.stale {
        basis.missing.push(finding(0, "", stale));
    }
    for skipped in &calendar.skipped {
        let text = format!("event left out: {}", skipped.reason.message);
        basis
            .missing
            .push(finding(skipped.reason.line, &skipped.uid, &text));
    }
    for note in &calendar.notes {
        basis.warn(finding(note.line, "", &note.message));
    }
}
