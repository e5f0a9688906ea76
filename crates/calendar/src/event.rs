//! One event as the file has it: typed, with a note for everything that was guessed.

use jiff::civil::DateTime;

use crate::{
    Note,
    component::Component,
    content::Line,
    days,
    expand::{Bounds, Expansion},
    rule::{Rule, Until},
    value::{self, Time, parse_time, unescape},
    zone::Zones,
};

/// Whether it takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Stated, or nothing stated.
    Confirmed,
    /// Not sure yet.
    Tentative,
    /// Called off.
    Cancelled,
}

/// How long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Seconds that pass, whatever the clock does meanwhile.
    Exact(i64),
    /// Whole days of an event without times.
    Days(i64),
    /// Days by the calendar, then seconds that pass (RFC 5545 3.3.6).
    Nominal {
        /// Days by the calendar.
        days: i64,
        /// Seconds after them.
        seconds: i64,
    },
}

/// An event of a file: single, a series, or a changed instance of one.
#[derive(Clone, Debug)]
pub struct Event {
    /// Identity; empty when the file gives none.
    pub uid: String,
    /// Revision.
    pub sequence: i64,
    /// When it was revised, as text that sorts; empty when the file does not say.
    pub revised: String,
    /// Whether it takes place.
    pub status: Status,
    /// Whether it leaves the time free.
    pub transparent: bool,
    /// Title.
    pub title: String,
    /// Description.
    pub description: String,
    /// Place.
    pub location: String,
    /// Categories.
    pub categories: Vec<String>,
    /// Start of the first instance.
    pub start: Time,
    /// Length of every instance.
    pub length: Length,
    /// Rules of the series.
    pub rules: Vec<Rule>,
    /// Rules of what does not take place (RFC 2445).
    pub except_rules: Vec<Rule>,
    /// Further instances, some with a length of their own.
    pub more: Vec<(Time, Option<Length>)>,
    /// Instances that do not take place.
    pub except: Vec<Time>,
    /// The instance of the series that this one stands for.
    pub recurrence_id: Option<Time>,
    /// Whether it changes the later instances too.
    pub this_and_future: bool,
    /// Whether the end of a rule was read leniently.
    pub until_lenient: bool,
    /// Line of the file where it begins.
    pub line: usize,
    /// What was guessed.
    pub notes: Vec<Note>,
}

impl Event {
    /// Whether it is more than one instance.
    pub fn recurs(&self) -> bool {
        !self.rules.is_empty() || !self.more.is_empty()
    }

    /// Reads a `VEVENT`. The error is why it cannot be shown.
    pub(crate) fn read(component: &Component, zones: &Zones) -> Result<Self, Note> {
        let mut notes = component.broken.clone();
        let line = component
            .get("DTSTART")
            .ok_or_else(|| Note::new(component.line, "there is no DTSTART"))?;
        for single in ["DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "UID"] {
            if let Some(second) = component.all(single).nth(1) {
                notes.push(Note::new(
                    second.number,
                    format!("a second {single}: the first is taken"),
                ));
            }
        }
        let start = time(line, zones, &mut notes)?;
        let length = length(component, &start, zones, &mut notes);
        let text = |name: &str| {
            component
                .get(name)
                .map(|line| unescape(&line.value))
                .unwrap_or_default()
        };
        let word = |name: &str| text(name).trim().to_ascii_uppercase();
        let mut event = Self {
            uid: text("UID").trim().to_owned(),
            sequence: text("SEQUENCE").trim().parse().unwrap_or(0),
            revised: text("LAST-MODIFIED").max(text("DTSTAMP")),
            status: match word("STATUS").as_str() {
                "CANCELLED" | "CANCELED" => Status::Cancelled,
                "TENTATIVE" => Status::Tentative,
                _ => Status::Confirmed,
            },
            transparent: word("TRANSP") == "TRANSPARENT",
            title: text("SUMMARY"),
            description: text("DESCRIPTION"),
            location: text("LOCATION"),
            categories: component
                .all("CATEGORIES")
                .flat_map(|line| value::list(&line.value))
                .collect(),
            start,
            length,
            rules: Vec::new(),
            except_rules: Vec::new(),
            more: Vec::new(),
            except: Vec::new(),
            recurrence_id: None,
            this_and_future: false,
            until_lenient: false,
            line: component.line,
            notes: Vec::new(),
        };
        if event.uid.is_empty() {
            notes.push(Note::new(component.line, "there is no UID"));
        }
        event.recurrence(component, zones, &mut notes)?;
        event.notes = notes;
        Ok(event)
    }

    fn recurrence(
        &mut self,
        component: &Component,
        zones: &Zones,
        notes: &mut Vec<Note>,
    ) -> Result<(), Note> {
        if let Some(line) = component.get("RECURRENCE-ID") {
            self.recurrence_id = Some(time(line, zones, notes)?);
            self.this_and_future = line
                .param("RANGE")
                .is_some_and(|range| range.eq_ignore_ascii_case("THISANDFUTURE"));
        }
        for line in &component.lines {
            match line.name.as_str() {
                "RRULE" | "EXRULE" => {
                    let rule = self.rule(line, notes)?;
                    if self.recurrence_id.is_some() {
                        notes.push(Note::new(line.number, "a rule of a changed instance is left out"));
                    } else if line.name == "RRULE" {
                        self.rules.push(rule);
                    } else {
                        self.except_rules.push(rule);
                    }
                }
                "RDATE" => {
                    for text in line.value.split(',').filter(|text| !text.trim().is_empty()) {
                        self.more.push(more(line, text, zones, notes)?);
                    }
                }
                "EXDATE" => {
                    for text in line.value.split(',').filter(|text| !text.trim().is_empty()) {
                        match parse_time(line, text, zones, notes) {
                            Ok(time) => self.except.push(time),
                            Err(what) => {
                                notes.push(Note::new(line.number, format!("left out: {what}")));
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A rule, its end made fit for the start.
    fn rule(&mut self, line: &Line, notes: &mut Vec<Note>) -> Result<Rule, Note> {
        let told = |what: String| Note::new(line.number, format!("{}: {what}", line.name));
        let mut rule = Rule::parse(&line.value).map_err(told)?;
        let mut lenient = |text: &str| {
            self.until_lenient = true;
            notes.push(Note::new(line.number, text));
        };
        match (&self.start, rule.until) {
            (Time::Date(_), Some(Until::Utc(time) | Until::Local(time))) => {
                lenient("UNTIL has a time though DTSTART is a date: its day taken");
                rule.until = Some(Until::Date(time.date()));
            }
            (Time::At(..), Some(Until::Date(_))) => {
                lenient("UNTIL is a date though DTSTART has a time: whole local day taken");
            }
            (Time::At(_, zone), Some(Until::Local(_)))
                if !matches!(zone.origin(), crate::Origin::Floating(_)) =>
            {
                lenient("UNTIL has no zone: zone of DTSTART taken");
            }
            _ => {}
        }
        if matches!(self.start, Time::Date(_)) {
            let (days, had) = rule.for_days();
            rule = days;
            if had {
                notes.push(told(
                    "times of day have no meaning for whole days: left out".to_owned(),
                ));
            }
            if rule.freq > crate::Freq::Daily {
                return Err(told("whole days cannot recur within a day".to_owned()));
            }
        }
        if line.name == "RRULE" && !meets(&rule, self.start.civil()) {
            notes.push(told(
                "DTSTART is not an instance of it: it is shown, and counted as the first".to_owned(),
            ));
        }
        Ok(rule)
    }
}

/// A further instance: a time, or a period with a length of its own.
fn more(
    line: &Line,
    text: &str,
    zones: &Zones,
    notes: &mut Vec<Note>,
) -> Result<(Time, Option<Length>), Note> {
    let told = |what: String| Note::new(line.number, what);
    let Some((first, second)) = text.split_once('/') else {
        return Ok((parse_time(line, text, zones, notes).map_err(told)?, None));
    };
    let start = parse_time(line, first, zones, notes).map_err(told)?;
    let length = if let Some(span) = value::duration(second) {
        Length::Nominal {
            days: span.days.max(0),
            seconds: span.seconds.max(0),
        }
    } else {
        let end = parse_time(line, second, zones, notes).map_err(told)?;
        between(&start, &end).unwrap_or(Length::Exact(0))
    };
    Ok((start, Some(length)))
}

fn time(line: &Line, zones: &Zones, notes: &mut Vec<Note>) -> Result<Time, Note> {
    parse_time(line, &line.value, zones, notes).map_err(|what| Note::new(line.number, what))
}

/// Whether the rule has an instance at the start itself.
fn meets(rule: &Rule, start: DateTime) -> bool {
    let bounds = Bounds {
        from: start,
        to: start,
        steps: 10,
    };
    Expansion::new(rule, start, &bounds).next() == Some(days::seconds(start))
}

/// From one time to another of its kind; `None` when they are of different kinds.
fn between(start: &Time, end: &Time) -> Option<Length> {
    match (start, end) {
        (Time::Date(start), Time::Date(end)) => Some(Length::Days(days::number(*end) - days::number(*start))),
        (Time::At(start, zone), Time::At(end, other)) => {
            Some(Length::Exact(other.resolve(*end).utc - zone.resolve(*start).utc))
        }
        _ => None,
    }
}

fn length(component: &Component, start: &Time, zones: &Zones, notes: &mut Vec<Note>) -> Length {
    let whole_day = matches!(start, Time::Date(_));
    let none = if whole_day {
        Length::Days(1)
    } else {
        Length::Exact(0)
    };
    let (end, duration) = (component.get("DTEND"), component.get("DURATION"));
    if let (Some(_), Some(line)) = (end, duration) {
        notes.push(Note::new(line.number, "DURATION beside DTEND is left out"));
    }
    let mut note = |line: &Line, text: &str| notes.push(Note::new(line.number, text));
    if let Some(line) = end {
        let mut more = Vec::new();
        let read = parse_time(line, &line.value, zones, &mut more);
        let found = read.as_ref().ok().and_then(|end| between(start, end));
        match (&read, found) {
            (Err(what), _) => note(line, &format!("left out: {what}")),
            (_, None) => note(line, "DTEND is of another kind than DTSTART: left out"),
            (_, Some(Length::Days(0))) => note(line, "DTEND equals DTSTART: one day taken"),
            (_, Some(Length::Days(length) | Length::Exact(length))) if length < 0 => {
                note(line, "DTEND lies before DTSTART: left out");
            }
            (_, Some(length)) => {
                notes.extend(more);
                return length;
            }
        }
        notes.extend(more);
        return none;
    }
    let Some(line) = duration else { return none };
    match value::duration(&line.value) {
        None => note(line, "left out: unreadable DURATION"),
        Some(span) if span.days < 0 || span.seconds < 0 => {
            note(line, "DURATION is negative: left out");
        }
        Some(span) if whole_day && span.seconds > 0 => {
            note(
                line,
                "DURATION has a time though DTSTART is a date: whole days taken",
            );
            return Length::Days((span.days + (span.seconds + days::DAY - 1) / days::DAY).max(1));
        }
        Some(span) if whole_day => return Length::Days(span.days.max(1)),
        Some(span) => {
            return Length::Nominal {
                days: span.days,
                seconds: span.seconds,
            };
        }
    }
    none
}
