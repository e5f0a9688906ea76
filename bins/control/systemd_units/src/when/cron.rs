//! What people bring from crontabs, in systemd's words.

use super::When;

/// The expression that says the same as a line of a crontab, or as `@daily`; `None` for anything else, and for what
/// no single expression can say (a day of the month *or* a weekday).
pub(crate) fn translated(text: &str) -> Option<String> {
    let named = match text {
        "@hourly" => "hourly",
        "@daily" | "@midnight" => "daily",
        "@weekly" => "Sun *-*-* 00:00:00",
        "@monthly" => "monthly",
        "@yearly" | "@annually" => "yearly",
        _ => "",
    };
    if !named.is_empty() {
        return Some(named.to_owned());
    }
    let fields: Vec<_> = text.split_ascii_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields[..] else {
        return None;
    };
    if day != "*" && weekday != "*" {
        return None;
    }
    let weekdays = if weekday == "*" {
        String::new()
    } else {
        format!("{} ", days(weekday)?)
    };
    let (minute, hour) = (numbers(minute, 0, true)?, numbers(hour, 0, true)?);
    let (day, month) = (numbers(day, 1, true)?, numbers(month, 1, true)?);
    let expression = format!("{weekdays}*-{month}-{day} {hour}:{minute}:00");
    When::parse(&expression).ok().map(|_| expression)
}

/// `*`, `5`, `1-5`, `*/15`, `1,2`; two digits, as systemd prints them.
fn numbers(field: &str, first: u8, padded: bool) -> Option<String> {
    if field == "*" {
        return Some("*".to_owned());
    }
    let show = |text: &str| -> Option<String> {
        let number: u8 = text.parse().ok()?;
        Some(if padded {
            format!("{number:02}")
        } else {
            number.to_string()
        })
    };
    let part = |part: &str| -> Option<String> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step.parse::<u8>().ok()?)),
            None => (part, None),
        };
        let range = match range.split_once('-') {
            Some((from, to)) => format!("{}..{}", show(from)?, show(to)?),
            None if range == "*" => show(&first.to_string())?,
            None => show(range)?,
        };
        Some(match step {
            Some(step) => format!("{range}/{step}"),
            None => range,
        })
    };
    let parts: Option<Vec<_>> = field.split(',').map(part).collect();
    Some(parts?.join(","))
}

/// Weekdays by number (0 and 7 are Sunday) or name.
fn days(field: &str) -> Option<String> {
    const NAMES: [&str; 8] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let name = |text: &str| -> Option<usize> {
        if let Ok(number) = text.parse::<usize>() {
            return (number < NAMES.len()).then_some(number);
        }
        NAMES.iter().position(|name| name.eq_ignore_ascii_case(text))
    };
    let part = |part: &str| -> Option<String> {
        match part.split_once('-') {
            // systemd's week begins on Monday: a range from Sunday is two.
            Some((from, to)) => {
                let (from, to) = (name(from)?, name(to)?);
                if from == 0 && to > 0 {
                    return Some(if to == 1 {
                        "Sun,Mon".to_owned()
                    } else {
                        format!("Sun,Mon..{}", NAMES[to])
                    });
                }
                (from < to).then(|| format!("{}..{}", NAMES[from], NAMES[to]))
            }
            None => name(part).map(|day| NAMES[day].to_owned()),
        }
    };
    let parts: Option<Vec<_>> = field.split(',').map(part).collect();
    Some(parts?.join(","))
}
