//! Reads many pages, prices or addresses in one process, for measuring and comparing: `pages FILE...`, `prices` and
//! `robots FILE` with lines on standard input. One line of JSON for each; the seconds it took on standard error.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::panic,
    reason = "a program for measuring, not a tool"
)]

use std::{io::Read as _, time::Instant};

use structured::{
    price::{self, Hint},
    robots::Robots,
};
use url::Url;

/// How often the prices are read.
const ROUNDS: u32 = 100;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let read = |path: &String| std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut lines = String::new();
    let mut answers: Vec<serde_json::Value> = Vec::new();
    let told = |value: serde_json::Result<serde_json::Value>| value.unwrap_or_default();
    let begun;
    let (mut took, mut rounds) = (None, 1);
    match args.first().map(String::as_str) {
        Some("pages") => {
            let pages: Vec<String> = args[1..]
                .iter()
                .map(|path| String::from_utf8_lossy(&read(path)).into_owned())
                .collect();
            let url = Url::parse("https://shop.example/p/1").ok();
            begun = Instant::now();
            answers.extend(
                pages
                    .iter()
                    .map(|page| told(serde_json::to_value(structured::extract(page, url.as_ref())))),
            );
        }
        Some("prices") => {
            let _ = std::io::stdin().read_to_string(&mut lines);
            let rows: Vec<(&str, Hint)> = lines
                .lines()
                .map(|line| line.split_once('\t').unwrap_or((line, "")))
                .map(|(text, language)| match language {
                    "" => (text, Hint::default()),
                    language => (text, Hint::language(language)),
                })
                .collect();
            // Often enough to be measured.
            begun = Instant::now();
            for _ in 0..ROUNDS {
                for (text, hint) in &rows {
                    std::hint::black_box(price::display(text, hint));
                }
            }
            rounds = ROUNDS;
            took = Some(begun.elapsed());
            answers.extend(
                rows.iter()
                    .map(|(text, hint)| told(serde_json::to_value(price::display(text, hint)))),
            );
        }
        Some("robots") if args.len() == 2 => {
            let _ = std::io::stdin().read_to_string(&mut lines);
            begun = Instant::now();
            let robots = Robots::parse(&read(&args[1]));
            let urls = lines.lines().filter_map(|line| Url::parse(line).ok());
            answers.extend(urls.map(|url| told(serde_json::to_value(robots.verdict("onejob", &url)))));
        }
        _ => panic!("usage: read pages FILE... | prices | robots FILE"),
    }
    eprintln!(
        "{:.6}",
        took.unwrap_or_else(|| begun.elapsed()).as_secs_f64() / f64::from(rounds)
    );
    for answer in answers {
        println!("{answer}");
    }
}
