//! Results for people.

use std::fmt::{self, Write};

use app_core::text::visible_line;
use serde_json::Value;
use structured::{Page, Product};

use crate::{
    Output,
    ask::{LinkList, PriceAnswer, RobotsAnswer},
    changes::{Change, Changes},
    outcome::Crawled,
};

/// Lines for people.
pub fn render(output: &Output, out: &mut dyn Write) -> fmt::Result {
    match output {
        Output::Crawl(crawled) => crawl(crawled, out),
        Output::Extract(extracted) => page(&extracted.page, out),
        Output::Links(found) => links(found, out),
        Output::Robots(answer) => robots(answer, out),
        Output::Price(answer) => price(answer, out),
    }
}

fn crawl(crawled: &Crawled, out: &mut dyn Write) -> fmt::Result {
    let folder = crawled.output.display();
    writeln!(
        out,
        "{} products from {} in `{folder}`",
        crawled.products,
        visible_line(&crawled.shop)
    )?;
    write!(
        out,
        "{} pages fetched, one every {} s",
        crawled.fetched, crawled.delay
    )?;
    for (count, what) in [
        (crawled.unchanged, "unchanged"),
        (crawled.without_product, "without a product"),
        (crawled.gone, "gone"),
        (crawled.failures, "failed"),
        (crawled.not_visited, "addresses not visited"),
        (crawled.over_limit, "over the limit"),
    ] {
        if count > 0 {
            write!(out, ", {count} {what}")?;
        }
    }
    writeln!(out)?;
    if crawled.not_visited > 0 {
        writeln!(
            out,
            "why an address was not visited stands in `{folder}/crawl.json`"
        )?;
    }
    changes(&crawled.changes, out)
}

fn changes(changes: &Changes, out: &mut dyn Write) -> fmt::Result {
    for (list, what) in [
        (&changes.new, "new"),
        (&changes.vanished, "vanished"),
        (&changes.price, "price"),
        (&changes.availability, "availability"),
        (&changes.renamed, "renamed"),
    ] {
        for change in list.iter().take(20) {
            self::change(what, change, out)?;
        }
        if list.len() > 20 {
            writeln!(out, "{what}: and {} more", list.len() - 20)?;
        }
    }
    Ok(())
}

fn change(what: &str, change: &Change, out: &mut dyn Write) -> fmt::Result {
    write!(out, "{what}: {}", visible_line(&change.name))?;
    if let (Some(before), Some(now)) = (&change.before, &change.now) {
        write!(out, ", {} -> {}", visible_line(before), visible_line(now))?;
    }
    writeln!(out)
}

fn page(page: &Page, out: &mut dyn Write) -> fmt::Result {
    match &page.product {
        Some(product) => self::product(product, out)?,
        None => writeln!(out, "no main product")?,
    }
    for other in &page.others {
        let price = other
            .price
            .as_ref()
            .map_or_else(|| "no price".to_owned(), ToString::to_string);
        writeln!(out, "also: {}, {price}", visible_line(&other.name))?;
    }
    for script in &page.scripts {
        if let Some(why) = &script.unreadable {
            writeln!(out, "script {}: unreadable, {}", script.number, visible_line(why))?;
        } else if !script.repairs.is_empty() {
            writeln!(
                out,
                "script {}: repaired, {}",
                script.number,
                script.repairs.join("; ")
            )?;
        }
    }
    for note in &page.notes {
        writeln!(out, "note: {}", visible_line(note))?;
    }
    Ok(())
}

fn product(product: &Product, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "{}", visible_line(&product.name))?;
    let source = |field: &str| {
        let first = product.evidence.get(field).and_then(|all| all.first());
        first.map_or_else(String::new, |first| {
            format!("   ({}, {})", first.source.name(), visible_line(&first.place))
        })
    };
    let availability = (!product.availability.is_empty()).then(|| product.availability.join(", "));
    for (field, value) in [
        ("price", product.price.as_ref().map(ToString::to_string)),
        (
            "list_price",
            product.price.as_ref().and_then(|price| price.list_price.clone()),
        ),
        ("availability", availability),
        ("sku", product.sku.clone()),
        ("gtin", product.gtin.clone()),
        ("brand", product.brand.clone()),
    ] {
        if let Some(value) = value {
            writeln!(
                out,
                "  {}: {}{}",
                field.replace('_', " "),
                visible_line(&value),
                source(field)
            )?;
        }
    }
    for variant in &product.variants {
        let price = variant
            .price
            .as_ref()
            .map_or_else(|| "no price".to_owned(), ToString::to_string);
        let availability = variant.availability.join(", ");
        writeln!(
            out,
            "  variant {}: {price} {}",
            visible_line(&variant.name),
            visible_line(&availability)
        )?;
    }
    for link in &product.links {
        writeln!(out, "  variant on another page: {}", visible_line(link))?;
    }
    for conflict in &product.conflicts {
        let said: Vec<String> = conflict
            .values
            .iter()
            .map(|claim| format!("{} {}", claim.source.name(), visible_line(&claim.value)))
            .collect();
        writeln!(out, "  conflict, {}: {}", conflict.field, said.join(" / "))?;
    }
    for note in &product.notes {
        writeln!(out, "  note: {}", visible_line(note))?;
    }
    Ok(())
}

fn links(found: &LinkList, out: &mut dyn Write) -> fmt::Result {
    match &found.list {
        Some(list) => writeln!(
            out,
            "{} product links on {}",
            found.links.len(),
            visible_line(list)
        )?,
        None => writeln!(out, "the first page links no list of products")?,
    }
    for link in &found.links {
        writeln!(out, "{}", visible_line(link))?;
    }
    Ok(())
}

fn robots(answer: &RobotsAnswer, out: &mut dyn Write) -> fmt::Result {
    for url in &answer.urls {
        let word = if url.allowed { "allowed  " } else { "forbidden" };
        let rule = url.rule.as_deref().map_or_else(
            || "no rule fits".to_owned(),
            |rule| visible_line(rule).into_owned(),
        );
        writeln!(out, "{word} {}   ({rule})", visible_line(&url.url))?;
    }
    if let Some(delay) = answer.crawl_delay {
        writeln!(out, "crawl delay: {delay} s")?;
    }
    for sitemap in &answer.sitemaps {
        writeln!(out, "sitemap: {}", visible_line(sitemap))?;
    }
    for warning in &answer.warnings {
        writeln!(out, "warning: {}", visible_line(warning))?;
    }
    Ok(())
}

fn price(answer: &PriceAnswer, out: &mut dyn Write) -> fmt::Result {
    let reading = &answer.reading;
    let Some(amount) = reading.amount else {
        return Ok(());
    };
    if reading.free {
        writeln!(out, "free")?;
    } else {
        let from = if reading.from { "from " } else { "" };
        let to = reading.to.map_or_else(String::new, |to| format!("..{to}"));
        let currency = reading.currency.as_deref().unwrap_or("(no currency)");
        writeln!(out, "{from}{amount}{to} {currency}")?;
    }
    for (what, value) in [
        ("list price", reading.list_price.map(|list| list.to_string())),
        ("beside", reading.unit.clone()),
        ("ambiguous", reading.ambiguous.clone()),
    ] {
        if let Some(value) = value {
            writeln!(out, "{what}: {}", visible_line(&value))?;
        }
    }
    for note in &reading.notes {
        writeln!(out, "note: {}", visible_line(note))?;
    }
    Ok(())
}

/// A result that came with a failure.
pub fn partial(output: &Value, out: &mut dyn Write) -> fmt::Result {
    let count = |name: &str| output[name].as_u64().unwrap_or(0);
    match output["action"]
        .as_str()
        .or_else(|| output.get("shop").map(|_| "crawl"))
    {
        Some("crawl") => {
            writeln!(
                out,
                "{} products, {} pages fetched",
                count("products"),
                count("fetched")
            )?;
            for failed in output["failed"].as_array().into_iter().flatten() {
                let text = |name: &str| visible_line(failed[name].as_str().unwrap_or_default()).into_owned();
                writeln!(out, "failed: {}: {}", text("url"), text("why"))?;
            }
            Ok(())
        }
        _ if output["urls"].is_array() => {
            for url in output["urls"].as_array().into_iter().flatten() {
                let text = |name: &str| visible_line(url[name].as_str().unwrap_or_default()).into_owned();
                let word = if url["allowed"] == true {
                    "allowed  "
                } else {
                    "forbidden"
                };
                let rule = if url["rule"].is_string() {
                    text("rule")
                } else {
                    "no rule fits".to_owned()
                };
                writeln!(out, "{word} {}   ({rule})", text("url"))?;
            }
            Ok(())
        }
        _ => app_core::render_value(output, out),
    }
}
