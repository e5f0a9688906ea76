//! Finds what a page refers to and puts it into the page.

use std::collections::HashMap;

use scraper::{ElementRef, Html};

use crate::{
    css,
    embed::{Embedder, Found, Kind},
    integrity,
    load::Resource,
    location::Location,
    markup::{self, Edit, NodeId},
    srcset,
};

/// How the page is written.
#[derive(Clone, Debug, Default)]
pub struct Style {
    /// Adds a content security policy that forbids every request.
    pub isolate: bool,
    /// Removes elements whose kind is excluded, instead of leaving their address.
    pub drop_excluded: bool,
}

/// The page at `base` with its resources embedded.
pub fn bundle(html: &str, base: &Location, style: &Style, embedder: &mut Embedder<'_>) -> String {
    let page = Html::parse_document(html);
    let mut work = Work {
        base: document_base(&page, base),
        style,
        embedder,
        edits: HashMap::new(),
    };
    let mut position = 0;
    for node in page.tree.root().descendants() {
        if let Some(element) = ElementRef::wrap(node) {
            work.element(element, position);
            position += 1;
        }
    }
    work.head(&page);
    markup::print(&page, &work.edits)
}

/// The title of a page.
pub fn title(html: &str) -> Option<String> {
    let page = Html::parse_document(html);
    let title = page
        .tree
        .root()
        .descendants()
        .filter_map(ElementRef::wrap)
        .find(|e| e.value().name() == "title")?;
    Some(title.text().collect::<String>().trim().to_owned()).filter(|text| !text.is_empty())
}

fn document_base(page: &Html, location: &Location) -> Location {
    let mut elements = page.tree.root().descendants().filter_map(ElementRef::wrap);
    let href = elements.find_map(|e| (e.value().name() == "base").then(|| e.attr("href")).flatten());
    href.and_then(|href| location.join(href))
        .unwrap_or_else(|| location.clone())
}

struct Work<'w, 's> {
    base: Location,
    style: &'w Style,
    embedder: &'w mut Embedder<'s>,
    edits: HashMap<NodeId, Edit>,
}

impl Work<'_, '_> {
    fn element(&mut self, element: ElementRef<'_>, at: NodeId) {
        let mut edit = Edit::default();
        let name = element.value().name();
        match name {
            // Relative links become absolute below, and `#part` must stay on this page.
            "base" => edit.drop = true,
            "meta" => self.meta(element, &mut edit),
            "link" => self.link(element, &mut edit),
            "style" => {
                let css: String = element.text().collect();
                let sheet = css::embed(&css, &self.base, self.embedder);
                edit.text = Some(guarded(&sheet.text));
            }
            "script" => self.script(element, &mut edit),
            "img" => {
                for attribute in ["src", "data-src"] {
                    self.leaf(element, attribute, Kind::Images, &mut edit);
                }
                for attribute in ["srcset", "data-srcset"] {
                    self.srcset(element, attribute, &mut edit);
                }
            }
            "source" => match parent_name(element).as_deref() {
                Some("video") => self.leaf(element, "src", Kind::Video, &mut edit),
                Some("audio") => self.leaf(element, "src", Kind::Audio, &mut edit),
                _ => {
                    self.leaf(element, "src", Kind::Images, &mut edit);
                    self.srcset(element, "srcset", &mut edit);
                }
            },
            "video" => {
                self.leaf(element, "poster", Kind::Images, &mut edit);
                self.leaf(element, "src", Kind::Video, &mut edit);
            }
            "audio" => self.leaf(element, "src", Kind::Audio, &mut edit),
            "track" => self.leaf(element, "src", Kind::Video, &mut edit),
            "input"
                if element
                    .attr("type")
                    .is_some_and(|t| t.eq_ignore_ascii_case("image")) =>
            {
                self.leaf(element, "src", Kind::Images, &mut edit);
            }
            "image" | "feImage" => {
                self.leaf(element, "href", Kind::Images, &mut edit);
                self.leaf(element, "xlink:href", Kind::Images, &mut edit);
            }
            "use" => {
                for attribute in ["href", "xlink:href"] {
                    self.sprite(element, attribute, &mut edit);
                }
            }
            "body" | "table" | "thead" | "tbody" | "tr" | "td" | "th" => {
                self.leaf(element, "background", Kind::Images, &mut edit);
            }
            "iframe" | "frame" => self.frame(element, &mut edit),
            "embed" => self.leaf(element, "src", Kind::Frames, &mut edit),
            "object" => self.leaf(element, "data", Kind::Frames, &mut edit),
            "a" | "area" => self.absolute(element, "href", &mut edit),
            "form" => self.absolute(element, "action", &mut edit),
            "button" => self.absolute(element, "formaction", &mut edit),
            _ => {}
        }
        if let Some(style) = element.attr("style").filter(|style| style.contains('(')) {
            edit.set("style", css::embed(style, &self.base, self.embedder).text);
        }
        self.edits.insert(at, edit);
    }

    fn meta(&mut self, element: ElementRef<'_>, edit: &mut Edit) {
        let equiv = element.attr("http-equiv").unwrap_or("").to_ascii_lowercase();
        // The page is written in UTF-8 and says so once; a policy of the site would forbid data URLs.
        edit.drop = element.attr("charset").is_some()
            || matches!(equiv.as_str(), "content-type" | "content-security-policy");
        let names = element.attr("property").or(element.attr("name")).unwrap_or("");
        if matches!(names, "og:image" | "og:url" | "twitter:image") {
            self.absolute(element, "content", edit);
        }
    }

    fn link(&mut self, element: ElementRef<'_>, edit: &mut Edit) {
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
                if let Some(reason) = self.broken(element, resource) {
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
                    edit.set(
                        "href",
                        crate::media_type::data_url("text/css", sheet.text.as_bytes()),
                    );
                }
            }
            Found::Address(address) => self.kept(Kind::Css, "href", address, edit),
        }
    }

    fn script(&mut self, element: ElementRef<'_>, edit: &mut Edit) {
        let Some(src) = element.attr("src") else {
            if self.style.drop_excluded && !self.embedder.takes(Kind::Scripts) && is_code(element) {
                edit.drop = true;
            }
            return;
        };
        match self.embedder.find(src, &self.base, Kind::Scripts) {
            Found::Resource(resource) => {
                if let Some(reason) = self.broken(element, resource) {
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
                    edit.set("src", crate::media_type::data_url("text/javascript", utf8));
                } else {
                    edit.remove("src");
                    edit.text = Some(text);
                }
            }
            Found::Address(address) => self.kept(Kind::Scripts, "src", address, edit),
        }
    }

    /// A frame: its page goes into `srcdoc`; anything else and `<frame>` get a data URL.
    fn frame(&mut self, element: ElementRef<'_>, edit: &mut Edit) {
        if let Some(inner) = element.attr("srcdoc") {
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
                    edit.set("src", crate::media_type::data_url("text/html", inner.as_bytes()));
                }
            }
            Found::Resource(resource) => {
                let address = self.embedder.data_url(resource, Kind::Frames);
                edit.set("src", address);
            }
            Found::Address(address) => self.kept(Kind::Frames, "src", address, edit),
        }
    }

    /// An attribute whose resource is embedded as it is.
    fn leaf(&mut self, element: ElementRef<'_>, attribute: &str, kind: Kind, edit: &mut Edit) {
        let Some(value) = attribute_value(element, attribute) else {
            return;
        };
        if inline(&value) {
            return;
        }
        match self.embedder.find(&value, &self.base, kind) {
            Found::Resource(resource) => {
                let fragment = value.find('#').map_or("", |at| &value[at..]);
                edit.set(
                    attribute,
                    format!("{}{fragment}", self.embedder.data_url(resource, kind)),
                );
                edit.remove("crossorigin");
            }
            Found::Address(address) => self.kept(kind, attribute, address, edit),
        }
    }

    fn srcset(&mut self, element: ElementRef<'_>, attribute: &str, edit: &mut Edit) {
        let Some(value) = element.attr(attribute) else {
            return;
        };
        let mut candidates = srcset::parse(value);
        for candidate in candidates
            .iter_mut()
            .filter(|candidate| !inline(&candidate.address))
        {
            candidate.address = match self.embedder.find(&candidate.address, &self.base, Kind::Images) {
                Found::Resource(resource) => self.embedder.data_url(resource, Kind::Images),
                Found::Address(address) => address,
            };
        }
        if self.style.drop_excluded && !self.embedder.takes(Kind::Images) {
            edit.remove(attribute);
        } else {
            edit.set(attribute, srcset::print(&candidates));
        }
    }

    /// Browsers refuse data URLs in `<use>`.
    fn sprite(&mut self, element: ElementRef<'_>, attribute: &str, edit: &mut Edit) {
        let Some(value) = attribute_value(element, attribute).filter(|value| !inline(value)) else {
            return;
        };
        if let Some(location) = self.base.join(&value) {
            let reason = "browsers show no external SVG symbols from a data URL";
            self.embedder.leave_out(location.name(), Kind::Images, reason);
        }
        self.absolute(element, attribute, edit);
    }

    /// An address that stays: absolute, or gone where its kind is excluded and wanted out.
    fn kept(&mut self, kind: Kind, attribute: &str, address: String, edit: &mut Edit) {
        if self.style.drop_excluded && !self.embedder.takes(kind) {
            if matches!(kind, Kind::Css | Kind::Scripts | Kind::Icons) {
                edit.drop = true;
            } else {
                edit.remove(attribute);
            }
        } else {
            edit.set(attribute, address);
        }
    }

    fn absolute(&mut self, element: ElementRef<'_>, attribute: &str, edit: &mut Edit) {
        let Some(value) = attribute_value(element, attribute) else {
            return;
        };
        if let Location::Web(_) = self.base
            && !inline(&value)
            && let Some(location) = self.base.join(&value)
        {
            edit.set(attribute, location.name());
        }
    }

    /// Why a resource may not be used: its content is not what the page states.
    fn broken(&self, element: ElementRef<'_>, resource: &Resource) -> Option<&'static str> {
        let stated = element
            .attr("integrity")
            .filter(|stated| !stated.trim().is_empty())?;
        (!integrity::matches(stated, &resource.bytes))
            .then_some("its content does not match the integrity attribute")
    }

    /// Charset and policy at the beginning of the head.
    fn head(&mut self, page: &Html) {
        let mut elements = page.tree.root().descendants().filter_map(ElementRef::wrap);
        let Some(at) = elements.position(|element| element.value().name() == "head") else {
            return;
        };
        let mut first = "<meta charset=\"utf-8\">".to_owned();
        if self.style.isolate {
            first.push_str(&policy(self.embedder));
        }
        self.edits.entry(at).or_default().first = first;
    }
}

/// A policy that lets the page use only what is in it.
fn policy(embedder: &Embedder<'_>) -> String {
    let mut policy = "default-src 'unsafe-eval' 'unsafe-inline' data: blob:;".to_owned();
    let directives = [
        (Kind::Css, "style-src 'none';"),
        (Kind::Scripts, "script-src 'none';"),
        (Kind::Images, "img-src 'none';"),
        (Kind::Fonts, "font-src 'none';"),
        (Kind::Frames, "frame-src 'none'; child-src 'none';"),
    ];
    for (kind, directive) in directives {
        if !embedder.takes(kind) {
            policy.push(' ');
            policy.push_str(directive);
        }
    }
    format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">")
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

/// An address that is in the page already, or is none.
fn inline(value: &str) -> bool {
    let value = value.trim_start();
    let scheme = |name: &str| {
        value
            .get(..name.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(name))
    };
    value.is_empty()
        || value.starts_with('#')
        || ["data:", "blob:", "about:", "javascript:", "mailto:", "tel:"]
            .iter()
            .any(|name| scheme(name))
}

/// A sheet that cannot end its style element early.
fn guarded(css: &str) -> String {
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

fn attribute_value(element: ElementRef<'_>, name: &str) -> Option<String> {
    let mut attributes = element.value().attrs.iter();
    let found = attributes.find(|(key, _)| markup::full_name(key.prefix.as_deref(), &key.local) == name);
    found.map(|(_, value)| value.to_string())
}

fn parent_name(element: ElementRef<'_>) -> Option<String> {
    element
        .parent()
        .and_then(ElementRef::wrap)
        .map(|parent| parent.value().name().to_owned())
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
