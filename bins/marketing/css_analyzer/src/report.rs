//! The result for a person at a terminal.

use std::fmt::{Result, Write};

use crate::{Output, counts::Tally, metrics::Metrics};

/// Entries of a list that are shown.
const SHOWN: usize = 20;

/// Writes the result.
pub fn render(output: &Output, out: &mut dyn Write) -> Result {
    if let Some(css) = &output.css {
        return writeln!(out, "{css}");
    }
    writeln!(
        out,
        "{}: {} bytes in {} sheets",
        output.target,
        output.collected_bytes,
        output.sheets.len()
    )?;
    for skipped in &output.skipped {
        writeln!(out, "left out: {} ({})", skipped.name, skipped.reason)?;
    }
    if let Some(metrics) = &output.metrics {
        table(metrics, out)?;
    }
    if let Some(usage) = &output.usage {
        let rules = usage.unused_rules;
        writeln!(
            out,
            "{} of {} selectors match on {} pages",
            usage.used, usage.selectors, usage.pages
        )?;
        writeln!(out, "{rules} rules ({} bytes) match nothing", usage.unused_bytes)?;
        for place in usage.unused.iter().take(SHOWN) {
            writeln!(
                out,
                "  line {:<6} {} {}",
                place.line,
                place.within.join(" "),
                place.selector
            )?;
        }
        more(usage.unused.len(), out)?;
    }
    if let Some(difference) = &output.difference {
        for change in &difference.metrics {
            writeln!(
                out,
                "  {:<50} {:>12.2} -> {:.2}",
                change.metric, change.before, change.after
            )?;
        }
        for (mark, rules) in [("+", &difference.rules_added), ("-", &difference.rules_removed)] {
            for rule in rules.iter().take(SHOWN) {
                writeln!(out, "{mark} {rule}")?;
            }
            more(rules.len(), out)?;
        }
        for rule in difference.rules_changed.iter().take(SHOWN) {
            writeln!(
                out,
                "~ {}: -{} +{}",
                rule.rule,
                rule.removed.join("; "),
                rule.added.join("; ")
            )?;
        }
        more(difference.rules_changed.len(), out)?;
    }
    for breach in &output.breaches {
        writeln!(out, "over budget: {breach}")?;
    }
    if let Some(file) = &output.file {
        writeln!(out, "written: {}", file.display())?;
    }
    Ok(())
}

fn more(total: usize, out: &mut dyn Write) -> Result {
    if total > SHOWN {
        writeln!(out, "  and {} more (see --json)", total - SHOWN)
    } else {
        Ok(())
    }
}

fn table(metrics: &Metrics, out: &mut dyn Write) -> Result {
    let unique = |tally: &Tally| format!("{} ({} unique)", tally.total(), tally.unique());
    let [ids, classes, types] = metrics.selectors.specificity.max;
    let declarations = &metrics.declarations;
    let rows = [
        ("lines of code", metrics.stylesheet.lines_of_code.to_string()),
        (
            "source lines",
            metrics.stylesheet.source_lines_of_code.to_string(),
        ),
        ("at-rules", unique(&metrics.atrules.all)),
        (
            "rules",
            format!("{} ({} empty)", metrics.rules.total, metrics.rules.empty.total),
        ),
        (
            "selectors",
            format!(
                "{} ({} unique)",
                metrics.selectors.total, metrics.selectors.total_unique
            ),
        ),
        ("highest specificity", format!("{ids},{classes},{types}")),
        (
            "declarations",
            format!("{} ({} unique)", declarations.total, declarations.total_unique),
        ),
        (
            "!important",
            format!(
                "{} ({:.1} %)",
                declarations.importants.total,
                declarations.importants.ratio * 100.0
            ),
        ),
        ("properties", unique(&metrics.properties.all)),
        (
            "custom properties unused",
            metrics.properties.custom.names.unused.len().to_string(),
        ),
        ("colours", unique(&metrics.values.colors.all.all)),
        ("font sizes", unique(&metrics.values.font_sizes)),
        ("font families", unique(&metrics.values.font_families)),
        ("z-indexes", unique(&metrics.values.zindexes)),
        ("units", unique(&metrics.values.units.all)),
        (
            "embedded bytes",
            metrics.stylesheet.embedded_content.size.total.to_string(),
        ),
        ("complexity", metrics.stylesheet.complexity.to_string()),
    ];
    for (name, value) in rows {
        writeln!(out, "  {name:<26} {value}")?;
    }
    Ok(())
}
