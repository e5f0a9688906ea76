//! The declared normalisers: each names one thing that may differ, and hides nothing else.

use std::sync::LazyLock;

use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing that may differ. Nothing is hidden unless it is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Normaliser {
    /// Dates with times, ISO 8601 and as in mail.
    Timestamp,
    /// Seconds or milliseconds since 1970.
    Epoch,
    /// UUIDs.
    Uuid,
    /// Absolute paths: the last name is kept.
    Cwd,
    /// Port numbers of this machine.
    Port,
    /// Numbers with a unit of time.
    Duration,
    /// Hexadecimal digests of 32 digits and more.
    Hash,
    /// Carriage returns before line ends.
    LineEnds,
    /// Blanks at line ends and empty lines at the end.
    TrailingBlanks,
}

type Rules = Vec<(Regex, &'static str)>;

static RULES: LazyLock<Vec<(Normaliser, Rules)>> = LazyLock::new(|| {
    use Normaliser as N;
    let patterns: [(N, &[(&str, &'static str)]); 9] = [
        (
            N::Timestamp,
            &[
                (
                    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?( ?(Z|UTC|[+-]\d{2}:?\d{2}))?",
                    "{{TIMESTAMP}}",
                ),
                (
                    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), +\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} ([+-]\d{4}|GMT|UTC)",
                    "{{TIMESTAMP}}",
                ),
            ],
        ),
        (N::Epoch, &[(r"\b1[5-9]\d{8}(\d{3}|\.\d+)?\b", "{{EPOCH}}")]),
        (
            N::Uuid,
            &[(
                r"(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
                "{{UUID}}",
            )],
        ),
        (N::Cwd, &[(r#"(^|[\s"'`=(:])(/[\w.@+-]+)+/"#, "${1}{{PATH}}/")]),
        (
            N::Port,
            &[(r"\b(localhost|127\.0\.0\.1|\[::1\]):\d{2,5}\b", "${1}:{{PORT}}")],
        ),
        (
            N::Duration,
            &[(
                r"\b\d+(\.\d+)? ?(ns|µs|us|ms|s|sec|secs|seconds?|min|minutes?|h|hours?)\b",
                "{{DURATION}}",
            )],
        ),
        (N::Hash, &[(r"(?i)\b[0-9a-f]{32,128}\b", "{{HASH}}")]),
        (N::LineEnds, &[(r"\r+\n", "\n")]),
        (N::TrailingBlanks, &[(r"[ \t]+(\r?\n|$)", "$1"), (r"\s+$", "")]),
    ];
    patterns
        .into_iter()
        .map(|(name, rules)| {
            let compiled = rules
                .iter()
                // The patterns are constants; a test compiles every one.
                .filter_map(|(pattern, with)| Some((Regex::new(pattern).ok()?, *with)));
            (name, compiled.collect())
        })
        .collect()
});

/// The text with every declared thing replaced by its name.
pub fn normalised(text: &str, declared: &[Normaliser]) -> String {
    let mut text = text.to_owned();
    for (name, rules) in RULES.iter().filter(|(name, _)| declared.contains(name)) {
        for (pattern, with) in rules {
            if pattern.is_match(&text) {
                text = pattern.replace_all(&text, *with).into_owned();
            }
            let _ = name;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Normaliser as N, *};

    #[test]
    fn each_hides_its_own_thing_only() {
        let text = "at 2026-11-22T04:10:00.5Z in /tmp/x/out.txt took 12 ms on localhost:4711 \
                    id 8F14E45F-CEEA-467F-AB5D-1C0A7E2B3C4D n 1763784600 sum 0123456789abcdef0123456789abcdef \r\n";
        let with = |n: N| normalised(text, &[n]);
        assert_eq!(normalised(text, &[]), text);
        assert!(with(N::Timestamp).contains("at {{TIMESTAMP}} in"));
        assert!(with(N::Epoch).contains("n {{EPOCH}} sum"));
        assert!(with(N::Uuid).contains("id {{UUID}} n"));
        assert!(with(N::Cwd).contains("in {{PATH}}/out.txt took"));
        assert!(with(N::Port).contains("localhost:{{PORT}} id"));
        assert!(with(N::Duration).contains("took {{DURATION}} on"));
        assert!(with(N::Hash).contains("sum {{HASH}}"));
        assert!(with(N::LineEnds).ends_with(" \n"));
        assert!(with(N::TrailingBlanks).ends_with("cdef"));
        assert_eq!(RULES.iter().map(|(_, rules)| rules.len()).sum::<usize>(), 11);
    }
}
