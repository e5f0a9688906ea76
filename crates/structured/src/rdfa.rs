//! RDFa in the subset that shops use (RDFa Lite): `vocab`, `typeof`, `property`, `resource`.

use scraper::{ElementRef, Html};
use url::Url;

use crate::{
    evidence::Source,
    microdata::{Marks, Walk},
    node::{Node, term},
};

/// The things of a page that RDFa describes in the words of schema.org.
pub fn read(html: &Html, base: Option<&Url>) -> Vec<Node> {
    if !crate::microdata::has_attribute(html, "typeof") {
        return Vec::new();
    }
    let mut walk = Walk {
        html,
        base,
        source: Source::Rdfa,
        left: 20_000,
        marks: &marks,
    };
    walk.tops()
}

fn marks(element: ElementRef<'_>) -> Marks {
    let value = element.value();
    // `og:title` and the like belong to another vocabulary; a name without a prefix is taken for one of schema.org,
    // which `vocab` mostly says.
    let words = |name: &str| -> Vec<String> {
        let words = value.attr(name).unwrap_or_default().split_ascii_whitespace();
        words
            .map(|word| term(word).to_owned())
            .filter(|word| !word.contains(':'))
            .collect()
    };
    let types = words("typeof");
    Marks {
        thing: (!types.is_empty()).then_some(types),
        id: value
            .attr("resource")
            .or_else(|| value.attr("about"))
            .map(str::to_owned),
        properties: words("property"),
        elsewhere: Vec::new(),
    }
}
