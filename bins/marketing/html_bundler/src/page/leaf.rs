//! Attributes that name a resource: embedded as it is, left as an address, or taken out.

use scraper::ElementRef;

use super::{Work, attribute_value};
use crate::{
    css,
    embed::{Found, Kind, is_inline},
    markup::{self, Edit},
    srcset,
};

impl Work<'_, '_> {
    /// Attributes of pictures that are declarations: `fill="url(pattern.svg#a)"`.
    pub(super) fn presentation(&mut self, element: ElementRef<'_>, edit: &mut Edit) {
        for (name, value) in &element.value().attrs {
            let name = markup::full_name(name.prefix.as_deref(), &name.local);
            if name != "style" && value.to_ascii_lowercase().contains("url(") {
                let value = css::embed_declarations(value, &self.base, self.embedder);
                edit.set(&name, value);
            }
        }
    }

    /// An attribute whose resource is embedded as it is.
    pub(super) fn leaf(&mut self, element: ElementRef<'_>, attribute: &str, kind: Kind, edit: &mut Edit) {
        let Some(value) = attribute_value(element, attribute) else {
            return;
        };
        if is_inline(&value) {
            return;
        }
        match self.embedder.find(&value, &self.base, kind) {
            Found::Resource(resource) => {
                let data = self.embedder.data_url(resource, kind);
                match value.find('#') {
                    Some(at) => edit.set(attribute, format!("{data}{}", &value[at..])),
                    None => edit.set(attribute, data),
                }
                edit.remove("crossorigin");
            }
            Found::Address(address) => self.kept(kind, attribute, address, edit),
        }
    }

    pub(super) fn srcset(&mut self, element: ElementRef<'_>, attribute: &str, edit: &mut Edit) {
        let Some(value) = element.attr(attribute) else {
            return;
        };
        let mut candidates = srcset::parse(value);
        for candidate in candidates
            .iter_mut()
            .filter(|candidate| !is_inline(&candidate.address))
        {
            candidate.address = match self.embedder.find(&candidate.address, &self.base, Kind::Images) {
                Found::Resource(resource) => self.embedder.data_url(resource, Kind::Images).to_string(),
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
    pub(super) fn sprite(&mut self, element: ElementRef<'_>, attribute: &str, edit: &mut Edit) {
        let Some(value) = attribute_value(element, attribute).filter(|value| !is_inline(value)) else {
            return;
        };
        let reason = "browsers show no external SVG symbols from a data URL";
        self.embedder
            .leave_out_address(&value, &self.base, Kind::Images, reason);
        self.link_on(element, attribute, edit);
    }

    /// An address that stays: absolute, or gone where its kind is excluded and wanted out.
    pub(super) fn kept(&mut self, kind: Kind, attribute: &str, address: String, edit: &mut Edit) {
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

    /// An address that stays one: it leads where it led before.
    pub(super) fn link_on(&mut self, element: ElementRef<'_>, attribute: &str, edit: &mut Edit) {
        let Some(value) = attribute_value(element, attribute) else {
            return;
        };
        if !is_inline(&value) {
            edit.set(attribute, self.embedder.stays(&value, &self.base));
        }
    }
}
