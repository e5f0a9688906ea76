//! Serves a Telegram scenario on loopback until interrupted.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a small program for people and scripts"
)]

use std::path::PathBuf;
use std::process::ExitCode;

use testkit::telegram::{Dc, World, session};

const USAGE: &str = "\
Serves a Telegram scenario over MTProto on 127.0.0.1, for tests and benchmarks.

Usage: telegram_dc SCENARIO.json [--port N] [--session FILE] [--telethon-session FILE]

  --port N                  listen on this port (default: any free one, printed)
  --session FILE            write a session file of ours that leads here
  --telethon-session FILE   write a Telethon session file that leads here

Prints `port N` and then waits. `quit` on standard input, or its end, stops it; `requests` prints how many
calls of each method came.";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("telegram_dc: {message}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let (mut scenario, mut port, mut ours, mut telethon) = (None, 0, None, None);
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .ok_or_else(|| format!("`{argument}` needs a value"))
        };
        match argument.as_str() {
            "--help" | "-h" => {
                println!("{USAGE}");
                return Ok(());
            }
            "--port" => port = value()?.parse().map_err(|e| format!("`--port`: {e}"))?,
            "--session" => ours = Some(PathBuf::from(value()?)),
            "--telethon-session" => telethon = Some(PathBuf::from(value()?)),
            other if scenario.is_none() && !other.starts_with('-') => scenario = Some(PathBuf::from(other)),
            other => return Err(format!("unknown argument `{other}`; see --help")),
        }
    }
    let scenario = scenario.ok_or("a scenario file is needed; see --help")?;
    let dc = Dc::start_at(World::load(&scenario)?, port);
    if let Some(path) = ours {
        dc.write_session(&path);
    }
    if let Some(path) = telethon {
        session::write_telethon(&path, dc.port());
    }
    println!("port {}", dc.port());
    for line in std::io::stdin().lines().map_while(Result::ok) {
        match line.trim() {
            "quit" => break,
            "requests" => {
                let mut counts = std::collections::BTreeMap::new();
                for request in dc.requests() {
                    *counts.entry(request.method).or_insert(0_u32) += 1;
                }
                println!("{}", serde_json::json!(counts));
            }
            _ => {}
        }
    }
    Ok(())
}
