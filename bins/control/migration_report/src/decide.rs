//! From what was found to the report. Pure.

use std::collections::{BTreeMap, BTreeSet};

use app_core::{Definition, contract::settings::ToolSettings};
use jiff::Timestamp;
use job_manager::Route;
use migration::evidence::{Acceptance, Evidence};

use crate::{
    checklist,
    gather::{Facts, Tool},
    model::{Counts, Fallback, GateState, Report, Row, Rule, Script, Shadow, Stage, State, Wave},
};

/// The report of this moment.
pub(crate) fn report(facts: &Facts, at: Timestamp) -> Report {
    let mut names: BTreeSet<&String> = facts.tools.keys().collect();
    names.extend(facts.settings.legacy.keys());
    let mut tools: Vec<Row> = names.into_iter().map(|name| row(name, facts)).collect();
    tools.sort_by(|a, b| (a.wave, &a.name).cmp(&(b.wave, &b.name)));
    let waves = waves(&tools, facts);
    let mut totals = Counts::default();
    for wave in &waves {
        totals.add(&wave.counts);
    }
    let too_early: Vec<String> = tools
        .iter()
        .filter(|row| row.cut_over && !row.may_cut_over)
        .map(|row| row.name.clone())
        .collect();
    let mut report = Report {
        at,
        complete: totals.closed == totals.gates && too_early.is_empty(),
        totals,
        waves,
        tools,
        checklist: Vec::new(),
        rule: facts.rule,
        cut_over_too_early: too_early,
        outside: facts.plan.outside.clone(),
        unreadable: facts.unreadable.clone(),
    };
    report.checklist = checklist::of(&report, facts.settings.jobs.python_fallback_enabled);
    report
}

fn row(name: &str, facts: &Facts) -> Row {
    let tool = facts.tools.get(name);
    let legacy = facts.settings.legacy.get(name);
    let section = facts.settings.tools.get(name);
    let definition = tool.map(|tool| &tool.definition);
    let replaces = match definition {
        Some(definition) => definition.replaces.clone(),
        None => vec![name.to_owned()],
    };
    let gates: Vec<_> = Acceptance::ALL
        .into_iter()
        .map(|gate| gate_state(gate, name, tool, &replaces, &facts.evidence))
        .collect();
    let shadow = facts.shadows.get(name).cloned().unwrap_or_default();
    let (may_cut_over, cut_over_reason) = cut_over(tool.is_some(), &replaces, &shadow, facts.rule);
    let route = match facts.settings.route(name, tool.is_some()) {
        Ok(Route::Rust) => "rust",
        Ok(Route::Legacy) => "legacy",
        Err(_) => "nobody",
    };
    Row {
        name: name.to_owned(),
        family: definition
            .map(|d| d.family.clone())
            .or_else(|| legacy.map(|l| l.family.clone()))
            .unwrap_or_default(),
        wave: planned_wave(&replaces, facts)
            .unwrap_or_else(|| definition.map_or_else(|| legacy.map_or(0, |l| l.wave), |d| d.wave)),
        binary: tool.is_some(),
        route: route.to_owned(),
        effects: match (definition, legacy) {
            (Some(definition), _) => definition.effects.iter().copied().collect(),
            (None, Some(legacy)) => legacy.effects.iter().flatten().copied().collect(),
            (None, None) => Vec::new(),
        },
        ready: gates.iter().all(|gate| !gate.state.is_open()),
        gates,
        shadow,
        fallback: fallback(name, facts),
        known_gaps: known_gaps(definition, section),
        cut_over: section.is_some_and(|s| s.cut_over),
        may_cut_over,
        cut_over_reason,
        replaces,
    }
}

/// What the tool says of itself, and what the operator noted.
fn known_gaps(definition: Option<&Definition>, section: Option<&ToolSettings>) -> Vec<String> {
    let own = definition.into_iter().flat_map(|d| &d.known_gaps);
    let noted = section.into_iter().flat_map(|s| &s.known_gaps);
    own.chain(noted).cloned().collect()
}

/// The plan says in which wave a script goes, and its tool goes with it.
fn planned_wave(replaces: &[String], facts: &Facts) -> Option<u8> {
    replaces.iter().find_map(|script| {
        let wave = facts.plan.waves.iter().find(|wave| wave.scripts.contains(script));
        wave.map(|wave| wave.number)
    })
}

/// A gate is closed by evidence of this very binary, and by nothing else.
fn gate_state(
    gate: Acceptance,
    name: &str,
    tool: Option<&Tool>,
    replaces: &[String],
    all: &[Evidence],
) -> GateState {
    let found = all.iter().find(|e| e.gate == gate && e.tool == name);
    let command = found.map_or_else(|| usual_command(gate, name), |e| e.command.clone());
    let (state, summary) = match (tool, found) {
        (None, _) => (State::Missing, "there is only the script".to_owned()),
        (Some(_), _) if gate == Acceptance::Parity && replaces.is_empty() => {
            (State::NotNeeded, "replaces no script".to_owned())
        }
        (Some(_), None) => (State::Missing, "never shown".to_owned()),
        (Some(tool), Some(e)) if tool.sha256.as_ref() != Some(&e.binary_sha256) => {
            (State::Stale, format!("shown with another binary: {}", e.summary))
        }
        (Some(_), Some(e)) if e.passed => (State::Closed, e.summary.clone()),
        (Some(_), Some(e)) => (State::Failed, e.summary.clone()),
    };
    GateState {
        gate,
        state,
        summary,
        command: if state == State::NotNeeded {
            String::new()
        } else {
            command
        },
        at: found.filter(|_| state != State::NotNeeded).map(|e| e.at),
    }
}

fn usual_command(gate: Acceptance, name: &str) -> String {
    match gate {
        Acceptance::Parity => format!("parity check {name}"),
        _ => format!("ONEJOB_ONLY_TOOL={name} cargo nextest run -p testkit"),
    }
}

/// Whether a tool may be cut over, and why.
fn cut_over(binary: bool, replaces: &[String], shadow: &Shadow, rule: Rule) -> (bool, String) {
    let shown = format!(
        "{} of {} clean days, {} of {} clean runs{}",
        shadow.clean_days,
        rule.clean_days,
        shadow.clean_runs,
        rule.clean_runs,
        if shadow.alone { " (alone)" } else { "" }
    );
    if !binary {
        (false, "there is only the script".to_owned())
    } else if replaces.is_empty() {
        (true, "replaces no script".to_owned())
    } else {
        let enough = shadow.clean_days >= rule.clean_days || shadow.clean_runs >= rule.clean_runs;
        (enough, shown)
    }
}

fn fallback(name: &str, facts: &Facts) -> Fallback {
    let mut sum = Fallback::default();
    for count in facts.fallbacks.iter().filter(|count| count.tool == name) {
        sum.runs += count.runs;
        sum.last_at = sum.last_at.max(Some(count.last_at));
        sum.reasons.push(format!("{} {}", count.runs, count.reason));
    }
    sum
}

fn waves(tools: &[Row], facts: &Facts) -> Vec<Wave> {
    let mut titles: BTreeMap<u8, &str> = BTreeMap::new();
    let mut scripts: BTreeMap<&str, u8> = BTreeMap::new();
    for wave in &facts.plan.waves {
        titles.insert(wave.number, &wave.title);
        scripts.extend(wave.scripts.iter().map(|script| (script.as_str(), wave.number)));
    }
    for row in tools {
        for script in &row.replaces {
            // The plan says where a script belongs; one that is not in it goes with its tool.
            scripts.entry(script).or_insert(row.wave);
        }
        titles.entry(row.wave).or_insert("");
    }
    let wave = |(number, title): (&u8, &&str)| {
        let of_wave = scripts.iter().filter(|(_, wave)| *wave == number);
        let scripts: Vec<Script> = of_wave.map(|(name, _)| script(name, tools)).collect();
        let counts = counts(tools.iter().filter(|row| row.wave == *number), &scripts);
        Wave {
            number: *number,
            title: title_of(*number, title, scripts.is_empty()),
            line: line(&counts),
            counts,
            scripts,
        }
    };
    let mut waves: Vec<Wave> = titles.iter().map(wave).collect();
    // What replaces nothing comes last.
    let (nothing, mut something): (Vec<_>, Vec<_>) = waves.drain(..).partition(|wave| wave.number == 0);
    something.extend(nothing);
    something
}

fn title_of(number: u8, planned: &str, nothing: bool) -> String {
    match (number, planned) {
        (0, "") if nothing => "Tools that replace nothing".to_owned(),
        // Scripts of `[legacy]` sections that are in no plan and have no tool stand here too.
        (0, "") => "In no wave".to_owned(),
        (_, title) => title.to_owned(),
    }
}

/// A script is replaced when every tool that takes over a part of it is ready.
fn script(name: &str, tools: &[Row]) -> Script {
    let takers: Vec<&Row> = tools
        .iter()
        .filter(|row| row.binary && row.replaces.iter().any(|script| script == name))
        .collect();
    let stage = if takers.is_empty() {
        Stage::NotBegun
    } else if takers.iter().all(|row| row.ready) {
        Stage::Replaced
    } else {
        Stage::InProgress
    };
    Script {
        name: name.to_owned(),
        tools: takers.iter().map(|row| row.name.clone()).collect(),
        stage,
    }
}

fn counts<'a>(rows: impl Iterator<Item = &'a Row>, scripts: &[Script]) -> Counts {
    let at = |stage| scripts.iter().filter(|script| script.stage == stage).count();
    let mut counts = Counts {
        scripts: scripts.len(),
        replaced: at(Stage::Replaced),
        in_progress: at(Stage::InProgress),
        ..Counts::default()
    };
    for row in rows {
        counts.tools += 1;
        counts.ready += usize::from(row.ready);
        let needed = row.gates.iter().filter(|gate| gate.state != State::NotNeeded);
        counts.gates += needed.clone().count();
        counts.closed += needed.filter(|gate| gate.state == State::Closed).count();
    }
    counts
}

fn line(counts: &Counts) -> String {
    let gates = format!("{} of {} gates closed", counts.closed, counts.gates);
    if counts.scripts == 0 {
        return format!("{} of {} tools ready, {gates}", counts.ready, counts.tools);
    }
    let mut line = format!("{} of {} scripts replaced", counts.replaced, counts.scripts);
    if counts.in_progress > 0 {
        line += &format!(", {} with a tool whose gates are open", counts.in_progress);
    }
    if counts.not_begun() > 0 {
        line += &format!(", {} without a tool", counts.not_begun());
    }
    format!("{line}; {gates}")
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
