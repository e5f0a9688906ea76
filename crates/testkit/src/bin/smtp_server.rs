//! A mail server on loopback that delivers nothing, until its standard input ends.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a small program for people and scripts"
)]

use std::{io::BufRead as _, path::PathBuf, process::ExitCode, time::Duration};

use testkit::{SmtpRules, SmtpServer};

const USAGE: &str = "\
A mail server on 127.0.0.1 that takes mail and delivers none, for tests and benchmarks.

Usage: smtp_server --authority FILE [--delay-ms N] [--smtputf8] [--open] [--keep FOLDER]

  --authority FILE   write the certificate to trust
  --delay-ms N       wait before each answer
  --smtputf8         offer SMTPUTF8
  --open             take mail without a login
  --keep FOLDER      write what was taken at the end, as N.eml

Prints `port N` and waits. A line on standard input is answered with the number of messages; its end stops it.";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("smtp_server: {message}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let (mut rules, mut authority, mut keep) = (SmtpRules::default(), None, None);
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
            "--authority" => authority = Some(PathBuf::from(value()?)),
            "--keep" => keep = Some(PathBuf::from(value()?)),
            "--delay-ms" => {
                let ms = value()?.parse().map_err(|e| format!("`--delay-ms`: {e}"))?;
                rules.delay = Duration::from_millis(ms);
            }
            "--smtputf8" => rules.smtputf8 = true,
            "--open" => rules.login_needed = false,
            other => return Err(format!("unknown argument `{other}`; see --help")),
        }
    }
    let server = SmtpServer::start(rules);
    if let Some(path) = authority {
        server.write_authority(&path);
    }
    println!("port {}", server.port());
    for _ in std::io::stdin().lock().lines().map_while(Result::ok) {
        println!("taken {} misdeeds {}", server.count(), server.misdeeds().len());
    }
    if let Some(folder) = keep {
        for (index, taken) in server.taken().iter().enumerate() {
            let path = folder.join(format!("{}.eml", index + 1));
            std::fs::write(&path, &taken.source).map_err(|e| format!("{}: {e}", path.display()))?;
        }
    }
    Ok(())
}
