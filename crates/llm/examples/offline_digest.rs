//! Chooses sentences from made-up chat lines and prints how long that took: `offline_digest [LINES]`. For `scripts/bench`.

#![expect(clippy::print_stdout, reason = "a measurement, not a tool")]

use std::time::Instant;

use llm::offline::{Quota, Source, choose};

const WORDS: [&str; 24] = [
    "release",
    "server",
    "релиз",
    "сервер",
    "база",
    "тесты",
    "budget",
    "invoice",
    "счёт",
    "клиент",
    "договор",
    "meeting",
    "завтра",
    "Thursday",
    "отчёт",
    "deploy",
    "ошибка",
    "лог",
    "review",
    "правки",
    "дизайн",
    "макет",
    "звонок",
    "оплата",
];

fn main() {
    let lines: usize = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(50_000);
    // A fixed sequence (the multiplier of Knuth's MMIX), so that every machine chooses from the same lines.
    let mut state = 1_u64;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let texts: Vec<String> = (0..lines)
        .map(|_| {
            let count = 4 + next(14);
            let words: Vec<String> = (0..count)
                .map(|_| match next(3) {
                    0 => format!("w{}", next(8_000)),
                    _ => WORDS[next(WORDS.len())].to_owned(),
                })
                .collect();
            words.join(" ") + "."
        })
        .collect();
    let days: Vec<String> = (0..lines)
        .map(|line| format!("day {}", line * 30 / lines.max(1)))
        .collect();
    let sources: Vec<Source<'_>> = texts
        .iter()
        .zip(&days)
        .map(|(text, day)| Source {
            text,
            day,
            thread: "",
        })
        .collect();
    let begun = Instant::now();
    let quota = Quota {
        sentences: 40,
        per_day: 5,
        per_thread: 40,
    };
    let chosen = choose(&sources, quota);
    let took = begun.elapsed();
    let places: Vec<usize> = chosen.iter().map(|c| c.source).collect();
    println!(
        "{lines} lines: {} sentences in {:.2} s, first {:?}",
        chosen.len(),
        took.as_secs_f64(),
        &places[..places.len().min(5)]
    );
}
