//! The fake of model servers as a program: `fake_model ADDRESS SCRIPT [PIECE]`, then one fault a line on standard input
//! (`none`, `429`, `429 SECONDS`, `quota`, `status N`, `cut`, `no_end`, `error_event`, `length`, `refusal`, `empty`,
//! `no_usage`, `hang_up`) for the next call. A line `quit`, or the end of the input, ends it. Scripts: `echo`,
//! `inventor`, `obedient`, or a text that is answered.

#![expect(clippy::print_stdout, reason = "a program for tests, not a tool")]

use std::io::BufRead as _;

use testkit::{
    FakeModel,
    llm::{Fault, Manners, Script},
};

fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1);
    let address = args.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let script = match args.next().as_deref() {
        None | Some("echo") => Script::Echo,
        Some("inventor") => Script::Inventor,
        Some("obedient") => Script::Obedient,
        Some(text) => Script::Canned(vec![text.to_owned()]),
    };
    let piece = args.next().and_then(|text| text.parse().ok()).unwrap_or(0);
    let fake = FakeModel::start_at(
        &address,
        script,
        Manners {
            piece,
            ..Manners::default()
        },
    )?;
    println!("{}", fake.url());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if line == "quit" {
            break;
        }
        match fault(&line) {
            Ok(fault) => {
                fake.fail([fault]);
                println!("ok");
            }
            Err(problem) => println!("{problem}"),
        }
    }
    Ok(())
}

fn fault(line: &str) -> Result<Option<Fault>, String> {
    let (name, number) = line
        .split_once(' ')
        .map_or((line, None), |(name, rest)| (name, Some(rest)));
    let number = number.and_then(|text| text.parse().ok());
    Ok(Some(match (name, number) {
        ("none", _) => return Ok(None),
        ("429", wait) => Fault::RateLimited(wait),
        ("quota", _) => Fault::Quota,
        ("status", Some(status)) => Fault::Status(u16::try_from(status).unwrap_or(500)),
        ("cut", _) => Fault::Cut,
        ("no_end", _) => Fault::NoEnd,
        ("error_event", _) => Fault::ErrorEvent,
        ("length", _) => Fault::Length,
        ("refusal", _) => Fault::Refusal,
        ("empty", _) => Fault::Empty,
        ("no_usage", _) => Fault::NoUsage,
        ("hang_up", _) => Fault::HangUp,
        _ => return Err(format!("`{line}` is no fault")),
    }))
}
