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
            Some(fault) => {
                fake.fail([fault]);
                println!("ok");
            }
            None => println!("`{line}` is no fault"),
        }
    }
    Ok(())
}

fn fault(line: &str) -> Option<Option<Fault>> {
    let (name, number) = line.split_once(' ').map_or((line, None), |(name, rest)| (name, Some(rest)));
    Some(Some(match name {
        "none" => return Some(None),
        "429" => Fault::RateLimited(number.and_then(|text| text.parse().ok())),
        "quota" => Fault::Quota,
        "status" => Fault::Status(number?.parse().ok()?),
        "cut" => Fault::Cut,
        "no_end" => Fault::NoEnd,
        "error_event" => Fault::ErrorEvent,
        "length" => Fault::Length,
        "refusal" => Fault::Refusal,
        "empty" => Fault::Empty,
        "no_usage" => Fault::NoUsage,
        "hang_up" => Fault::HangUp,
        _ => return None,
    }))
}
