//! The report as Markdown.

use std::fmt::{self, Write};

use crate::{
    model::{Report, Row},
    text::{beside, clock, over},
};

pub(crate) fn page(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(report, &mut text);
    text
}

fn write(report: &Report, out: &mut String) -> fmt::Result {
    let totals = &report.totals;
    writeln!(out, "# Migration report\n")?;
    writeln!(
        out,
        "{}: **{} of {} scripts replaced**, {} of {} gates closed.\n",
        clock(report.at),
        totals.replaced,
        totals.scripts,
        totals.closed,
        totals.gates
    )?;
    for wave in &report.waves {
        writeln!(out, "## {}\n\n{}.\n", cell(&wave.heading()), wave.line)?;
        let rows: Vec<&Row> = report
            .tools
            .iter()
            .filter(|row| row.wave == wave.number)
            .collect();
        if !rows.is_empty() {
            writeln!(
                out,
                "| tool | replaces | parity | failures | policy | observability | generic UI | beside the script | fallbacks | cut over | known gaps |"
            )?;
            writeln!(out, "|---|---|---|---|---|---|---|---|---|---|---|")?;
        }
        for row in rows {
            let gates: Vec<_> = row.gates.iter().map(|gate| gate.state.word()).collect();
            writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} | {} |",
                code(&row.name),
                row.replaces
                    .iter()
                    .map(|s| code(s))
                    .collect::<Vec<_>>()
                    .join(", "),
                gates.join(" | "),
                beside(row),
                row.fallback.runs,
                over(row),
                cell(&row.known_gaps.join("; ")),
            )?;
        }
        let left = wave.scripts.iter().filter(|script| script.tools.is_empty());
        let left: Vec<_> = left.map(|script| code(&script.name)).collect();
        if !left.is_empty() {
            writeln!(out, "\nWithout a tool: {}.", left.join(", "))?;
        }
        writeln!(out)?;
    }
    for (index, outside) in report.outside.iter().enumerate() {
        if index == 0 {
            writeln!(out, "## Outside\n")?;
        }
        let names: Vec<_> = outside.scripts.iter().map(|s| code(s)).collect();
        writeln!(out, "- {}: {}", names.join(", "), cell(&outside.reason))?;
    }
    writeln!(
        out,
        "\n## Evidence\n\n| tool | gate | state | shown | at | command |\n|---|---|---|---|---|---|"
    )?;
    for row in report.tools.iter().filter(|row| row.binary) {
        for gate in &row.gates {
            writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} |",
                code(&row.name),
                gate.gate.as_str(),
                gate.state.word(),
                cell(&gate.summary),
                gate.at.map(clock).unwrap_or_default(),
                code(&gate.command),
            )?;
        }
    }
    writeln!(out, "\n## Readiness\n")?;
    for item in &report.checklist {
        let mark = if item.done { "x" } else { " " };
        writeln!(out, "- [{mark}] {} ({})", item.text, cell(&item.detail))?;
    }
    for what in &report.unreadable {
        writeln!(out, "- unreadable: {}", cell(what))?;
    }
    Ok(())
}

/// Text in a cell of a table: no line, no column and no markup of its own.
fn cell(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\n' | '\r' => escaped.push(' '),
            '|' | '<' | '>' | '*' | '_' | '`' | '[' | ']' | '\\' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let plain: String = text
        .chars()
        .map(|c| if c == '`' || c.is_control() { ' ' } else { c })
        .collect();
    format!("`{}`", plain.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_its_cell() {
        assert_eq!(cell("a|b\n<i>*x*"), "a\\|b \\<i\\>\\*x\\*");
        assert_eq!(code("a`|b\n"), "`a \\|b `");
    }
}
