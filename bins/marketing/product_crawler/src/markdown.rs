//! A product as a Markdown file: the shop's words are data and never markup.

use std::fmt::Write as _;

use app_core::text::{visible, visible_line};
use structured::{Price, Product, Variant};

/// The file. Its first line is that of the replaced script.
pub fn markdown(product: &Product, url: &str) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(product, url, &mut text);
    text
}

fn write(product: &Product, url: &str, out: &mut String) -> std::fmt::Result {
    writeln!(out, "Product Name: {}\n", line(&product.name))?;
    writeln!(out, "## Detailed Description\n")?;
    match &product.description {
        Some(description) => writeln!(out, "{}\n", block(description))?,
        None => writeln!(out, "N/A\n")?,
    }
    writeln!(out, "## Price and Sizes\n")?;
    match &product.price {
        Some(price) => writeln!(out, "- Price: {}", priced(price))?,
        None => writeln!(out, "- Price: N/A")?,
    }
    if !product.availability.is_empty() {
        writeln!(out, "- Availability: {}", line(&words(&product.availability)))?;
    }
    for variant in &product.variants {
        writeln!(out, "- {}", of_variant(variant))?;
    }
    writeln!(out, "\n## Facts\n")?;
    let facts = [
        ("Brand", &product.brand),
        ("Category", &product.category),
        ("SKU", &product.sku),
        ("GTIN", &product.gtin),
        ("MPN", &product.mpn),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            writeln!(out, "- {name}: {}", line(value))?;
        }
    }
    for image in product.images.iter().take(20) {
        writeln!(out, "- Picture: {}", line(image))?;
    }
    writeln!(out, "- Source: {}", line(url))?;
    if !product.conflicts.is_empty() {
        writeln!(out, "\n## Conflicts\n")?;
        for conflict in &product.conflicts {
            let said = conflict
                .values
                .iter()
                .map(|claim| format!("{} {}", claim.source.name(), line(&claim.value)));
            let said: Vec<String> = said.collect();
            writeln!(
                out,
                "- {}: {}; taken from {}",
                conflict.field,
                said.join(", "),
                conflict.chosen.name()
            )?;
        }
    }
    if !product.notes.is_empty() {
        writeln!(out, "\n## Notes\n")?;
        for note in &product.notes {
            writeln!(out, "- {}", line(note))?;
        }
    }
    Ok(())
}

fn words(availability: &[String]) -> String {
    availability.join(", ").replace('_', " ")
}

fn priced(price: &Price) -> String {
    let mut text = price.to_string();
    if let Some(list) = &price.list_price {
        text += &format!(" (list price {list})");
    }
    if price.currency_inferred {
        text += " (currency concluded from its sign)";
    }
    if let Some(why) = &price.ambiguous {
        text += &format!(" (ambiguous: {why})");
    }
    line(&text)
}

fn of_variant(variant: &Variant) -> String {
    let mut parts = vec![line(&variant.name)];
    parts.extend(
        variant
            .options
            .iter()
            .map(|(name, value)| format!("{name} {}", line(value))),
    );
    parts.extend(variant.price.as_ref().map(priced));
    if !variant.availability.is_empty() {
        parts.push(line(&words(&variant.availability)));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

/// A text on one line, with nothing in it that Markdown or a terminal acts on.
fn line(text: &str) -> String {
    escaped(&visible_line(&text.replace(['\n', '\r'], " ")))
}

/// A text of several lines, each of which stays text.
fn block(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = escaped(&visible(line.trim()));
        // What begins a list, a line or a heading only at the beginning.
        let marks = line.starts_with(['-', '+', '=', ':']);
        let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let numbered = digits > 0 && line[digits..].starts_with(['.', ')']);
        if marks {
            format!("\\{line}")
        } else if numbered {
            format!("{}\\{}", &line[..digits], &line[digits..])
        } else {
            line
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '!' | '$'
        ) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_shop_are_no_markup() {
        let product = Product {
            name: "Cup\n# <b>*x*</b>".to_owned(),
            description: Some("- one\n1. two\n<script>x</script>\n[l](javascript:x)\u{1b}[31m".to_owned()),
            ..Product::default()
        };
        let text = markdown(&product, "https://shop.example/a_b");
        assert!(
            text.starts_with("Product Name: Cup \\# \\<b\\>\\*x\\*\\</b\\>\n\n## Detailed"),
            "{text}"
        );
        assert!(
            text.contains("\\- one\n1\\. two\n\\<script\\>x\\</script\\>\n\\[l\\](javascript:x)␛\\[31m\n"),
            "{text}"
        );
        assert!(text.contains("- Price: N/A") && text.contains("Source: https://shop.example/a\\_b"));
    }
}
