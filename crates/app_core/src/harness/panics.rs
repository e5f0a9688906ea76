//! What a panic said, kept for the error it becomes.

use std::sync::{Arc, Mutex};

use crate::{contract::ToolError, mutex::lock};

/// What the last panic said.
pub(super) type LastWords = Arc<Mutex<Option<String>>>;

pub(super) fn catch_panic_text() -> LastWords {
    let words = LastWords::default();
    let kept = words.clone();
    std::panic::set_hook(Box::new(move |info| {
        let place = info
            .location()
            .map(|l| format!(" at {}:{}", l.file(), l.line()))
            .unwrap_or_default();
        let text = info.payload_as_str().unwrap_or("a panic without a text");
        let text = format!("{text}{place}");
        // The tool may overlook it; the panic of the run itself becomes its error.
        if std::thread::current().name() != Some("main") {
            tracing::error!("a thread of the run panicked: {text}");
        }
        *lock(&kept) = Some(text);
    }));
    words
}

pub(super) fn panicked(last_words: &LastWords) -> ToolError {
    let words = lock(last_words)
        .take()
        .unwrap_or_else(|| "a panic without a text".to_owned());
    ToolError::internal(format!("bug: {words}"))
        .code("panic")
        .hint("please report this with the command line you used")
}
