//! Finds what a page refers to and puts it into the page.

use std::collections::HashMap;

use scraper::{ElementRef, Html};
use web::{Location, charset::Encoding};

mod head;
mod leaf;
mod linked;
mod scripts;

use crate::{
    css,
    embed::{Embedder, Kind},
    markup::{self, Edit, NodeId},
};

/// How the page is written.
#[derive(Clone, Debug, Default)]
pub struct Style {
    /// Adds a content security policy that forbids every request.
    pub isolate: bool,
    /// Removes elements whose kind is excluded, instead of leaving their address.
    pub drop_excluded: bool,
}

/// A page, or a part of one, and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// Its markup.
    pub html: &'a str,
    /// Where it lies: decides who may see into whom.
    pub location: &'a Location,
    /// What its addresses are relative to, unless it says otherwise.
    pub base: &'a Location,
    /// The encoding it was in.
    pub encoding: &'static Encoding,
}

/// The page with its resources embedded.
pub fn bundle(document: &Document<'_>, style: &Style, embedder: &mut Embedder<'_>) -> String {
    let page = Html::parse_document(document.html);
    let base = document_base(&page, document.base);
    let mut work = Work::new(document, base, style, embedder);
    work.elements(&page);
    work.head(&page);
    markup::print(&page, &work.edits)
}

/// A part of a page with its resources embedded.
fn bundle_part(document: &Document<'_>, style: &Style, embedder: &mut Embedder<'_>) -> String {
    let part = Html::parse_fragment(document.html);
    let mut work = Work::new(document, document.base.clone(), style, embedder);
    work.elements(&part);
    // A part is parsed into an element of its own.
    work.edits.entry(0).or_default().bare = true;
    markup::print(&part, &work.edits)
}

/// The title of a page.
pub fn title(html: &str) -> Option<String> {
    let page = Html::parse_document(html);
    let title = page
        .tree
        .root()
        .descendants()
        .filter_map(ElementRef::wrap)
        .find(|e| e.value().name() == "title" && markup::is_html(e.value()))?;
    Some(title.text().collect::<String>().trim().to_owned()).filter(|text| !text.is_empty())
}

/// What the first `<base href>` says; an address that cannot be one changes nothing.
fn document_base(page: &Html, fallback: &Location) -> Location {
    let mut elements = page.tree.root().descendants().filter_map(ElementRef::wrap);
    let href = elements.find_map(|e| (e.value().name() == "base").then(|| e.attr("href")).flatten());
    href.and_then(|href| fallback.join(href))
        .unwrap_or_else(|| fallback.clone())
}

/// A page under work.
struct Work<'w, 's> {
    document: Document<'w>,
    base: Location,
    style: &'w Style,
    embedder: &'w mut Embedder<'s>,
    edits: HashMap<NodeId, Edit>,
}

impl<'w, 's> Work<'w, 's> {
    fn new(
        document: &Document<'w>,
        base: Location,
        style: &'w Style,
        embedder: &'w mut Embedder<'s>,
    ) -> Self {
        Self {
            document: *document,
            base,
            style,
            embedder,
            edits: HashMap::new(),
        }
    }

    fn elements(&mut self, page: &Html) {
        let elements = page.tree.root().descendants().filter_map(ElementRef::wrap);
        for (at, element) in elements.enumerate() {
            let mut edit = Edit::default();
            self.element(element, &mut edit);
            if self.drops_scripts() {
                scripts::remove(element, &mut edit);
            }
            self.edits.insert(at, edit);
        }
    }

    /// Whether nothing of the page may run.
    fn drops_scripts(&self) -> bool {
        self.style.drop_excluded && !self.embedder.takes(Kind::Scripts)
    }

    fn element(&mut self, element: ElementRef<'_>, edit: &mut Edit) {
        let name = element.value().name();
        let html = markup::is_html(element.value());
        match name {
            "base" => head::base(element, edit),
            "meta" => self.meta(element, edit),
            "link" => self.link(element, edit),
            "style" => {
                let css: String = element.text().collect();
                let sheet = css::embed(&css, &self.base, self.document.encoding, self.embedder);
                edit.text = Some(linked::guarded(&sheet.text));
            }
            "script" if html => self.script(element, edit),
            "script" => {
                self.leaf(element, "href", Kind::Scripts, edit);
                self.leaf(element, "xlink:href", Kind::Scripts, edit);
            }
            "noscript" if html => self.noscript(element, edit),
            "img" => {
                for attribute in ["src", "data-src"] {
                    self.leaf(element, attribute, Kind::Images, edit);
                }
                for attribute in ["srcset", "data-srcset"] {
                    self.srcset(element, attribute, edit);
                }
            }
            "source" => match parent_name(element).as_deref() {
                Some("video") => self.leaf(element, "src", Kind::Video, edit),
                Some("audio") => self.leaf(element, "src", Kind::Audio, edit),
                _ => {
                    self.leaf(element, "src", Kind::Images, edit);
                    self.srcset(element, "srcset", edit);
                }
            },
            "video" => {
                self.leaf(element, "poster", Kind::Images, edit);
                self.leaf(element, "src", Kind::Video, edit);
            }
            "audio" => self.leaf(element, "src", Kind::Audio, edit),
            "track" => self.leaf(element, "src", Kind::Video, edit),
            "input"
                if element
                    .attr("type")
                    .is_some_and(|t| t.eq_ignore_ascii_case("image")) =>
            {
                self.leaf(element, "src", Kind::Images, edit);
            }
            "image" | "feImage" => {
                self.leaf(element, "href", Kind::Images, edit);
                self.leaf(element, "xlink:href", Kind::Images, edit);
            }
            "use" => {
                for attribute in ["href", "xlink:href"] {
                    self.sprite(element, attribute, edit);
                }
            }
            "body" | "table" | "thead" | "tbody" | "tr" | "td" | "th" => {
                self.leaf(element, "background", Kind::Images, edit);
            }
            "iframe" | "frame" | "embed" => self.frame(element, "src", edit),
            "object" => self.frame(element, "data", edit),
            "a" | "area" => {
                self.link_on(element, "href", edit);
                self.link_on(element, "xlink:href", edit);
            }
            "form" => self.link_on(element, "action", edit),
            "button" => self.link_on(element, "formaction", edit),
            _ => {}
        }
        if let Some(style) = element.attr("style").filter(|style| style.contains('(')) {
            edit.set("style", css::embed_declarations(style, &self.base, self.embedder));
        }
        if !html {
            self.presentation(element, edit);
        }
    }

    /// What a page shows where scripts are switched off: markup, though the parser takes it for text.
    fn noscript(&mut self, element: ElementRef<'_>, edit: &mut Edit) {
        let inner: String = element.text().collect();
        if web::html::check_depth(&inner, "noscript").is_err() {
            let reason = "what is in a `noscript` is built too deep to be read";
            self.embedder
                .leave_out(self.document.location, Kind::Frames, reason);
            return;
        }
        let document = Document {
            html: &inner,
            base: &self.base,
            ..self.document
        };
        let inner = bundle_part(&document, self.style, self.embedder);
        // An end tag in an attribute would end the element when the page is read.
        edit.text = Some(linked::without_end(&inner, "noscript", "&lt;/"));
    }
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
        let base = Location::parse(address, None).unwrap();
        let mut embedder = Embedder::new(&store, &rules, &base, true);
        let document = Document {
            html,
            location: &base,
            base: &base,
            encoding: web::charset::UTF_8,
        };
        let page = bundle(&document, style, &mut embedder);
        let wanted = std::mem::take(&mut embedder.wanted).into_order();
        (page, wanted.iter().map(Location::name).collect())
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
