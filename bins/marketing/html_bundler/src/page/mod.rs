//! Finds what a page refers to and puts it into the page.

use std::collections::HashMap;

use scraper::{ElementRef, Html};

mod linked;

use crate::{
    css,
    embed::{Embedder, Found, Kind},
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

/// A page under work.
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
                edit.text = Some(linked::guarded(&sheet.text));
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{embed::Rules, load::Store};

    fn bundled(html: &str, address: &str, style: &Style) -> (String, Vec<String>) {
        let rules = Rules {
            kinds: Kind::ALL.to_vec(),
            ..Rules::default()
        };
        let store = Store::default();
        let mut embedder = Embedder::new(&store, &rules, true);
        let base = Location::parse(address, None).unwrap();
        let page = bundle(html, &base, style, &mut embedder);
        (page, embedder.wanted.iter().map(Location::name).collect())
    }

    #[test]
    fn everything_a_page_shows_is_wanted_once() {
        let html = "<base href=/b/><link rel='shortcut icon' href=i.ico><link rel=stylesheet href=s.css>\
            <link rel=preload href=p.woff2 as=font><script src=j.js defer></script><style>a{b:url(k.png)}</style>\
            <body background=g.png><img src=a.png srcset='a.png 1x, c.png 2x' style='x:url(d.png)'>\
            <picture><source srcset=e.webp></picture><video poster=f.jpg><source src=v.mp4></video>\
            <audio src=u.ogg></audio><iframe src=w.html></iframe><a href=link.html>x</a><img src='data:,x'>";
        let (page, wanted) = bundled(html, "https://s.example/", &Style::default());
        let names: Vec<_> = wanted
            .iter()
            .map(|name| name.rsplit('/').next().unwrap())
            .collect();
        let expected = [
            "i.ico", "s.css", "j.js", "k.png", "g.png", "a.png", "c.png", "d.png", "e.webp", "f.jpg",
            "v.mp4", "u.ogg", "w.html",
        ];
        assert_eq!(names, expected);
        assert!(page.contains("<a href=\"https://s.example/b/link.html\">"));
        assert!(!page.contains("<base") && !page.contains("preload"));
    }

    #[test]
    fn an_isolated_page_says_so_and_foreign_policies_go() {
        let html = "<meta charset=koi8-r><meta http-equiv=Content-Security-Policy content=\"default-src 'self'\"><p>x";
        let (page, _) = bundled(
            html,
            "page.html",
            &Style {
                isolate: true,
                ..Style::default()
            },
        );
        assert_eq!(page.matches("Content-Security-Policy").count(), 1);
        assert!(page.contains("<head><meta charset=\"utf-8\"><meta http-equiv"));
        assert!(page.contains("data: blob:") && !page.contains("'self'"));
    }

    /// Pieces that are likely to upset a parser when they meet.
    fn hostile() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            "<",
            ">",
            "<style>",
            "</style>",
            "<img src=",
            "srcset=",
            "\"",
            "'",
            "a.png",
            " 2x,",
            "url(",
            ")",
            "@import ",
            "{",
            "}",
            "\\",
            "<iframe srcdoc=",
            "<link rel=stylesheet href=",
            "<base href=",
            "<script src=",
            "</script>",
            "<!--",
            "&",
            "é",
            "\n",
            "<svg><use xlink:href=",
            "<template>",
            "<table background=",
            "style=",
            "http://[",
            "//",
            "%zz",
            "#",
            "?",
            "\0",
            "layer(",
        ]);
        prop::collection::vec(pieces, 0..50).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_page_makes_it_panic(html in prop_oneof![hostile(), any::<String>()]) {
            for address in ["https://s.example/a/b", "site/page.html"] {
                bundled(&html, address, &Style { isolate: true, drop_excluded: true });
            }
        }
    }
}
