//! Finds the addresses in a sheet and puts what they refer to in their place.

mod references;

use web::{
    Location,
    charset::Encoding,
    css::{closed, quoted},
};

use crate::{
    embed::{Descent, Embedder, Found, Kind},
    media_type::data_url,
};
use references::{Place, Reference, references};

/// A sheet with its resources embedded.
#[derive(Debug, Default)]
pub struct Sheet {
    /// The sheet.
    pub text: String,
    /// Whether it must stay a sheet of its own: it begins with an `@import` that must precede all rules, or declares
    /// namespaces.
    pub own: bool,
}

/// Embeds what a sheet at `base` in this encoding refers to.
pub fn embed(css: &str, base: &Location, encoding: &'static Encoding, embedder: &mut Embedder<'_>) -> Sheet {
    let scanned = references(css, true);
    let mut imports = imports(&scanned.found, base, encoding, embedder);
    // Imports that stay must precede every rule, so one of them keeps all of them in place.
    let as_import = imports.iter().flatten().any(|import| match import {
        Import::Sheet(sheet) => sheet.own,
        Import::Address(_) => true,
        Import::Nothing => false,
    });
    let mut out = replaced(css, &scanned.found, base, embedder, |at, condition| {
        let import = imports
            .get_mut(at)
            .and_then(Option::take)
            .unwrap_or(Import::Nothing);
        import_rule(import, condition, as_import)
    });
    out.own = as_import || scanned.namespaces;
    out
}

/// Embeds what a style attribute refers to.
pub fn embed_declarations(css: &str, base: &Location, embedder: &mut Embedder<'_>) -> String {
    let scanned = references(css, false);
    replaced(css, &scanned.found, base, embedder, |_, _| String::new()).text
}

/// The sheet with each reference exchanged; imports by `import`.
fn replaced(
    css: &str,
    references: &[Reference],
    base: &Location,
    embedder: &mut Embedder<'_>,
    mut import: impl FnMut(usize, &str) -> String,
) -> Sheet {
    let mut out = Sheet::default();
    let mut copied = 0;
    for (at, reference) in references.iter().enumerate() {
        out.text.push_str(&css[copied..reference.range.0]);
        copied = reference.range.1;
        match &reference.place {
            Place::Import { condition } => out.text.push_str(&import(at, condition)),
            Place::Url { font } => {
                let kind = if *font { Kind::Fonts } else { Kind::Images };
                out.text.push_str("url(");
                out.text.push_str(&leaf(&reference.address, base, kind, embedder));
                out.text.push(')');
            }
            Place::Text => out
                .text
                .push_str(&leaf(&reference.address, base, Kind::Images, embedder)),
        }
    }
    out.text.push_str(&css[copied..]);
    out
}

enum Import {
    Sheet(Sheet),
    /// Left as an address.
    Address(String),
    /// It adds nothing: it closes a circle, which browsers pass over, or the same sheet is imported again below.
    Nothing,
}

/// What each import leads to; `None` for a reference that is none.
fn imports(
    references: &[Reference],
    base: &Location,
    encoding: &'static Encoding,
    embedder: &mut Embedder<'_>,
) -> Vec<Option<Import>> {
    // Of two imports of one sheet the later one decides, unless the first one sets the order of layers.
    let mut last = std::collections::HashMap::new();
    for (at, reference) in references.iter().enumerate() {
        if let Place::Import { condition } = &reference.place {
            last.insert((base.join(&reference.address), condition.as_str()), at);
        }
    }
    let mut found = Vec::new();
    for (at, reference) in references.iter().enumerate() {
        let Place::Import { condition } = &reference.place else {
            found.push(None);
            continue;
        };
        let again = last.get(&(base.join(&reference.address), condition.as_str())) != Some(&at);
        found.push(Some(
            if again && !condition.contains("layer") && !embedder.layers() {
                Import::Nothing
            } else {
                import(&reference.address, base, encoding, embedder)
            },
        ));
    }
    found
}

fn import(
    address: &str,
    base: &Location,
    encoding: &'static Encoding,
    embedder: &mut Embedder<'_>,
) -> Import {
    if base
        .join(address)
        .is_some_and(|location| embedder.inside(&location))
    {
        return Import::Nothing;
    }
    match embedder.find(address, base, Kind::Css) {
        Found::Resource(resource) => {
            let decoded = resource.sheet(encoding);
            let location = &resource.location;
            let sheet = embedder.descend(location, Kind::Css, decoded.text.len(), |embedder| {
                embed(&decoded.text, location, decoded.encoding, embedder)
            });
            match sheet {
                Descent::Done(sheet) => Import::Sheet(sheet),
                Descent::Circle => Import::Nothing,
                Descent::Refused => Import::Address(embedder.stays(address, base)),
            }
        }
        Found::Address(address) => Import::Address(address),
    }
}

fn import_rule(import: Import, condition: &str, as_import: bool) -> String {
    let (address, blank) = match import {
        Import::Nothing => return String::new(),
        Import::Sheet(sheet) if !as_import => return wrap(&sheet.text, condition),
        Import::Sheet(sheet) => (data_url("text/css", sheet.text.as_bytes()), " "),
        Import::Address(address) => (address, " "),
    };
    let blank = if condition.is_empty() { "" } else { blank };
    format!("@import url({}){blank}{condition};", quoted(&address))
}

/// The sheet inside the conditions of its `@import`: `layer`, `supports()`, media queries.
fn wrap(css: &str, condition: &str) -> String {
    let mut out = format!("{}\n", closed(css));
    let mut rest = condition;
    let mut layer = None;
    let mut supports = None;
    if let Some((name, after)) = function(rest, "layer") {
        layer = Some(name);
        rest = after;
    } else if let Some(after) = strip_word(rest, "layer")
        && !after.starts_with(|c: char| c.is_alphanumeric() || c == '-')
    {
        layer = Some("");
        rest = after.trim_start();
    }
    if let Some((inner, after)) = function(rest, "supports") {
        supports = Some(inner);
        rest = after;
    }
    if let Some(name) = layer {
        out = format!("@layer {name}{{\n{out}}}\n");
    }
    if !rest.is_empty() {
        out = format!("@media {rest}{{\n{out}}}\n");
    }
    if let Some(inner) = supports {
        let bare = inner.contains(':') && !inner.starts_with('(') && !inner.starts_with("not");
        let inner = if bare {
            format!("({inner})")
        } else {
            inner.to_owned()
        };
        out = format!("@supports {inner}{{\n{out}}}\n");
    }
    out
}

fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let head = text.get(..word.len())?;
    head.eq_ignore_ascii_case(word).then(|| &text[word.len()..])
}

/// `name(inner) after`, if the text begins so.
fn function<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let inner = strip_word(text, name)?.strip_prefix('(')?;
    let mut depth = 1_usize;
    let end = inner.find(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        depth == 0
    })?;
    Some((inner[..end].trim(), inner[end + 1..].trim_start()))
}

/// What stands for an address that is embedded as it is, as a quoted text.
fn leaf(address: &str, base: &Location, kind: Kind, embedder: &mut Embedder<'_>) -> String {
    match embedder.find(address, base, kind) {
        Found::Resource(resource) => {
            // `sprite.svg#icon` needs its fragment, and old fonts name themselves by one.
            let fragment = address.find('#').map_or("", |at| &address[at..]);
            let data = embedder.data_url(resource, kind);
            if fragment.is_empty() {
                // Data URLs hold nothing that would have to be escaped.
                format!("\"{data}\"")
            } else {
                quoted(&format!("{data}{fragment}"))
            }
        }
        Found::Address(address) => quoted(&address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_of_imports_become_blocks() {
        assert_eq!(
            wrap("a{}", "layer(base) screen"),
            "@media screen{\n@layer base{\na{}\n}\n}\n"
        );
        assert_eq!(
            wrap("a{}", "SUPPORTS(display: grid)"),
            "@supports (display: grid){\na{}\n}\n"
        );
        assert_eq!(wrap("a{}", ""), "a{}\n");
        assert_eq!(wrap("a{b:c", "print"), "@media print{\na{b:c}\n}\n");
    }
}
