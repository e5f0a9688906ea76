//! The links of a page, and which of them lead to products.

use std::collections::HashSet;

use scraper::{Html, Selector};
use structured::robots;
use url::Url;

/// Links of one page, at most.
const MOST: usize = 50_000;

/// The links of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Addresses in their order, each once, without fragment.
    pub all: Vec<Url>,
    /// The next page of a list.
    pub next: Option<Url>,
}

/// Reads the links of a page at this address.
pub fn links(html: &str, url: &Url) -> Links {
    let html = Html::parse_document(html);
    let mut found = Links::default();
    let (Ok(anchors), Ok(bases)) = (
        Selector::parse("a[href], link[rel][href]"),
        Selector::parse("base[href]"),
    ) else {
        return found;
    };
    let stated = html
        .select(&bases)
        .next()
        .and_then(|element| element.value().attr("href"));
    let base = stated
        .and_then(|href| url.join(href.trim()).ok())
        .unwrap_or_else(|| url.clone());
    let mut known = HashSet::new();
    for element in html.select(&anchors) {
        let value = element.value();
        let Some(mut link) = value.attr("href").and_then(|href| base.join(href.trim()).ok()) else {
            continue;
        };
        if !matches!(link.scheme(), "http" | "https") {
            continue;
        }
        link.set_fragment(None);
        let is_next = value.attr("rel").is_some_and(|rel| {
            rel.split_ascii_whitespace()
                .any(|word| word.eq_ignore_ascii_case("next"))
        });
        if is_next {
            found.next.get_or_insert_with(|| link.clone());
        }
        if value.name() == "a" && found.all.len() < MOST && known.insert(link.clone()) {
            found.all.push(link);
        }
    }
    found
}

/// Which addresses are product pages.
#[derive(Clone, Debug)]
pub struct Matching {
    patterns: Vec<String>,
}

impl Matching {
    /// By texts that the path holds, `*` standing for anything.
    pub fn new(texts: &[String]) -> Self {
        Self {
            patterns: texts.iter().map(|text| format!("*{text}")).collect(),
        }
    }

    /// Whether texts were given.
    pub fn is_given(&self) -> bool {
        !self.patterns.is_empty()
    }

    /// Whether path and query fit one of the texts.
    pub fn fits(&self, url: &Url) -> bool {
        let asked = &url[url::Position::BeforePath..];
        self.patterns
            .iter()
            .any(|pattern| robots::matches(pattern, asked))
    }

    /// Whether a link leads to a product: by the texts; without them by the rule of the replaced script, `/product-page/`
    /// anywhere or `/product/` at the beginning.
    pub fn is_product(&self, url: &Url) -> bool {
        if self.is_given() {
            self.fits(url)
        } else {
            url.as_str().contains("/product-page/") || url.path().starts_with("/product/")
        }
    }
}

/// Whether an address holds one of the texts that list pages have.
pub fn is_list(url: &Url, texts: &[String]) -> bool {
    texts.iter().any(|text| url.as_str().contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_told_from_the_base_of_the_page_and_once() {
        let url = Url::parse("https://shop.example/a/b").unwrap();
        let html = "<base href=/c/><a href=x>1</a><a href='x#top'>2</a><a>none</a><a href='mailto:a@b'>m</a>\
            <link rel='next' href='?page=2'><a href='https://other.example/'>o</a>";
        let found = links(html, &url);
        let all: Vec<_> = found.all.iter().map(Url::as_str).collect();
        assert_eq!(all, ["https://shop.example/c/x", "https://other.example/"]);
        assert_eq!(found.next.unwrap().as_str(), "https://shop.example/c/?page=2");
    }

    #[test]
    fn products_are_known_by_texts_or_by_the_old_rule() {
        let fits = |texts: &[&str], url: &str| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            Matching::new(&texts).is_product(&Url::parse(url).unwrap())
        };
        assert!(
            fits(&[], "https://shop.example/product/one")
                && fits(&[], "https://shop.example/x?u=/product-page/y")
        );
        assert!(
            !fits(&[], "https://shop.example/products/four")
                && !fits(&[], "https://shop.example/x/product/y")
        );
        assert!(
            fits(&["/p/"], "https://shop.example/en/p/1")
                && !fits(&["/p/"], "https://shop.example/product/1")
        );
        assert!(fits(&["/en/*.html$"], "https://shop.example/en/p/1.html"));
        assert!(!fits(&["/en/*.html$"], "https://shop.example/en/p/1.html?x"));
    }
}
