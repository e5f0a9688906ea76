//! What a comparison has to say: as JSON for programs, as lines for people.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{case::Class, diff::Divergence, normalise::Normaliser, seen::Seen};

/// One side, in short.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SideReport {
    /// Command line.
    pub command: Vec<String>,
    /// How it ended.
    pub ended: String,
    /// Milliseconds from start to end.
    pub took_ms: u64,
    /// Bytes on stdout.
    pub stdout_bytes: usize,
    /// Files it left.
    pub files: usize,
    /// Requests it made.
    pub requests: usize,
    /// Mails it sent.
    pub mails: usize,
}

impl SideReport {
    /// From what was seen.
    pub fn of(command: &[String], seen: &Seen) -> Self {
        Self {
            command: command.to_vec(),
            ended: seen.exit.to_string(),
            took_ms: seen.took.as_millis() as u64,
            stdout_bytes: seen.stdout.len(),
            files: seen.files.len(),
            requests: seen.requests.len(),
            mails: seen.mails.len(),
        }
    }
}

/// The result of one comparison.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The tool.
    pub tool: String,
    /// Whether everything was compared, nothing escaped, and nothing differs but noise.
    pub clean: bool,
    /// What was not compared, or went past everybody who compares: with any of it no run is clean.
    #[serde(default)]
    pub not_compared: Vec<String>,
    /// How closely they had to agree.
    pub class: Class,
    /// What was allowed to differ.
    pub normalise: Vec<Normaliser>,
    /// Extra runs of the control that showed the noise.
    pub calibrations: u32,
    /// Which side ran first (drawn anew every time).
    pub first: String,
    /// The replaced script.
    pub control: SideReport,
    /// The tool.
    pub candidate: SideReport,
    /// What differs.
    pub differences: Vec<Divergence>,
    /// What differs between two runs of the control too, and so says nothing.
    pub noise: Vec<Divergence>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// Differences shown to people; all are in the JSON.
const SHOWN: usize = 40;

impl Comparison {
    /// Lines for people.
    pub fn render(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let verdict = match self.differences.len() {
            0 if !self.not_compared.is_empty() => "no difference seen, not everything compared".to_owned(),
            0 => "same".to_owned(),
            1 => "1 difference".to_owned(),
            n => format!("{n} differences"),
        };
        // A program that was not started has no speed.
        let ran = !self.candidate.ended.starts_with("not started") && self.candidate.took_ms > 0;
        let ratio = if ran {
            let faster = self.control.took_ms as f64 / self.candidate.took_ms as f64;
            format!("candidate {} ms, {faster:.1}x", self.candidate.took_ms)
        } else {
            format!("candidate {}", self.candidate.ended)
        };
        writeln!(
            out,
            "parity {}: {verdict} (control {} ms, {ratio}; {} first)",
            self.tool, self.control.took_ms, self.first
        )?;
        for what in &self.not_compared {
            writeln!(out, "  not compared: {what}")?;
        }
        for found in self.differences.iter().take(SHOWN) {
            line(found, "  ", out)?;
        }
        if self.differences.len() > SHOWN {
            writeln!(out, "  and {} more", self.differences.len() - SHOWN)?;
        }
        for found in self.noise.iter().take(SHOWN) {
            line(found, "  noise (the control differs from itself here): ", out)?;
        }
        for note in &self.notes {
            writeln!(out, "  note: {note}")?;
        }
        Ok(())
    }
}

fn line(found: &Divergence, prefix: &str, out: &mut dyn fmt::Write) -> fmt::Result {
    writeln!(
        out,
        "{prefix}{}: {} | control {} | candidate {}",
        found.place,
        found.what,
        short(&found.control),
        short(&found.candidate)
    )
}

/// A value on one line, cut where it grows long.
pub fn short(value: &serde_json::Value) -> String {
    if value.is_null() {
        return "nothing".to_owned();
    }
    let text = value.to_string();
    match text.char_indices().nth(160) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
