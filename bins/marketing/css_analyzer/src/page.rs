//! What a page says about its sheets: style elements and links in document order.

use scraper::{Html, Selector};
use web::{Location, charset::Encoding};

/// One style element or link of a page.
#[derive(Debug)]
pub enum Found {
    /// The text of a style element.
    Style(String),
    /// A linked sheet.
    Link {
        /// Its address.
        href: String,
        /// The encoding that the link names for it.
        charset: Option<&'static Encoding>,
    },
}

/// Style elements and linked sheets in document order with their media, and the page's base address.
pub fn references(html: &str, location: Location) -> (Location, Vec<(Found, String)>) {
    let document = Html::parse_document(html);
    let Ok(selector) = Selector::parse("style, link[href], base[href]") else {
        return (location, Vec::new());
    };
    let mut base = None;
    let mut found = Vec::new();
    for element in document.select(&selector) {
        let media = element.attr("media").unwrap_or("").trim();
        let media = if media.eq_ignore_ascii_case("all") {
            ""
        } else {
            media
        }
        .to_owned();
        let href = element.attr("href").unwrap_or("");
        match element.value().name() {
            "style" => found.push((Found::Style(element.text().collect()), media)),
            // Only the first one counts, also when it cannot be one.
            "base" if base.is_none() => base = Some(location.join(href)),
            "link" => {
                let rel = element.attr("rel").unwrap_or("");
                let sheet = rel
                    .split_ascii_whitespace()
                    .any(|word| word.eq_ignore_ascii_case("stylesheet"));
                if sheet {
                    let charset = element
                        .attr("charset")
                        .and_then(|label| Encoding::for_label(label.as_bytes()));
                    let href = href.to_owned();
                    found.push((Found::Link { href, charset }, media));
                }
            }
            _ => {}
        }
    }
    (base.flatten().unwrap_or(location), found)
}
