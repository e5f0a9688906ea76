//! The report on a terminal.

use std::fmt::{self, Write};

use jiff::{Timestamp, tz::TimeZone};

use crate::model::{GateState, Report, Row};

pub(crate) fn render(report: &Report, out: &mut dyn Write) -> fmt::Result {
    let width = report
        .tools
        .iter()
        .map(|row| row.name.len())
        .max()
        .unwrap_or(4)
        .max(4);
    for wave in &report.waves {
        writeln!(out, "{}", wave.heading())?;
        writeln!(out, "  {}", wave.line)?;
        let rows: Vec<&Row> = report
            .tools
            .iter()
            .filter(|row| row.wave == wave.number)
            .collect();
        if !rows.is_empty() {
            writeln!(
                out,
                "  {:width$}  parity  failures  policy  observed  ui      beside script            fallbacks  cut over",
                "tool"
            )?;
        }
        for row in rows {
            render_row(row, width, out)?;
        }
        let left: Vec<_> = wave
            .scripts
            .iter()
            .filter(|script| script.tools.is_empty())
            .map(|script| script.name.as_str())
            .collect();
        if !left.is_empty() {
            wrapped("  without a tool: ", &left, out)?;
        }
        writeln!(out)?;
    }
    for outside in &report.outside {
        let names: Vec<_> = outside.scripts.iter().map(String::as_str).collect();
        wrapped("outside: ", &names, out)?;
        writeln!(out, "  {}", outside.reason)?;
    }
    render_open(report, width, out)?;
    for row in report.tools.iter().filter(|row| !row.known_gaps.is_empty()) {
        writeln!(out, "known gaps of {}: {}", row.name, row.known_gaps.join("; "))?;
    }
    for item in &report.checklist {
        let mark = if item.done { "x" } else { " " };
        writeln!(out, "[{mark}] {} ({})", item.text, item.detail)?;
    }
    for what in &report.unreadable {
        writeln!(out, "unreadable: {what}")?;
    }
    Ok(())
}

/// Names in lines of a terminal's width.
fn wrapped(begin: &str, names: &[&str], out: &mut dyn Write) -> fmt::Result {
    let mut line = begin.to_owned();
    for (index, name) in names.iter().enumerate() {
        if line.len() + name.len() > 110 {
            writeln!(out, "{}", line.trim_end())?;
            line = " ".repeat(begin.len());
        }
        line += name;
        line += if index + 1 < names.len() { ", " } else { "" };
    }
    writeln!(out, "{line}")
}

fn render_row(row: &Row, width: usize, out: &mut dyn Write) -> fmt::Result {
    write!(out, "  {:width$}", row.name)?;
    for (gate, cell) in row.gates.iter().zip([6, 8, 6, 8, 6]) {
        write!(out, "  {:cell$}", gate.state.word())?;
    }
    let line = format!("  {:23}  {:9}  {}", beside(row), row.fallback.runs, over(row));
    writeln!(out, "{}", line.trim_end())
}

/// What running beside the script has shown.
pub(crate) fn beside(row: &Row) -> String {
    let shadow = &row.shadow;
    match (row.replaces.is_empty(), shadow.comparisons) {
        (true, _) => "-".to_owned(),
        (_, 0) => "never".to_owned(),
        _ => format!(
            "{}, {}{}",
            counted(shadow.clean_days, "day"),
            counted(shadow.clean_runs, "run"),
            // A tool that acts on the world never runs beside its script: its own clean runs count.
            if shadow.alone { " alone" } else { "" }
        ),
    }
}

fn counted(count: u32, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

pub(crate) fn over(row: &Row) -> &'static str {
    match (row.replaces.is_empty(), row.cut_over, row.may_cut_over) {
        (true, ..) => "-",
        (_, true, true) => "yes",
        (_, true, false) => "TOO EARLY",
        (_, false, true) => "ready",
        (_, false, false) => "no",
    }
}

/// The open gates of a tool in one line where one command shows them.
fn render_open(report: &Report, width: usize, out: &mut dyn Write) -> fmt::Result {
    let mut first = true;
    for row in &report.tools {
        let mut open: Vec<_> = row.gates.iter().filter(|gate| gate.state.is_open()).collect();
        if first && !open.is_empty() {
            writeln!(out, "open gates")?;
            first = false;
        }
        while let Some(gate) = open.first().copied() {
            let alike = |other: &&GateState| other.command == gate.command && other.summary == gate.summary;
            let (same, others): (Vec<_>, Vec<_>) = open.into_iter().partition(alike);
            let names: Vec<_> = same.iter().map(|gate| gate.gate.as_str()).collect();
            writeln!(
                out,
                "  {:width$}  {}: {}",
                row.name,
                names.join(", "),
                gate.summary
            )?;
            if row.binary {
                writeln!(out, "  {:width$}    $ {}", "", gate.command)?;
            }
            open = others;
        }
    }
    if first { Ok(()) } else { writeln!(out) }
}

/// UTC, to the minute.
pub(crate) fn clock(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d %H:%M UTC")
        .to_string()
}
