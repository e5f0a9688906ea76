//! Results for a person.

use std::fmt::{self, Write};

use app_core::{Usd, text::visible_line};

use crate::{Output, Pictures, paid::Models};

/// Writes any result. Warnings are not repeated: they stand on stderr already.
pub fn render(output: &Output, out: &mut dyn Write) -> fmt::Result {
    match output {
        Output::Pictures(made) => pictures(made, out),
        Output::Models(known) => models(known, out),
    }
}

/// Dollars with as many digits as a price of a token or a picture needs.
fn dollars(usd: Usd) -> String {
    if usd == Usd::ZERO {
        "free".to_owned()
    } else {
        usd.to_string()
    }
}

fn pictures(made: &Pictures, out: &mut dyn Write) -> fmt::Result {
    let planned = !made.links.is_empty();
    for link in &made.links {
        writeln!(
            out,
            "{:<14} {:<24} {:<10} at most {} each, {} together{}",
            link.provider.name(),
            visible_line(&link.model),
            link.makes,
            dollars(link.most_usd_each),
            dollars(link.most_usd),
            if link.key_set { "" } else { "; no key" }
        )?;
    }
    for attempt in made.attempts.iter().filter(|attempt| attempt.code.is_some()) {
        writeln!(
            out,
            "picture {}: {}",
            attempt.picture,
            visible_line(attempt.message.as_deref().unwrap_or_default())
        )?;
    }
    for picture in &made.images {
        let by = picture
            .provider
            .map_or_else(String::new, |provider| format!(", by {provider}"));
        writeln!(
            out,
            "{}  {}x{}{by}",
            visible_line(&picture.path.display().to_string()),
            picture.width,
            picture.height
        )?;
    }
    match (planned, made.cost_usd) {
        (true, _) | (_, Usd::ZERO) => Ok(()),
        (false, cost) => writeln!(out, "cost {cost}"),
    }
}

fn models(known: &Models, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "{:<14} {:<24} {:>9}  until", "provider", "model", "at most")?;
    for model in &known.models {
        let price = model.most_usd.map_or_else(|| "unknown".to_owned(), dollars);
        let mut notes = vec![model.until.clone().unwrap_or_default()];
        if !model.on_sale {
            notes.push("not on sale".to_owned());
        }
        if model.usual {
            notes.push("usual".to_owned());
        }
        if !model.key {
            notes.push("no key".to_owned());
        }
        notes.retain(|note| !note.is_empty());
        let line = format!(
            "{:<14} {:<24} {:>9}  {}",
            model.provider.name(),
            visible_line(&model.model),
            price,
            notes.join(", ")
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out, "for a square picture of medium quality, without references")
}
