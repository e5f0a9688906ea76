//! What a page says about itself: metadata, its base, and the policy of the bundled page.

use scraper::{ElementRef, Html};

use super::Work;
use crate::{
    embed::{Embedder, Kind},
    markup::Edit,
};

impl Work<'_, '_> {
    pub(super) fn meta(&mut self, element: ElementRef<'_>, edit: &mut Edit) {
        let equiv = element
            .attr("http-equiv")
            .unwrap_or("")
            .trim()
            .to_ascii_lowercase();
        // The page is written in UTF-8 and says so once; a policy of the site would forbid data URLs.
        edit.drop = element.attr("charset").is_some()
            || matches!(equiv.as_str(), "content-type" | "content-security-policy")
            || equiv == "refresh" && self.style.isolate;
        if equiv == "refresh"
            && let Some(content) = element.attr("content")
            && let Some(at) = refresh_address(content)
        {
            let address = content[at..].trim_end_matches(['"', '\'']);
            edit.set(
                "content",
                format!("{}{}", &content[..at], self.embedder.stays(address, &self.base)),
            );
        }
        let names = element.attr("property").or(element.attr("name")).unwrap_or("");
        if matches!(names, "og:image" | "og:url" | "twitter:image") {
            self.link_on(element, "content", edit);
        }
    }

    /// Charset and policy at the beginning of the head.
    pub(super) fn head(&mut self, page: &Html) {
        let mut elements = page.tree.root().descendants().filter_map(ElementRef::wrap);
        let Some(at) = elements.position(|element| element.value().name() == "head") else {
            return;
        };
        let mut first = "<meta charset=\"utf-8\">".to_owned();
        if self.style.isolate {
            first.push_str(&policy(self.embedder));
        } else if self.drops_scripts() {
            first.push_str("<meta http-equiv=\"Content-Security-Policy\" content=\"script-src 'none'\">");
        }
        self.edits.entry(at).or_default().first = first;
    }
}

/// A policy that lets the page use only what is in it.
fn policy(embedder: &Embedder<'_>) -> String {
    let mut policy =
        "default-src 'unsafe-eval' 'unsafe-inline' data: blob:; form-action 'none'; base-uri 'none';"
            .to_owned();
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

/// Relative links are written out, and `#part` must stay on this page: only the address of a base goes.
pub(super) fn base(element: ElementRef<'_>, edit: &mut Edit) {
    edit.drop = element.attr("target").is_none();
    edit.remove("href");
}

/// Where the address of a refresh begins (HTML, "shared declarative refresh steps"); `None` when it names none.
fn refresh_address(content: &str) -> Option<usize> {
    let behind_time = content.find(|c: char| !(c.is_ascii_whitespace() || c.is_ascii_digit() || c == '.'))?;
    let rest = content[behind_time..].trim_start_matches([';', ',']).trim_start();
    let bare = match rest.get(..3).filter(|head| head.eq_ignore_ascii_case("url")) {
        Some(_) => match rest[3..].trim_start().strip_prefix('=') {
            Some(address) => address.trim_start(),
            None => rest,
        },
        None => rest,
    };
    let bare = bare.strip_prefix(['"', '\'']).unwrap_or(bare);
    (!bare.is_empty()).then(|| content.len() - bare.len())
}
