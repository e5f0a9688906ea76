//! What kind of thing a side wrote to stderr. The wording is free; whether an error is told is not.

use std::sync::LazyLock;

use regex::Regex;

use crate::seen::Exit;

/// The kinds, from harmless to broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StderrClass {
    Silent,
    /// Progress, notes, warnings.
    Text,
    /// A line that says it is an error.
    Error,
    /// A Python traceback or a Rust panic.
    Traceback,
}

/// How errors announce themselves: `error: ...`, `prog: error: ...`, `ValueError: ...`, a log line of level ERROR.
/// Words such as `0 errors` do not.
static ERROR: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?m)^(\x1b\[[\d;]*m|\W)*(?i:(fatal |critical )?error|fatal|critical|exception|panic)((\[\w+\])?\s*:|\])|:\s*(?i:fatal |critical )?(?i:error):|\b[A-Z]\w*(Error|Exception)\b:|\b(ERROR|CRITICAL|FATAL)\b",
    )
    .ok()
});

impl StderrClass {
    /// The kind of this text.
    pub fn of(stderr: &[u8]) -> Self {
        let text = String::from_utf8_lossy(stderr);
        let panicked = text.contains("panicked at ") && text.contains("thread '");
        if text.contains("Traceback (most recent call last)") || panicked {
            Self::Traceback
        } else if ERROR.as_ref().is_some_and(|error| error.is_match(&text)) {
            Self::Error
        } else if text.trim().is_empty() {
            Self::Silent
        } else {
            Self::Text
        }
    }

    /// The name in recorded cases.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Text => "text",
            Self::Error => "error",
            Self::Traceback => "traceback",
        }
    }

    /// A text of the kind with this name; `speaks` is what older cases call a text.
    pub fn sample(name: &str) -> &'static str {
        match name {
            "silent" => "",
            "traceback" => "Traceback (most recent call last)",
            "error" => "error: something",
            _ => "something",
        }
    }

    /// What it means beside this end: notes of a run that succeeded say nothing, and whatever a run that failed says
    /// tells its error.
    fn beside(self, exit: &Exit) -> Self {
        match (self, exit) {
            (Self::Text, Exit::Code(0)) => Self::Silent,
            (Self::Text, _) => Self::Error,
            (class, _) => class,
        }
    }

    /// Whether the two sides tell the same. A one-line error instead of a traceback is what a replacement is meant to
    /// do; the other way round it is not.
    pub fn agree(control: (Self, &Exit), candidate: (Self, &Exit)) -> bool {
        let (a, b) = (control.0.beside(control.1), candidate.0.beside(candidate.1));
        a == b || (a, b) == (Self::Traceback, Self::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::StderrClass::{self as C, Error, Silent, Text, Traceback};
    use crate::seen::Exit;

    #[test]
    fn errors_are_told_from_notes() {
        for text in [
            "error: no such file",
            "prog.py: error: the following arguments are required: page",
            "ValueError: bad",
            "requests.exceptions.ConnectionError: refused",
            "2026-01-01 10:00:00,000 ERROR root: bad",
            "ERROR:root:bad",
            "[error] bad",
            "\u{1b}[31merror:\u{1b}[0m bad",
            "error[E0001]: bad",
            "done\nFatal error: bad",
        ] {
            assert_eq!(C::of(text.as_bytes()), Error, "{text}");
        }
        for text in [
            "3 files, 0 errors",
            "warning: slow\n",
            "errors are kept in x.log",
            "reading orders... 100%",
            "x.py:3: DeprecationWarning: old",
        ] {
            assert_eq!(C::of(text.as_bytes()), Text, "{text}");
        }
        assert_eq!(C::of(b" \n"), Silent);
        assert_eq!(
            C::of(b"Traceback (most recent call last):\n  KeyError: 'x'"),
            Traceback
        );
        for class in [Silent, Text, Error, Traceback] {
            assert_eq!(C::of(C::sample(class.as_str()).as_bytes()), class);
        }
    }

    #[test]
    fn notes_count_only_when_the_run_failed() {
        let (well, failed) = (Exit::Code(0), Exit::Code(2));
        let agree = |a: C, b: C, exit: &Exit| C::agree((a, exit), (b, exit));
        assert!(agree(Silent, Text, &well) && agree(Text, Silent, &well));
        assert!(!agree(Silent, Error, &well) && !agree(Error, Text, &well) && !agree(Text, Traceback, &well));
        assert!(!agree(Silent, Text, &failed) && !agree(Text, Silent, &failed));
        assert!(agree(Text, Error, &failed) && agree(Error, Text, &failed));
        for exit in [&well, &failed] {
            assert!(agree(Traceback, Error, exit) && !agree(Error, Traceback, exit));
        }
        assert!(agree(Traceback, Text, &failed) && !agree(Traceback, Text, &well));
    }
}
