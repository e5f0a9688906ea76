//! Sheets, scripts and frames: what a page refers to and what again refers to something.

use scraper::ElementRef;
use web::{Location, charset::Encoding};

use super::{Document, Work, bundle};
use crate::{
    css,
    embed::{Descent, Found, Kind, is_inline},
    integrity,
    load::Resource,
    markup::Edit,
    media_type::data_url,
    modules,
};

impl<'s> Work<'_, 's> {
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
        self.link_on(element, "href", edit);
    }

    /// A linked sheet: a style element in its place, or a data URL where the link itself matters.
    fn stylesheet(&mut self, element: ElementRef<'_>, as_style: bool, edit: &mut Edit) {
        let Some(href) = element.attr("href").filter(|href| !is_inline(href)) else {
            return;
        };
        let resource = match self.whole(element, href, Kind::Css) {
            Ok(resource) => resource,
            Err(address) => return self.kept(Kind::Css, "href", address, edit),
        };
        let stated = element
            .attr("charset")
            .and_then(|label| Encoding::for_label(label.as_bytes()));
        let decoded = resource.sheet(stated.unwrap_or(self.document.encoding));
        let location = &resource.location;
        let sheet = self
            .embedder
            .descend(location, Kind::Css, decoded.text.len(), |inner| {
                css::embed(&decoded.text, location, decoded.encoding, inner)
            });
        let Descent::Done(sheet) = sheet else {
            let address = self.embedder.stays(href, &self.base);
            return self.kept(Kind::Css, "href", address, edit);
        };
        clean(edit);
        edit.remove("charset");
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

    /// The resource that an attribute names, or the address that stays when it cannot be had or is not what the page
    /// states.
    fn whole(&mut self, element: ElementRef<'_>, address: &str, kind: Kind) -> Result<&'s Resource, String> {
        match self.embedder.find(address, &self.base, kind) {
            Found::Resource(resource) => match broken(element, resource) {
                Some(reason) => {
                    self.embedder.leave_out(&resource.location, kind, reason);
                    Err(self.embedder.stays(address, &self.base))
                }
                None => Ok(resource),
            },
            Found::Address(address) => Err(address),
        }
    }

    /// A script: inline where that means the same, else a data URL.
    pub(super) fn script(&mut self, element: ElementRef<'_>, edit: &mut Edit) {
        let module = element
            .attr("type")
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("module"));
        let Some(src) = element.attr("src").filter(|src| !is_inline(src)) else {
            if element.attr("src").is_none() && is_code(element) {
                let text: String = element.text().collect();
                let base = self.base.clone();
                edit.text = self.imported(&text, &base, module);
            }
            return;
        };
        let resource = match self.whole(element, src, Kind::Scripts) {
            Ok(resource) => resource,
            Err(address) => return self.kept(Kind::Scripts, "src", address, edit),
        };
        let stated = element
            .attr("charset")
            .and_then(|label| Encoding::for_label(label.as_bytes()));
        let text = if module {
            // Modules are always UTF-8.
            String::from_utf8_lossy(
                resource
                    .bytes
                    .strip_prefix(b"\xef\xbb\xbf")
                    .unwrap_or(&resource.bytes),
            )
            .into_owned()
        } else {
            resource.script(stated.unwrap_or(self.document.encoding))
        };
        let text = self.imported(&text, &resource.location, module).unwrap_or(text);
        clean(edit);
        edit.remove("charset");
        let waits = module || element.attr("defer").is_some() || element.attr("async").is_some();
        let lower = text.to_ascii_lowercase();
        // Only a script that blocks means the same inline, and only if it cannot end its element early.
        if waits || lower.contains("</script") || lower.contains("<!--") {
            edit.set("src", data_url("text/javascript", text.as_bytes()));
        } else {
            edit.remove("src");
            edit.text = Some(text);
        }
    }

    /// Notes the modules that a script at `base` imports: they are not embedded. Returns the script with their addresses
    /// written out where they would not be found from the page.
    fn imported(&mut self, script: &str, base: &Location, module: bool) -> Option<String> {
        let imports = modules::imports(script);
        let reason = "modules that scripts import are not embedded";
        let mut out = String::new();
        let mut copied = 0;
        for import in imports.found.iter().filter(|import| module || import.dynamic) {
            let address = &import.address;
            let relative = ["/", "./", "../"].iter().any(|start| address.starts_with(start));
            if !relative && !address.contains(':') {
                // A name that an import map explains.
                self.embedder
                    .leave_out_address(address, &Location::Text, Kind::Scripts, reason);
                continue;
            }
            self.embedder
                .leave_out_address(address, base, Kind::Scripts, reason);
            let stays = self.embedder.stays(address, base);
            if stays != *address {
                out.push_str(&script[copied..import.range.0]);
                let bare = relative && !stays.contains(':') && !stays.starts_with(['.', '/']);
                out.push_str(if bare { "./" } else { "" });
                out.push_str(&stays.replace('\'', "%27").replace('"', "%22").replace('\\', "/"));
                copied = import.range.1;
            }
        }
        if imports.computed > 0 {
            let reason = "a script imports modules whose addresses it computes";
            self.embedder.leave_out(base, Kind::Scripts, reason);
        }
        (copied > 0).then(|| out + &script[copied..])
    }

    /// A frame, or an object that may be one: its page goes into `srcdoc` where it may see the page around it; else, and
    /// with anything but a page, it gets a data URL, which browsers keep apart.
    pub(super) fn frame(&mut self, element: ElementRef<'_>, attribute: &str, edit: &mut Edit) {
        let name = element.value().name();
        if let Some(inner) = element.attr("srcdoc").filter(|_| name == "iframe") {
            return self.inline_frame(inner, edit);
        }
        let Some(src) = element.attr(attribute).filter(|src| !is_inline(src)) else {
            return;
        };
        let resource = match self.embedder.find(src, &self.base, Kind::Frames) {
            Found::Resource(resource) => resource,
            Found::Address(address) => return self.kept(Kind::Frames, attribute, address, edit),
        };
        if resource.media_type != "text/html" {
            let address = self.embedder.data_url(resource, Kind::Frames);
            edit.set(attribute, address);
            return;
        }
        let location = &resource.location;
        let related = location.same_origin(self.document.location);
        let decoded = resource.page(related.then_some(self.document.encoding));
        let mut inner = Descent::Refused;
        if web::html::check_depth(&decoded.text, src).is_ok() {
            let document = Document {
                html: &decoded.text,
                location,
                base: location,
                encoding: decoded.encoding,
            };
            let style = self.style;
            inner = self
                .embedder
                .descend(location, Kind::Frames, decoded.text.len(), |embedder| {
                    bundle(&document, style, embedder)
                });
        } else {
            let reason = "it is built too deep to be read";
            self.embedder.leave_out(location, Kind::Frames, reason);
        }
        if let Descent::Circle = inner {
            let reason = "it contains itself";
            self.embedder.leave_out(location, Kind::Frames, reason);
        }
        match inner {
            Descent::Done(inner) if related && name == "iframe" => {
                edit.remove(attribute);
                edit.set("srcdoc", inner);
            }
            Descent::Done(inner) => edit.set(attribute, data_url("text/html", inner.as_bytes())),
            Descent::Circle | Descent::Refused => {
                let address = self.embedder.stays(src, &self.base);
                self.kept(Kind::Frames, attribute, address, edit);
            }
        }
    }

    /// A frame whose page stands in the page.
    fn inline_frame(&mut self, inner: &str, edit: &mut Edit) {
        if web::html::check_depth(inner, "srcdoc").is_err() {
            let reason = "a frame in it is built too deep to be read";
            self.embedder
                .leave_out(self.document.location, Kind::Frames, reason);
            if self.drops_scripts() {
                edit.remove("srcdoc");
            }
            return;
        }
        let base = self.base.clone();
        let document = Document {
            html: inner,
            base: &base,
            ..self.document
        };
        let style = self.style;
        let inner = self
            .embedder
            .descend_inline(&base, inner.len(), |embedder| bundle(&document, style, embedder));
        match inner {
            Descent::Done(inner) => edit.set("srcdoc", inner),
            _ if self.drops_scripts() => edit.remove("srcdoc"),
            _ => {}
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
    without_end(css, "style", "<\\/")
}

/// A text in which the end tag of an element is not one, because its first two characters are exchanged.
pub(super) fn without_end(text: &str, name: &str, instead: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for (at, _) in text.match_indices("</") {
        let named = text.as_bytes().get(at + 2..at + 2 + name.len());
        if named.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes())) {
            out.push_str(&text[copied..at]);
            out.push_str(instead);
            copied = at + 2;
        }
    }
    out.push_str(&text[copied..]);
    out
}

/// Whether a script element holds code, not data such as JSON-LD.
pub(super) fn is_code(element: ElementRef<'_>) -> bool {
    let kind = element.attr("type").unwrap_or("").to_ascii_lowercase();
    kind.is_empty() || kind.contains("javascript") || kind == "module" || kind == "importmap"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_cannot_end_its_element() {
        assert_eq!(guarded("a{b:\"</STYLE>\"}c"), "a{b:\"<\\/STYLE>\"}c");
    }
}
