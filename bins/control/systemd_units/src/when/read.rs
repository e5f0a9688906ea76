//! From text to an expression.

use jiff::tz::TimeZone;

use super::{Chain, Part, When};

const DAYS: [(&str, u8); 14] = [
    ("monday", 0),
    ("mon", 0),
    ("tuesday", 1),
    ("tue", 1),
    ("wednesday", 2),
    ("wed", 2),
    ("thursday", 3),
    ("thu", 3),
    ("friday", 4),
    ("fri", 4),
    ("saturday", 5),
    ("sat", 5),
    ("sunday", 6),
    ("sun", 6),
];

pub(super) fn when(text: &str) -> Result<When, String> {
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    let mut when = When::default();
    let mut rest = text;
    if let Some((before, last)) = text.rsplit_once(' ') {
        if last.eq_ignore_ascii_case("UTC") {
            (rest, when.zone) = (before, Some("UTC".to_owned()));
        } else if last.contains(|c: char| c.is_ascii_alphabetic())
            && TimeZone::get(last).is_ok_and(|zone| zone.iana_name() == Some(last))
        {
            (rest, when.zone) = (before, Some(last.to_owned()));
        }
    }
    let at_zero = |chain: &mut Chain| *chain = vec![Part::one(0)];
    if let Some((month, day, weekdays)) = shorthand(&rest.to_ascii_lowercase()) {
        (when.month, when.day, when.weekdays) = (month, day, weekdays);
        at_zero(&mut when.second);
        if !rest.eq_ignore_ascii_case("minutely") {
            at_zero(&mut when.minute);
            if !rest.eq_ignore_ascii_case("hourly") {
                at_zero(&mut when.hour);
            }
        }
        return Ok(when);
    }
    rest = weekdays(&mut when, rest)?;
    rest = date(&mut when, rest)?;
    time(&mut when, rest)?;
    fix_years(&mut when.year);
    Ok(when)
}

/// Months, days of the month and weekdays of the named ones.
fn shorthand(text: &str) -> Option<(Chain, Chain, u8)> {
    let months = |list: &[i64]| list.iter().copied().map(Part::one).collect::<Chain>();
    let first = || vec![Part::one(1)];
    Some(match text {
        "minutely" | "hourly" | "daily" => (Chain::new(), Chain::new(), 0),
        "weekly" => (Chain::new(), Chain::new(), 1),
        "monthly" => (Chain::new(), first(), 0),
        "quarterly" => (months(&[1, 4, 7, 10]), first(), 0),
        "semi-annually" | "semiannually" | "bi-annually" | "biannually" => (months(&[1, 7]), first(), 0),
        "yearly" | "annually" | "anually" => (months(&[1]), first(), 0),
        _ => return None,
    })
}

fn weekdays<'t>(when: &mut When, text: &'t str) -> Result<&'t str, String> {
    let mut rest = text;
    let (mut begun, mut first) = (None, true);
    loop {
        let lower = rest.to_ascii_lowercase();
        let Some((name, day)) = DAYS.iter().find(|(name, _)| lower.starts_with(name)) else {
            return if first {
                Ok(text)
            } else {
                Err("a weekday is missing".to_owned())
            };
        };
        let after = &rest[name.len()..];
        if !after.is_empty() && !after.starts_with(['-', '.', ',', ' ']) {
            return Err(format!("`{name}` is followed by something else"));
        }
        when.weekdays |= 1 << day;
        if let Some(begin) = begun {
            if begin > *day {
                return Err("a range of weekdays goes backwards".to_owned());
            }
            for between in begin..*day {
                when.weekdays |= 1 << between;
            }
        }
        rest = after;
        match rest.as_bytes().first() {
            None => return Ok(rest),
            Some(b' ') => return Ok(rest.trim_start_matches(' ')),
            Some(b'.') => {
                if begun.is_some() || !rest.starts_with("..") {
                    return Err("a range of weekdays is written `Mon..Fri`".to_owned());
                }
                begun = Some(*day);
                rest = &rest[2..];
            }
            Some(b'-') => {
                if begun.is_some() {
                    return Err("a range of weekdays is written `Mon..Fri`".to_owned());
                }
                begun = Some(*day);
                rest = &rest[1..];
            }
            _ => {
                begun = None;
                rest = &rest[1..];
            }
        }
        // A comma at the end is taken, an open range is not.
        if rest.is_empty() || rest.starts_with(' ') {
            return if begun.is_none() {
                Ok(rest.trim_start_matches(' '))
            } else {
                Err("a range of weekdays has no end".to_owned())
            };
        }
        first = false;
    }
}

/// Reads a date if there is one; else the text is a time.
fn date<'t>(when: &mut When, text: &'t str) -> Result<&'t str, String> {
    if text.is_empty() {
        return Ok(text);
    }
    let (first, rest) = chain(text, false)?;
    if rest.is_empty() || rest.starts_with(':') {
        return Ok(text);
    }
    let separated = |when: &mut When, rest: &'t str| match rest.as_bytes().first() {
        Some(b'-') => Ok(&rest[1..]),
        Some(b'~') => {
            when.from_end = true;
            Ok(&rest[1..])
        }
        _ => Err("is not a date".to_owned()),
    };
    let rest = separated(when, rest)?;
    let (second, rest) = chain(rest, false)?;
    if rest.is_empty() || rest.starts_with(' ') {
        (when.month, when.day) = (first, second);
        return Ok(rest.trim_start_matches(' '));
    }
    if when.from_end {
        return Err("`~` stands before the day".to_owned());
    }
    let rest = separated(when, rest)?;
    let (third, rest) = chain(rest, false)?;
    if !rest.is_empty() && !rest.starts_with(' ') {
        return Err("is not a date".to_owned());
    }
    (when.year, when.month, when.day) = (first, second, third);
    Ok(rest.trim_start_matches(' '))
}

fn time(when: &mut When, text: &str) -> Result<(), String> {
    let zero = || vec![Part::one(0)];
    if text.is_empty() {
        (when.hour, when.minute, when.second) = (zero(), zero(), zero());
        return Ok(());
    }
    let wrong = || "is not a time such as `02:30`".to_owned();
    let (hour, rest) = chain(text, false)?;
    let (minute, rest) = chain(rest.strip_prefix(':').ok_or_else(wrong)?, false)?;
    let second = if rest.is_empty() {
        zero()
    } else {
        let (second, rest) = chain(rest.strip_prefix(':').ok_or_else(wrong)?, true)?;
        if !rest.is_empty() {
            return Err(wrong());
        }
        second
    };
    (when.hour, when.minute, when.second) = (hour, minute, second);
    Ok(())
}

/// `*`, or values, ranges and repetitions with commas between. Returns what follows.
fn chain(text: &str, seconds: bool) -> Result<(Chain, &str), String> {
    if let Some(rest) = text.strip_prefix('*') {
        let every = if seconds {
            vec![Part {
                start: 0,
                stop: None,
                repeat: 1_000_000,
            }]
        } else {
            Chain::new()
        };
        return Ok((every, rest));
    }
    let mut chain = Chain::new();
    let mut rest = text;
    loop {
        let (start, after) = number(rest, seconds)?;
        let mut part = Part::one(start);
        rest = after;
        if let Some(after) = rest.strip_prefix("..") {
            let (stop, after) = number(after, seconds)?;
            (part.stop, part.repeat) = (Some(stop), if seconds { 1_000_000 } else { 1 });
            rest = after;
        }
        if let Some(after) = rest.strip_prefix('/') {
            let (repeat, after) = number(after, seconds)?;
            if repeat == 0 {
                return Err("repeats every 0".to_owned());
            }
            part.repeat = repeat;
            rest = after;
        }
        match part.stop {
            Some(stop) if stop < part.start => return Err("a range goes backwards".to_owned()),
            // A range that holds one value is that value.
            Some(stop) if part.start + part.repeat > stop => part = Part::one(part.start),
            _ => {}
        }
        chain.push(part);
        match rest.as_bytes().first() {
            None | Some(b' ' | b'-' | b'~' | b':') => return Ok((chain, rest)),
            Some(b',') => rest = &rest[1..],
            _ => return Err("has a character that belongs nowhere".to_owned()),
        }
    }
}

/// A whole number, or seconds with a fraction as microseconds.
fn number(text: &str, seconds: bool) -> Result<(i64, &str), String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > 9 {
        return Err("a number is missing".to_owned());
    }
    let whole: i64 = text[..digits]
        .parse()
        .map_err(|_| "a number is too large".to_owned())?;
    let mut rest = &text[digits..];
    if !seconds {
        return Ok((whole, rest));
    }
    let mut micros = whole * 1_000_000;
    if rest.starts_with('.') && !rest.starts_with("..") {
        let fraction = &rest[1..];
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Err("a fraction has no digits".to_owned());
        }
        let text: String = fraction[..digits]
            .chars()
            .chain("000000".chars())
            .take(6)
            .collect();
        micros += text
            .parse::<i64>()
            .map_err(|_| "a fraction is no number".to_owned())?;
        rest = &fraction[digits..];
    }
    Ok((micros, rest))
}

/// Years of two digits are those from 1970 to 2069.
fn fix_years(years: &mut Chain) {
    let fix = |year: &mut i64| {
        if *year < 70 {
            *year += 2000;
        } else if *year < 100 {
            *year += 1900;
        }
    };
    for part in years {
        fix(&mut part.start);
        if let Some(stop) = &mut part.stop {
            fix(stop);
        }
    }
}

impl Part {
    pub(super) const fn one(value: i64) -> Self {
        Self {
            start: value,
            stop: None,
            repeat: 0,
        }
    }
}
