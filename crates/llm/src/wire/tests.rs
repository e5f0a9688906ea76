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

/// Reads a recorded stream in pieces of `size` bytes.
fn read(dialect: Dialect, stream: &[u8], size: usize) -> Result<Answer, Trouble> {
    let mut parser = Parser::new(framing(dialect, "text/event-stream").unwrap());
    let (mut answer, mut messages) = (Answer::default(), Vec::new());
    for piece in stream.chunks(size) {
        parser.take(piece, &mut messages).unwrap();
    }
    parser.end(&mut messages);
    for message in messages {
        take(dialect, &mut answer, &message)?;
    }
    Ok(answer)
}

#[test]
fn recorded_streams_are_read_alike_in_pieces_of_any_size() {
    for dialect in DIALECTS {
        let folder = golden(dialect.name());
        let mut read_any = 0;
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|ending| ending != "stream") {
                continue;
            }
            let stream = std::fs::read(&path).unwrap();
            let expected = std::fs::read_to_string(path.with_extension("txt")).unwrap();
            for size in [1, 2, 3, 5, 7, 64, 100_000] {
                let told = match read(dialect, &stream, size) {
                    Ok(answer) => format!(
                        "{:?}\nstop {:?} ended {}\nusage {:?}\n",
                        answer.text,
                        answer.stop,
                        answer.ended,
                        answer.usage.map(|u| (u.input, u.cached, u.output))
                    ),
                    Err(trouble) => format!("{trouble:?}\n"),
                };
                assert_eq!(told, expected, "{} by {size}", path.display());
            }
            read_any += 1;
        }
        assert!(read_any >= 4, "{}", folder.display());
    }
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
