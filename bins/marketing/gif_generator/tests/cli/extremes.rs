//! Absurd but well-formed inputs: each is done or refused, without a panic, in bounded time and memory.

use std::path::Path;

use serde_json::json;
use testkit::extremes::{every_input_is_answered, input_schema};

const PROGRAM: &str = env!("CARGO_BIN_EXE_gif_generator");

#[test]
fn absurd_numbers_are_answered() {
    let dir = tempfile::tempdir().unwrap();
    crate::moving(dir.path(), 3);
    // A byte limit at its lowest fits nothing, and most delays and numbers of frames are refused.
    let fixed = json!({"max_bytes": null, "delays": [], "max_frames": 3000, "images": ["shot0.png", "shot1.png", "shot2.png"], "output": "o.gif", "video": null});
    every_input_is_answered(
        Path::new(PROGRAM),
        dir.path(),
        &[(input_schema(Path::new(PROGRAM)), fixed)],
        50,
        20,
    );
}
