//! What is left before the last script can go. Pure.

use crate::model::{Item, Report};

pub(crate) fn of(report: &Report, fallback_enabled: bool) -> Vec<Item> {
    let totals = &report.totals;
    let rows = &report.tools;
    let replacing: Vec<_> = rows.iter().filter(|row| !row.replaces.is_empty()).collect();
    let names = |wanted: &dyn Fn(&crate::model::Row) -> bool| -> Vec<&str> {
        let rows = replacing.iter().filter(|row| wanted(row));
        rows.map(|row| row.name.as_str()).collect()
    };
    let switched = names(&|row| row.route == "legacy" && row.binary);
    let alone = names(&|row| !row.binary);
    let nobody = names(&|row| row.route == "nobody");
    let diverging = names(&|row| {
        let shadow = &row.shadow;
        shadow.last_divergence.is_some() && shadow.last_divergence == shadow.last_at
    });
    let waiting = names(&|row| !row.may_cut_over);
    let over = names(&|row| row.cut_over);
    vec![
        item(
            "every script has a tool",
            totals.not_begun() == 0 && alone.is_empty(),
            format!(
                "{} of {} scripts",
                totals.scripts - totals.not_begun(),
                totals.scripts
            ),
        ),
        item(
            "every gate is closed by evidence of the binary that is installed",
            totals.closed == totals.gates,
            format!("{} of {} gates", totals.closed, totals.gates),
        ),
        item(
            "no tool is switched back to its script",
            switched.is_empty() && nobody.is_empty(),
            listed([switched, nobody].concat(), "all answered by their binaries"),
        ),
        item(
            "the newest run beside each script found no difference",
            diverging.is_empty(),
            listed(diverging, "no open difference"),
        ),
        item(
            &format!(
                "every tool has {} clean days or {} clean runs behind it",
                report.rule.clean_days, report.rule.clean_runs
            ),
            waiting.is_empty(),
            format!("{} of {} tools", replacing.len() - waiting.len(), replacing.len()),
        ),
        item(
            "no tool is cut over before that",
            report.cut_over_too_early.is_empty(),
            listed(
                report.cut_over_too_early.iter().map(String::as_str).collect(),
                "none",
            ),
        ),
        item(
            "every tool is cut over",
            over.len() == replacing.len(),
            format!("{} of {} tools", over.len(), replacing.len()),
        ),
        item(
            "`python_fallback_enabled` is off",
            !fallback_enabled,
            if fallback_enabled {
                "on: the last step"
            } else {
                "off"
            }
            .to_owned(),
        ),
    ]
}

fn item(text: &str, done: bool, detail: String) -> Item {
    Item {
        text: text.to_owned(),
        done,
        detail,
    }
}

fn listed(names: Vec<&str>, none: &str) -> String {
    if names.is_empty() {
        none.to_owned()
    } else {
        names.join(", ")
    }
}
