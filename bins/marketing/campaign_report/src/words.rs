//! Names, times, sizes and states in the words of a report.

use jiff::Timestamp;

/// `spring_sale-2026` as `Spring sale 2026`; a name that is written for people stays.
pub fn titled(name: &str) -> String {
    if name.contains(' ') || !name.contains(['-', '_']) && name.chars().any(char::is_uppercase) {
        return name.to_owned();
    }
    let words = name.replace(['-', '_'], " ");
    let mut letters = words.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// First letter upper, rest lower.
pub fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first
            .to_uppercase()
            .chain(chars.flat_map(char::to_lowercase))
            .collect()
    })
}

/// `2026-03-02T09:00:00.123Z` as `2 March 2026, 09:00 UTC`; what is no time stays.
pub fn minute(text: &str) -> String {
    shown(text, "%-d %B %Y, %H:%M UTC")
}

/// `2026-03-02T09:00:00.123Z` as `2 March 2026`; what is no time stays.
pub fn day(text: &str) -> String {
    shown(text, "%-d %B %Y")
}

fn shown(text: &str, format: &str) -> String {
    text.parse::<Timestamp>()
        .map_or_else(|_| text.to_owned(), |at| at.strftime(format).to_string())
}

/// The state of a whole run for people who were not there.
pub fn state(status: &str) -> String {
    match status {
        "succeeded" => "Finished".to_owned(),
        "waiting_for_approval" => "Waiting for approval".to_owned(),
        "running" => "In progress".to_owned(),
        "failed" => "Not finished: a step failed".to_owned(),
        "rejected" => "Rejected".to_owned(),
        "cancelled" => "Stopped".to_owned(),
        other => capitalised(&non_empty(other, "unknown").replace('_', " ")),
    }
}

/// How a state is coloured.
pub fn tone(status: &str) -> &'static str {
    match status {
        "succeeded" | "ok" | "success" | "done" | "reused" => "good",
        "failed" | "error" | "timed_out" | "cancelled" | "rejected" => "bad",
        "waiting" | "waiting_for_approval" | "running" | "queued" | "partial" | "planned" => "wait",
        _ => "",
    }
}

/// The text, or another one when it says nothing.
pub fn non_empty(text: &str, otherwise: &str) -> String {
    if text.trim().is_empty() {
        otherwise.to_owned()
    } else {
        text.to_owned()
    }
}

/// `$0`, `$0.0123`.
pub fn money(dollars: f64) -> String {
    if dollars == 0.0 {
        "$0".to_owned()
    } else {
        format!("${dollars:.4}")
    }
}

/// `850 ms`, `4.2 s`, `3 min 5 s`.
pub fn human_millis(millis: u64) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{:.1} s", millis as f64 / 1e3),
        _ => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1_000),
    }
}

/// `512 B`, `1.4 kB`, `3.0 MB`.
pub fn human_bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_times_are_for_people() {
        assert_eq!(titled("spring_sale-2026"), "Spring sale 2026");
        assert_eq!(titled("Quillmoss spring table"), "Quillmoss spring table");
        assert_eq!(minute("2026-03-02T09:00:01.5Z"), "2 March 2026, 09:00 UTC");
        assert_eq!(day("2026-03-02T09:00:01.5Z"), "2 March 2026");
        assert_eq!(state("waiting_for_approval"), "Waiting for approval");
        assert_eq!(state(""), "Unknown");
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(human_millis(850), "850 ms");
        assert_eq!(human_millis(185_400), "3 min 5 s");
        assert_eq!(human_bytes(1_400), "1.4 kB");
        assert_eq!(money(0.0123), "$0.0123");
    }
}
