//! Sheets, scripts and frames: what a page refers to and what again refers to something.

use scraper::ElementRef;

use super::{Work, bundle};
use crate::{
    css,
    embed::{Found, Kind},
    integrity,
    load::Resource,
    markup::Edit,
    media_type::data_url,
};

impl Work<'_, '_> {
    /// A link element, by what it links to.
    pub(super) fn link(&mut self, element: ElementRef<'_>, edit: &mut Edit) {
        let rel = element.attr("rel").unwrap_or("").to_ascii_lowercase();
        let has = |word: &str| rel.split_ascii_whitespace().any(|found| found == word);
        let preload_style = has("preload")
            && element
                .attr("as")
                .is_some_and(|to| to.eq_ignore_ascii_case("style"));
        if has("stylesheet") || preload_style {
            return self.stylesheet(element, has("stylesheet") && !has("alternate"), edit);
        }
        if has("icon") || has("apple-touch-icon") || has("apple-touch-icon-precomposed") || has("mask-icon") {
            return self.leaf(element, "href", Kind::Icons, edit);
        }
        if [
            "preload",
            "prefetch",
            "modulepreload",
            "dns-prefetch",
            "preconnect",
            "prerender",
        ]
        .iter()
        .any(|w| has(w))
        {
            // What it announces is in the page now.
            edit.drop = true;
            return;
        }
        self.absolute(element, "href", edit);
    }

    /// A linked sheet: a style element in its place, or a data URL where the link itself matters.
    fn stylesheet(&mut self, element: ElementRef<'_>, as_style: bool, edit: &mut Edit) {
        let Some(href) = element.attr("href") else { return };
        match self.embedder.find(href, &self.base, Kind::Css) {
            Found::Resource(resource) => {
                if let Some(reason) = broken(element, resource) {
                    self.embedder
                        .leave_out(resource.location.name(), Kind::Css, reason);
                    return;
                }
                let text = resource.text();
                let location = resource.location.clone();
                let sheet = self
                    .embedder
                    .descend(&location, |inner| css::embed(&text, &location, inner));
                let sheet = sheet.unwrap_or_default();
                clean(edit);
                if as_style && element.attr("disabled").is_none() {
                    edit.rename = Some("style");
                    edit.text = Some(guarded(&sheet.text));
                    for gone in ["href", "rel", "type", "as"] {
                        edit.remove(gone);
                    }
                } else {
                    edit.set("href", data_url("text/css", sheet.text.as_bytes()));
                }
            }
            Found::Address(address) => self.kept(Kind::Css, "href", address, edit),
        }
    }

    /// A script: inline where that means the same, else a data URL.
    pub(super) fn script(&mut self, element: ElementRef<'_>, edit: &mut Edit) {
        let Some(src) = element.attr("src") else {
            if self.style.drop_excluded && !self.embedder.takes(Kind::Scripts) && is_code(element) {
                edit.drop = true;
            }
            return;
        };
        match self.embedder.find(src, &self.base, Kind::Scripts) {
            Found::Resource(resource) => {
                if let Some(reason) = broken(element, resource) {
                    self.embedder
                        .leave_out(resource.location.name(), Kind::Scripts, reason);
                    return;
                }
                clean(edit);
                let text = resource.text();
                let module = element
                    .attr("type")
                    .is_some_and(|kind| kind.eq_ignore_ascii_case("module"));
                let waits = module || element.attr("defer").is_some() || element.attr("async").is_some();
                let lower = text.to_ascii_lowercase();
                if module && imports_modules(&text) {
                    let reason = "the modules that this one imports";
                    self.embedder
                        .leave_out(resource.location.name(), Kind::Scripts, reason);
                }
                // Only a script that blocks means the same inline, and only if it cannot end its element early.
                if waits || lower.contains("</script") || lower.contains("<!--") {
                    let utf8 = text.as_bytes();
                    edit.set("src", data_url("text/javascript", utf8));
                } else {
                    edit.remove("src");
                    edit.text = Some(text);
                }
            }
            Found::Address(address) => self.kept(Kind::Scripts, "src", address, edit),
        }
    }

    /// A frame: its page goes into `srcdoc`; anything else and `<frame>` get a data URL.
    pub(super) fn frame(&mut self, element: ElementRef<'_>, edit: &mut Edit) {
        if let Some(inner) = element.attr("srcdoc") {
            if web::html::check_depth(inner, "srcdoc").is_err() {
                return;
            }
            let base = self.base.clone();
            let style = self.style.clone();
            let inner = self
                .embedder
                .descend(&base, |embedder| bundle(inner, &base, &style, embedder));
            if let Some(inner) = inner {
                edit.set("srcdoc", inner);
            }
            return;
        }
        let Some(src) = element
            .attr("src")
            .filter(|src| !src.is_empty() && !src.starts_with("about:"))
        else {
            return;
        };
        match self.embedder.find(src, &self.base, Kind::Frames) {
            Found::Resource(resource) if resource.media_type == "text/html" => {
                let text = resource.text();
                if web::html::check_depth(&text, src).is_err() {
                    return;
                }
                let location = resource.location.clone();
                let style = self.style.clone();
                let inner = self
                    .embedder
                    .descend(&location, |embedder| bundle(&text, &location, &style, embedder));
                let Some(inner) = inner else { return };
                if element.value().name() == "iframe" {
                    edit.remove("src");
                    edit.set("srcdoc", inner);
                } else {
                    edit.set("src", data_url("text/html", inner.as_bytes()));
                }
            }
            Found::Resource(resource) => {
                let address = self.embedder.data_url(resource, Kind::Frames);
                edit.set("src", address);
            }
            Found::Address(address) => self.kept(Kind::Frames, "src", address, edit),
        }
    }
}

/// Why a resource may not be used: its content is not what the page states.
fn broken(element: ElementRef<'_>, resource: &Resource) -> Option<&'static str> {
    let stated = element
        .attr("integrity")
        .filter(|stated| !stated.trim().is_empty())?;
    (!integrity::matches(stated, &resource.bytes))
        .then_some("its content does not match the integrity attribute")
}

/// Attributes that mean nothing, or the wrong thing, for embedded content.
fn clean(edit: &mut Edit) {
    for gone in [
        "integrity",
        "crossorigin",
        "nonce",
        "referrerpolicy",
        "fetchpriority",
    ] {
        edit.remove(gone);
    }
}

/// A sheet that cannot end its style element early.
pub(super) fn guarded(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(at) = rest.to_ascii_lowercase().find("</style") {
        out.push_str(&rest[..at]);
        out.push_str("<\\/");
        rest = &rest[at + 2..];
    }
    out.push_str(rest);
    out
}

/// Whether a script element holds code, not data such as JSON-LD.
fn is_code(element: ElementRef<'_>) -> bool {
    let kind = element.attr("type").unwrap_or("").to_ascii_lowercase();
    kind.is_empty() || kind.contains("javascript") || kind == "module" || kind == "importmap"
}

/// Whether a module imports others by address.
fn imports_modules(text: &str) -> bool {
    let marks = [
        "from \"",
        "from '",
        "from\"",
        "from'",
        "import \"",
        "import '",
        "import\"",
        "import'",
        "import(",
    ];
    marks.iter().any(|mark| text.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_cannot_end_its_element() {
        assert_eq!(guarded("a{b:\"</STYLE>\"}c"), "a{b:\"<\\/STYLE>\"}c");
    }

    #[test]
    fn modules_are_told_from_plain_scripts() {
        assert!(imports_modules("import {a} from './b.js'"));
        assert!(!imports_modules("let important = 1"));
    }
}
