//! The report as one page without scripts and without anything from elsewhere: a picture first, the proof below it.

use std::fmt::{self, Write};

use crate::{
    model::{Counts, GateState, Report, Row, Stage, State, Wave},
    text::{beside, clock, over},
};

const STYLE: &str = include_str!("page.css");

pub(crate) fn page(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write(report, &mut out);
    out
}

fn write(report: &Report, out: &mut String) -> fmt::Result {
    out.push_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    // Nothing may be loaded or run, whatever a name or a summary holds.
    out.push_str("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n");
    writeln!(
        out,
        "<title>Migration report</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>"
    )?;
    head(report, out)?;
    picture(report, out)?;
    readiness(report, out)?;
    for wave in &report.waves {
        section(report, wave, out)?;
    }
    outside(report, out)?;
    unreadable(report, out)?;
    out.push_str("</main>\n</body>\n</html>\n");
    Ok(())
}

fn head(report: &Report, out: &mut String) -> fmt::Result {
    let totals = &report.totals;
    let open = totals.gates - totals.closed;
    writeln!(
        out,
        "<h1>Migration report</h1>\n<p class=\"soft\">{}</p>",
        clock(report.at)
    )?;
    let (class, verdict) = match (report.complete, open) {
        (true, _) => ("closed", "Every gate is closed".to_owned()),
        (false, 0) => (
            "open",
            "A tool is cut over too early: hold the release".to_owned(),
        ),
        (false, 1) => ("open", "1 gate is open: hold the release".to_owned()),
        (false, n) => ("open", format!("{n} gates are open: hold the release")),
    };
    writeln!(out, "<p class=\"verdict {class}\">{verdict}</p>")?;
    let fallbacks: u64 = report.tools.iter().map(|row| row.fallback.runs).sum();
    let replacing = report.tools.iter().filter(|row| !row.replaces.is_empty()).count();
    let over = report.tools.iter().filter(|row| row.cut_over).count();
    out.push_str("<div class=\"figures\">\n");
    for (value, of, what) in [
        (totals.replaced as u64, Some(totals.scripts), "scripts replaced"),
        (totals.closed as u64, Some(totals.gates), "gates closed"),
        (over as u64, Some(replacing), "tools cut over"),
        (fallbacks, None, "runs of an old script in the last 90 days"),
    ] {
        let of = of
            .map(|of| format!(" <small>of {of}</small>"))
            .unwrap_or_default();
        writeln!(
            out,
            "<div class=\"figure\"><b>{value}{of}</b><span class=\"soft small\">{what}</span></div>"
        )?;
    }
    out.push_str("</div>\n");
    Ok(())
}

fn picture(report: &Report, out: &mut String) -> fmt::Result {
    out.push_str("<div class=\"picture\">\n<div class=\"legend\">");
    out.push_str("<span style=\"--key: var(--done)\">replaced, with proof</span>");
    out.push_str("<span style=\"--key: var(--doing)\">has a tool, proof incomplete</span>");
    out.push_str("<span style=\"--key: var(--todo)\">still the old script</span></div>\n");
    for wave in report.waves.iter().filter(|wave| wave.counts.scripts > 0) {
        let counts = &wave.counts;
        let number = if wave.number == 0 {
            String::new()
        } else {
            format!("<small>Wave {}</small>", wave.number)
        };
        writeln!(
            out,
            "<div class=\"wave\"><span class=\"name\">{number}{}</span>{}<span class=\"sum\">{} of {}</span></div>",
            escape(&wave.title),
            bar(counts),
            counts.replaced,
            counts.scripts
        )?;
    }
    writeln!(out, "</div>")
}

/// One bar: its length is the wave, its colours are how far it is.
fn bar(counts: &Counts) -> String {
    let parts = [
        ("done", counts.replaced),
        ("doing", counts.in_progress),
        ("todo", counts.not_begun()),
    ];
    let label = format!(
        "{} replaced, {} with a tool, {} not begun",
        counts.replaced,
        counts.in_progress,
        counts.not_begun()
    );
    let mut svg = format!(
        "<svg role=\"img\" aria-label=\"{label}\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\"><title>{label}</title>"
    );
    let mut x = 0.0;
    for (class, count) in parts.into_iter().filter(|(_, count)| *count > 0) {
        let width = 1000.0 * count as f64 / counts.scripts.max(1) as f64;
        // A thin line of paper between the parts.
        let shown = if x + width < 999.0 { width - 3.0 } else { width };
        svg += &format!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"0\" width=\"{:.1}\" height=\"10\"/>",
            shown.max(1.0)
        );
        x += width;
    }
    svg + "</svg>"
}

fn section(report: &Report, wave: &Wave, out: &mut String) -> fmt::Result {
    writeln!(
        out,
        "<h2>{}</h2>\n<p class=\"soft\">{}.</p>",
        escape(&wave.heading()),
        escape(&wave.line)
    )?;
    let rows: Vec<&Row> = report
        .tools
        .iter()
        .filter(|row| row.wave == wave.number)
        .collect();
    if !rows.is_empty() {
        out.push_str("<div class=\"scroll\"><table class=\"gates\">\n<tr><th>tool<th>same results<th>clear failures<th>time limits<th>observable<th>usable by form");
        out.push_str("<th title=\"alone: a tool that acts on the world never runs beside its script; its own clean runs count\">beside the script<th>old script ran<th>cut over</tr>\n");
        for row in &rows {
            table_row(row, out)?;
        }
        out.push_str("</table></div>\n");
        proof(&rows, out)?;
    }
    if !wave.scripts.is_empty() {
        out.push_str("<ul class=\"scripts\" aria-label=\"scripts of this wave\">\n");
        for script in &wave.scripts {
            let (class, what) = match script.stage {
                Stage::Replaced => ("replaced", "replaced"),
                Stage::InProgress => ("in_progress", "has a tool"),
                Stage::NotBegun => ("not_begun", "no tool yet"),
            };
            writeln!(
                out,
                "<li class=\"{class}\" title=\"{what}\">{}</li>",
                escape(&script.name)
            )?;
        }
        out.push_str("</ul>\n");
    }
    Ok(())
}

fn table_row(row: &Row, out: &mut String) -> fmt::Result {
    let what = match (row.binary, row.replaces.is_empty()) {
        (false, _) => "old script only".to_owned(),
        (true, true) => String::new(),
        (true, false) => format!("for {}", name(&row.replaces.join(", "))),
    };
    write!(
        out,
        "<tr><td class=\"name\">{}<small>{what}</small>",
        name(&row.name)
    )?;
    for gate in &row.gates {
        write!(
            out,
            "<td><span class=\"mark {}\" title=\"{}\">{}</span>",
            class(gate.state),
            escape(&gate.summary),
            sign(gate.state)
        )?;
    }
    let marked = over(row);
    let marked = match marked {
        "TOO EARLY" => format!(
            "<span class=\"mark early\" title=\"{}\">too early</span>",
            escape(&row.cut_over_reason)
        ),
        "yes" => "<span class=\"mark yes\">yes</span>".to_owned(),
        other => escape(other),
    };
    let fallback = match row.fallback.runs {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        n => format!("{n} times"),
    };
    writeln!(out, "<td>{}<td>{fallback}<td>{marked}</tr>", escape(&beside(row)))
}

const fn class(state: State) -> &'static str {
    match state {
        State::Closed => "closed",
        State::Failed => "failed",
        State::Stale => "stale",
        State::Missing => "missing",
        State::NotNeeded => "not_needed",
    }
}

/// A sign and a word beside the colour, for those who do not see it; a small screen keeps the sign.
const fn sign(state: State) -> &'static str {
    match state {
        State::Closed => "\u{2713}<span class=\"word\"> shown</span>",
        State::Failed => "\u{2717}<span class=\"word\"> failed</span>",
        State::Stale => "\u{21bb}<span class=\"word\"> outdated</span>",
        State::Missing => "\u{25cb}<span class=\"word\"> open</span>",
        State::NotNeeded => "\u{2013}<span class=\"word\"> no need</span>",
    }
}

/// The evidence of a wave, folded away.
fn proof(rows: &[&Row], out: &mut String) -> fmt::Result {
    let shown: Vec<(&Row, &GateState)> = rows
        .iter()
        .flat_map(|row| row.gates.iter().map(move |gate| (*row, gate)))
        .filter(|(row, gate)| row.binary && gate.state != State::NotNeeded)
        .collect();
    if !shown.is_empty() {
        out.push_str("<details><summary>evidence, and the commands that show it</summary>\n<div class=\"scroll\"><table>\n");
        out.push_str("<tr><th>tool<th>gate<th>state<th>last shown<th>what was shown<th>command</tr>\n");
        for (row, gate) in shown {
            writeln!(
                out,
                "<tr><td>{}<td>{}<td><span class=\"mark {}\">{}</span><td>{}<td>{}<td><code>{}</code></tr>",
                escape(&row.name),
                gate.gate.as_str().replace('_', " "),
                class(gate.state),
                sign(gate.state),
                gate.at.map_or_else(|| "never".to_owned(), clock),
                escape(&gate.summary),
                escape(&gate.command),
            )?;
        }
        out.push_str("</table></div></details>\n");
    }
    for row in rows.iter().filter(|row| !row.known_gaps.is_empty()) {
        writeln!(
            out,
            "<p class=\"small\"><b>Known gaps of {}:</b> {}</p>",
            escape(&row.name),
            escape(&row.known_gaps.join("; "))
        )?;
    }
    for row in rows
        .iter()
        .filter(|row| row.shadow.last_divergence.is_some() && !row.replaces.is_empty())
    {
        writeln!(
            out,
            "<p class=\"small\"><b>Last difference of {}:</b> {}: {}</p>",
            escape(&row.name),
            row.shadow.last_divergence.map(clock).unwrap_or_default(),
            escape(row.shadow.last_difference.as_deref().unwrap_or("not described"))
        )?;
    }
    Ok(())
}

fn readiness(report: &Report, out: &mut String) -> fmt::Result {
    out.push_str("<h2>Before the last script can go</h2>\n<ul class=\"check\">\n");
    for item in &report.checklist {
        let (class, mark) = if item.done {
            ("yes", "\u{2713}")
        } else {
            ("no", "\u{25cb}")
        };
        writeln!(
            out,
            "<li class=\"{class}\"><span>{mark}</span><span>{}</span><span class=\"soft\">{}</span></li>",
            escape(&item.text.replace('`', "")),
            escape(&item.detail)
        )?;
    }
    out.push_str("</ul>\n");
    Ok(())
}

fn outside(report: &Report, out: &mut String) -> fmt::Result {
    if !report.outside.is_empty() {
        out.push_str("<h2>Outside: no tool replaces them</h2>\n<ul>\n");
        for outside in &report.outside {
            let names: Vec<_> = outside.scripts.iter().map(|script| name(script)).collect();
            writeln!(out, "<li>{}: {}</li>", names.join(", "), escape(&outside.reason))?;
        }
        out.push_str("</ul>\n");
    }
    Ok(())
}

fn unreadable(report: &Report, out: &mut String) -> fmt::Result {
    if !report.unreadable.is_empty() {
        out.push_str("<h2>Not counted, because it cannot be read</h2>\n<ul>\n");
        for what in &report.unreadable {
            writeln!(out, "<li>{}</li>", escape(what))?;
        }
        out.push_str("</ul>\n");
    }
    Ok(())
}

/// A name that may be broken at its underscores.
fn name(text: &str) -> String {
    escape(text).replace('_', "_<wbr>")
}

/// Text for an element or a quoted attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
