//! Compares what two sides did, and takes away what is noise.

mod content;
mod files;
mod http;
mod mail;
mod sequence;
mod sql;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    case::Class,
    far_side::REDACTED,
    normalise::Normaliser,
    redact,
    seen::{Exit, Seen},
    stderr::StderrClass,
};

pub(crate) use mail::decoded;
pub use sql::table_value;

/// One difference: where, what kind, and both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Divergence {
    /// Where: `exit`, `stdout:3:2` (line, word), `file out.json$.total`, `http[1].query.page`.
    pub place: String,
    /// What kind of difference.
    pub what: String,
    /// The replaced script's.
    pub control: Value,
    /// The tool's.
    pub candidate: Value,
}

/// How closely the sides must agree.
#[derive(Clone, Debug)]
pub struct Rules {
    pub class: Class,
    pub normalise: Vec<Normaliser>,
    /// Whether requests may come in any order (a tool that asks in parallel).
    pub any_order: bool,
    /// Whether only the last line of stdout counts: a dispatcher's answer, after whatever its tools printed.
    pub envelope: bool,
    /// How many times as long as the control the candidate may take.
    pub max_slowdown: f64,
}

/// Slower by less than this says nothing: programs start, machines are busy.
const UNNOTICED: std::time::Duration = std::time::Duration::from_secs(1);

/// A candidate that takes much longer than its control.
fn slower(control: &Seen, candidate: &Seen, rules: &Rules, found: &mut Found) {
    let allowed = control.took.mul_f64(rules.max_slowdown.clamp(0.0, 1e6)) + UNNOTICED;
    // A recording has no time.
    if !control.took.is_zero() && candidate.took > allowed {
        found.add(
            "time",
            "slower than `--max-slowdown` allows",
            json!(format!("{:.1} s", control.took.as_secs_f64())),
            json!(format!("{:.1} s", candidate.took.as_secs_f64())),
        );
    }
}

impl Rules {
    /// Semantic comparison forgives line ends and trailing blanks by itself.
    fn normalisers(&self) -> Vec<Normaliser> {
        let mut all = self.normalise.clone();
        if self.class == Class::Semantic {
            all.extend([Normaliser::LineEnds, Normaliser::TrailingBlanks]);
        }
        all
    }

    fn text(&self, text: &str) -> String {
        crate::normalise::normalised(text, &self.normalisers())
    }
}

/// Collects differences.
#[derive(Debug, Default)]
struct Found(Vec<Divergence>);

impl Found {
    fn add(&mut self, place: impl Into<String>, what: &str, control: Value, candidate: Value) {
        self.0.push(Divergence {
            place: place.into(),
            what: what.to_owned(),
            control,
            candidate,
        });
    }
}

/// All differences between two sides, in a fixed order.
pub fn compare(control: &Seen, candidate: &Seen, rules: &Rules) -> Vec<Divergence> {
    let mut found = Found::default();
    if control.exit != candidate.exit {
        found.add(
            "exit",
            "ended differently",
            json!(control.exit.to_string()),
            json!(candidate.exit.to_string()),
        );
    }
    if matches!(candidate.exit, Exit::NotStarted(_)) {
        return found.0;
    }
    stdout(control, candidate, rules, &mut found);
    beyond(control, candidate, &mut found);
    stderr(control, candidate, &mut found);
    files::compare(&control.files, &candidate.files, rules, &mut found);
    files::written(control, candidate, &mut found);
    http::compare(&control.requests, &candidate.requests, rules, &mut found);
    sql::compare(&control.tables, &candidate.tables, rules, &mut found);
    mail::compare(&control.mails, &candidate.mails, rules, &mut found);
    slower(control, candidate, rules, &mut found);
    found.0.iter_mut().for_each(hide_secrets);
    found.0
}

/// Secrets are compared, but only told apart by a fingerprint.
fn hide_secrets(found: &mut Divergence) {
    let name = found.place.rsplit(['.', '$']).next().unwrap_or_default();
    if redact::is_secret(name) {
        for value in [&mut found.control, &mut found.candidate] {
            if !value.is_null() {
                let hash = <sha2::Sha256 as sha2::Digest>::digest(value.to_string());
                *value = json!(format!("{REDACTED} (fingerprint {})", hex::encode(&hash[..3])));
            }
        }
    } else if name == "query" {
        for value in [&mut found.control, &mut found.candidate] {
            *value = json!(redact::query(value.as_str().unwrap_or_default()));
        }
    }
}

/// What is too long to be held is compared as it is: equal bytes, or a difference. Only stdout; of stderr it is the
/// sort of what is said that counts.
fn beyond(control: &Seen, candidate: &Seen, found: &mut Found) {
    let (a, b) = (&control.beyond[0], &candidate.beyond[0]);
    if a == b {
        return;
    }
    let told = |side: &Option<(u64, String)>, held: usize| match side {
        Some((bytes, _)) => json!(format!("{bytes} bytes")),
        None => json!(format!("{held} bytes")),
    };
    found.add(
        "stdout beyond the first 16 MiB",
        "differs, or differs in what would be forgiven; it is compared byte for byte",
        told(a, control.stdout.len()),
        told(b, candidate.stdout.len()),
    );
}

fn stdout(control: &Seen, candidate: &Seen, rules: &Rules, found: &mut Found) {
    if !rules.envelope {
        return content::compare("stdout", &control.stdout, &candidate.stdout, rules, found);
    }
    // Whoever called the dispatcher parses its answer, so key order and escaping never mattered.
    let by_value = Rules {
        class: match rules.class {
            Class::Exact => Class::Normalised,
            class => class,
        },
        ..rules.clone()
    };
    let (a, b) = (envelope(&control.stdout), envelope(&candidate.stdout));
    content::compare("stdout", a, b, &by_value, found);
}

/// A dispatcher's answer: the last line that is not blank, where that is an object, else everything.
pub fn envelope(stdout: &[u8]) -> &[u8] {
    let text = stdout.trim_ascii();
    let begin = text
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    let last = text[begin..].trim_ascii_start();
    match serde_json::from_slice::<serde_json::Map<String, Value>>(last) {
        Ok(_) => last,
        Err(_) => stdout,
    }
}

/// The wording is free; whether a side tells an error is not.
fn stderr(control: &Seen, candidate: &Seen, found: &mut Found) {
    let classes = (
        StderrClass::of(&control.stderr),
        StderrClass::of(&candidate.stderr),
    );
    if StderrClass::agree((classes.0, &control.exit), (classes.1, &candidate.exit)) {
        return;
    }
    let told = |class: StderrClass, text: &[u8]| {
        let (class, line) = (class.as_str(), first_line(text));
        let line = line.strip_prefix(&format!("{class}: ")).unwrap_or(&line);
        json!(format!("{class}: {line}").trim_end_matches([':', ' ']))
    };
    found.add(
        "stderr",
        "speaks differently",
        told(classes.0, &control.stderr),
        told(classes.1, &candidate.stderr),
    );
}

fn first_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.trim()
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(200)
        .collect()
}

/// Divides differences into those that count and those that two runs of the control show as well.
pub fn without_noise(
    differences: Vec<Divergence>,
    noise: &[Divergence],
) -> (Vec<Divergence>, Vec<Divergence>) {
    differences
        .into_iter()
        .partition(|found| !noise.iter().any(|n| covers(&n.place, &found.place)))
}

/// Whether `inner` is `outer` or lies within it.
fn covers(outer: &str, inner: &str) -> bool {
    inner
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', ':', '$']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_is_the_last_line_or_there_is_none() {
        assert_eq!(envelope(b"working\n{\"a\": 1}\r\n\n"), b"{\"a\": 1}");
        for none in ["{\n \"a\": 1\n}\n", "1\n2", " \n", "{\"a\": 1}\ndone"] {
            assert_eq!(envelope(none.as_bytes()), none.as_bytes());
        }
    }

    #[test]
    fn noise_covers_its_place_and_what_lies_within() {
        assert!(covers("stdout:3", "stdout:3:2"));
        assert!(covers("stdout$.a", "stdout$.a.b"));
        assert!(!covers("stdout:3", "stdout:31"));
        assert!(!covers("stdout$.a.b", "stdout$.a"));
        assert!(!covers("file a", "file ab"));
    }
}
