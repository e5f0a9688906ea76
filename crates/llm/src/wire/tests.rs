//! Each dialect against its golden files: the request as it is written, and the answers as they are read.

use std::path::PathBuf;

use app_core::config::Prices;
use serde_json::{Value, json};

use super::*;
use crate::stream::Parser;

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("golden")
        .join(name)
}

fn model(dialect: Dialect) -> Model {
    let prices = Prices::parse("[[models.m]]\nfrom = \"2025-01-01\"\ninput = 1e-6\noutput = 2e-6").unwrap();
    Model {
        dialect,
        base: dialect.base(dialect.default_base()).unwrap(),
        name: "m".to_owned(),
        context: 8192,
        price: prices.get("m", jiff::civil::date(2026, 1, 1)).unwrap().clone(),
        headers: [("x-title".to_owned(), "onejob".to_owned())].into(),
        key: Some(app_core::Secret::new("CANARY")),
    }
}

fn call() -> Call {
    let mut call = Call::new("test", 100)
        .system("Be brief.")
        .user("Один?")
        .assistant("Yes.")
        .user("Two?")
        .temperature(0.5);
    call.schema = Some(
        json!({"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}, "note": {"type": "string"}}, "required": ["n"]}),
    );
    call
}

const DIALECTS: [Dialect; 4] = [
    Dialect::OpenAi,
    Dialect::Anthropic,
    Dialect::Gemini,
    Dialect::Ollama,
];

#[test]
fn requests_are_written_as_the_golden_files_say() {
    for dialect in DIALECTS {
        let of = |quirks: Quirks| {
            let request = request(&model(dialect), &call(), quirks).unwrap();
            assert!(
                !request.url.as_str().contains("CANARY"),
                "the key is in no address"
            );
            let headers: Vec<String> = request.headers.keys().map(ToString::to_string).collect();
            json!({
                "url": request.url.as_str(),
                "headers": headers,
                "body": serde_json::from_slice::<Value>(&request.body).unwrap(),
            })
        };
        let plain = Quirks {
            format: Format::Plain,
            reasoning: true,
            no_temperature: true,
            no_usage_option: true,
        };
        let json_mode = Quirks {
            format: Format::Json,
            ..Quirks::default()
        };
        let written = json!({"usual": of(Quirks::default()), "json": of(json_mode), "least": of(plain)});
        let path = golden(&format!("{}.request.json", dialect.name()));
        let text = serde_json::to_string_pretty(&written).unwrap() + "\n";
        if app_core::config::process_env("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, expected, "{}", path.display());
    }
}

/// Reads a stream in pieces whose sizes `next` tells.
fn read(dialect: Dialect, stream: &[u8], mut next: impl FnMut() -> usize) -> Result<Answer, Trouble> {
    let mut parser = Parser::new(framing(dialect, "text/event-stream").unwrap());
    let (mut answer, mut messages, mut rest) = (Answer::default(), Vec::new(), stream);
    while !rest.is_empty() {
        let (piece, left) = rest.split_at(next().clamp(1, rest.len()));
        parser.take(piece, &mut messages).unwrap();
        rest = left;
    }
    parser.end(&mut messages);
    for message in messages {
        take(dialect, &mut answer, &message)?;
    }
    Ok(answer)
}

/// Numbers that look random and are the same in every run (the multiplier of Knuth's MMIX).
fn numbers(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |below| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    }
}

/// The recorded streams: dialect, path, bytes.
fn recorded() -> Vec<(Dialect, PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for dialect in DIALECTS {
        for entry in std::fs::read_dir(golden(dialect.name())).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "stream") {
                let bytes = std::fs::read(&path).unwrap();
                found.push((dialect, path, bytes));
            }
        }
    }
    assert!(found.len() >= 25, "{}", found.len());
    found
}

#[test]
fn recorded_streams_are_read_alike_in_pieces_of_any_size() {
    for (dialect, path, stream) in recorded() {
        let expected = std::fs::read_to_string(path.with_extension("txt")).unwrap();
        for seed in 0..400_u64 {
            let mut number = numbers(seed);
            let size = |number: &mut dyn FnMut(usize) -> usize| match seed {
                0 => usize::MAX,
                1 => 1,
                _ => 1 + number(40),
            };
            let told = match read(dialect, &stream, || size(&mut number)) {
                Ok(answer) => format!(
                    "{:?}\nstop {:?} ended {}\nusage {:?}\n",
                    answer.text,
                    answer.stop,
                    answer.ended,
                    answer.usage.map(|u| (u.input, u.cached, u.output))
                ),
                Err(trouble) => format!("{trouble:?}\n"),
            };
            assert_eq!(told, expected, "{} by {seed}", path.display());
        }
    }
}

#[test]
fn a_damaged_stream_is_an_error_or_an_answer_and_never_a_panic() {
    let mut failed = 0;
    for (dialect, _, stream) in recorded() {
        for seed in 0..200 {
            let mut number = numbers(seed);
            let mut damaged = stream.clone();
            for _ in 0..=number(4) {
                let at = number(damaged.len());
                damaged[at] = number(256) as u8;
            }
            damaged.truncate(1 + number(damaged.len()));
            failed += usize::from(read(dialect, &damaged, || 7).is_err());
        }
    }
    assert!(failed > 100, "{failed}");
}

#[test]
fn a_whole_document_is_an_answer_too() {
    for (dialect, body, text, input) in [
        (
            Dialect::OpenAi,
            json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3, "completion_tokens": 1}}),
            "hi",
            3,
        ),
        (
            Dialect::Anthropic,
            json!({"type": "message", "content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn", "usage": {"input_tokens": 4, "cache_read_input_tokens": 6, "output_tokens": 1}}),
            "hi",
            10,
        ),
        (
            Dialect::Gemini,
            json!([{"candidates": [{"content": {"parts": [{"text": "hm", "thought": true}, {"text": "hi"}]}, "finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 1}}]),
            "hi",
            5,
        ),
    ] {
        let mut answer = Answer::default();
        take_whole(dialect, &mut answer, body.to_string().as_bytes()).unwrap();
        assert_eq!((answer.text.as_str(), answer.usage.unwrap().input), (text, input));
        assert_eq!((answer.stop, answer.closed), (Some(Stop::Finished), true));
    }
}
