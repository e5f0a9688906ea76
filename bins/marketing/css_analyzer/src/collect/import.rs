//! Imports of a sheet: in their place what they lead to, or kept where they must be kept.

use app_core::ToolResult;

use super::{Linked, Place, Run, shut};
use crate::{prelude::Import, rebase, text::Text};

impl Run<'_> {
    /// The sheet with its imports in place of the `@import` rules and its addresses relative to the base.
    pub(super) async fn expand(&mut self, css: &str, place: &Place) -> ToolResult<Text> {
        self.source.ctx().check_cancelled()?;
        let mut out = Text::default();
        let mut from = 0;
        for leading in rebase::leading(css)? {
            self.copy(&mut out, &css[from..leading.start], css, from, place);
            from = leading.end;
            let Some(import) = &leading.import else {
                continue;
            };
            let linked = if self.options.imports {
                let free = place.free
                    && import.media.is_empty()
                    && import.layer.is_none()
                    && import.supports.is_none();
                let inside = Place {
                    free,
                    ..place.clone()
                };
                let href = web::css::unescape(import.address);
                Box::pin(self.linked(&href, import.media, &inside)).await?
            } else {
                Linked::Missing
            };
            match linked {
                Linked::Sheet(inner) => {
                    let (before, after) = rebase::conditions(import);
                    out.append(&shut(inner).within(&before, &after));
                    out.glue("\n");
                    from = behind_blanks(css, from);
                }
                Linked::Circle => from = behind_blanks(css, from),
                Linked::Missing => {
                    if !self.keep(&mut out, css, &leading, import, place) {
                        from = behind_blanks(css, from);
                    }
                }
            }
        }
        self.copy(&mut out, &css[from..], css, from, place);
        Ok(out)
    }

    /// Adds a part of a sheet with its addresses relative to the base.
    fn copy(&self, out: &mut Text, part: &str, css: &str, at: usize, place: &Place) {
        let line = 1 + css[..at].bytes().filter(|byte| *byte == b'\n').count();
        if place.location == self.base {
            out.push(part, place.sheet, line);
        } else {
            out.push(
                &rebase::moved(part, &place.location, &self.base),
                place.sheet,
                line,
            );
        }
    }

    /// An import that stays: where it is while nothing but its like stands before it, else in front of everything.
    /// Returns whether it is where it was.
    fn keep(
        &mut self,
        out: &mut Text,
        css: &str,
        leading: &rebase::Leading<'_>,
        import: &Import<'_>,
        place: &Place,
    ) -> bool {
        let rule = rebase::moved(&css[leading.start..leading.end], &place.location, &self.base);
        // The compaction of the replaced script has no import of a linked sheet; it is listed as left out.
        let compacted = self.options.imports && self.options.styles_first && place.location != self.base;
        if !place.free || compacted {
            // Its conditions are those of the sheets around it, which no rule in front can say; it is listed as left out.
            return false;
        }
        if !self.begun && place.chain.len() <= 1 && rebase::only_leading(&out.css) {
            self.copy(out, &css[leading.start..leading.end], css, leading.start, place);
            return true;
        }
        let layers = rebase::layer_statements(&css[..leading.start]);
        self.front.extend(layers);
        self.front.push(rule);
        let name = place.location.join(import.address).map(|found| found.name());
        self.source.ctx().warn(format!(
            "`{}` stays an import, so it now comes before sheets that it followed",
            name.unwrap_or_else(|| "an address".to_owned())
        ));
        false
    }
}

fn behind_blanks(css: &str, at: usize) -> usize {
    css.len() - css[at..].trim_start().len()
}
