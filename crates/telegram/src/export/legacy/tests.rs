//! The recorded cases of the old library, every one of them.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::answer;

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/parity/download_chat")
}

/// The answer to a case, and what the original gave.
fn played(case: &str) -> (super::Answer, Value, PathBuf) {
    let folder = cases().join(case);
    let read = |name: &str| std::fs::read_to_string(folder.join("in").join(name)).ok();
    let call: Value = serde_json::from_str(&read("job.json").unwrap()).unwrap();
    let recorded = std::fs::read_to_string(folder.join("out/results.json")).unwrap();
    (
        answer(&call, &read).unwrap(),
        serde_json::from_str(&recorded).unwrap(),
        folder,
    )
}

#[test]
fn cases_to_keep_are_answered_as_recorded() {
    for case in [
        "channel_post_sender",
        "config_ok",
        "export_file",
        "export_file_empty",
        "markdown_entries",
        "message_text",
        "reactions_plain",
        "sanitize_table",
        "sender_names",
        "timestamps",
    ] {
        let (answer, recorded, folder) = played(case);
        assert_eq!(answer.value, recorded, "{case}");
        for (path, content) in answer.files {
            let expected = std::fs::read(folder.join("out").join(&path)).unwrap();
            assert_eq!(
                String::from_utf8(content).unwrap(),
                String::from_utf8(expected).unwrap(),
                "{case}: {path}"
            );
        }
    }
    assert_eq!(played("export_file").0.files.len(), 1);
}

#[test]
fn one_bad_entry_of_the_config_never_costs_the_others() {
    let (answer, recorded, _) = played("config_bad_entries");
    // Every second recorded step skipped what was bad: that is the target for all of them.
    for (index, value) in answer.value.as_array().unwrap().iter().enumerate() {
        assert_eq!(value, &recorded[index | 1], "step {index}");
    }
}

#[test]
fn a_missing_or_empty_config_has_no_chats() {
    let (answer, _, _) = played("config_missing_and_empty");
    let steps = answer.value.as_array().unwrap();
    assert_eq!(steps.len(), 5);
    assert!(steps.iter().all(|step| step["ok"] == json!({})));
}

#[test]
fn other_functions_are_left_to_others() {
    assert_eq!(answer(&json!({"function": "send_message"}), &|_| None), None);
    assert_eq!(
        answer(&json!({"function": "reactions", "chat": 1}), &|_| None),
        None
    );
}
