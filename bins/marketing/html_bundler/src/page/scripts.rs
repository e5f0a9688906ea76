//! Takes everything out of an element that could run.

use scraper::ElementRef;

use crate::markup::{self, Edit};

/// Attributes whose address a browser follows, or that an animation gives to one.
const ADDRESSES: [&str; 14] = [
    "href",
    "xlink:href",
    "src",
    "action",
    "formaction",
    "data",
    "background",
    "poster",
    "to",
    "from",
    "by",
    "values",
    "content",
    "ping",
];

/// Removes handlers, `javascript:` addresses, frames with a page of their own in the address, and scripts.
pub(super) fn remove(element: ElementRef<'_>, edit: &mut Edit) {
    let name = element.value().name();
    if name == "script" && (!markup::is_html(element.value()) || super::linked::is_code(element)) {
        edit.drop = true;
        return;
    }
    for (key, value) in &element.value().attrs {
        let key = markup::full_name(key.prefix.as_deref(), &key.local);
        let handler = key.len() > 2 && key[..2].eq_ignore_ascii_case("on");
        if handler || ADDRESSES.contains(&key.as_str()) && runs(name, value) {
            edit.remove(&key);
        }
    }
}

/// Whether a browser would run what an address holds.
fn runs(name: &str, value: &str) -> bool {
    let value = web::cleaned(value).to_ascii_lowercase();
    let script = if matches!(name, "animate" | "set" | "meta") {
        value.contains("javascript:")
    } else {
        value.starts_with("javascript:")
    };
    let page = value.starts_with("data:") && !value.starts_with("data:image/");
    script || page && matches!(name, "iframe" | "frame" | "embed" | "object")
}
