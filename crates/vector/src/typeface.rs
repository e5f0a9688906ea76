//! The letters that a text is drawn with: the built-in font or a file, and the fonts of the system for what that one lacks.

use std::sync::{Arc, OnceLock};

use app_core::{ErrorKind, ToolError, ToolResult};
use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{
        ImageHrefResolver, Options, Tree,
        fontdb::{Database, ID},
    },
};
use skrifa::{FontRef, charmap::Charmap};

use crate::escape;

/// Family name of the built-in font, regular and bold.
const FONT: &str = "DejaVu Sans";
const REGULAR: &[u8] = include_bytes!("../assets/fonts/DejaVuSans.ttf");
const BOLD: &[u8] = include_bytes!("../assets/fonts/DejaVuSans-Bold.ttf");

/// Letters for one text.
#[derive(Debug)]
pub struct Typeface {
    options: Options<'static>,
    family: String,
    missing: Vec<char>,
}

impl Typeface {
    /// Letters for `text` from the font file `font`, else the built-in one. Only where these lack a character are the
    /// fonts of the system looked at, so that other texts are drawn alike everywhere.
    pub fn for_text(text: &str, font: Option<&[u8]>) -> ToolResult<Self> {
        let built_in = built_in();
        let (family, mut database) = match font {
            None => (FONT.to_owned(), Arc::clone(built_in)),
            Some(data) => {
                let mut database = Database::clone(built_in);
                let faces =
                    database.load_font_source(resvg::usvg::fontdb::Source::Binary(Arc::new(data.to_vec())));
                let family = faces
                    .first()
                    .and_then(|id| database.face(*id)?.families.first().map(|(name, _)| name.clone()))
                    .ok_or_else(|| {
                        ToolError::invalid("font", "the font file is not a TrueType or OpenType font")
                    })?;
                (family, Arc::new(database))
            }
        };
        let mut missing = lacking(&database, text.chars());
        if !missing.is_empty() {
            let mut wider = Database::clone(&database);
            wider.load_system_fonts();
            missing = lacking(&wider, missing.into_iter());
            database = Arc::new(wider);
        }
        let mut options = Options {
            fontdb: database,
            font_family: family.clone(),
            ..Options::default()
        };
        // Pictures may be embedded as `data:`; a path or address in an SVG is never followed.
        options.image_href_resolver = ImageHrefResolver {
            resolve_data: ImageHrefResolver::default_data_resolver(),
            resolve_string: Box::new(|_, _| None),
        };
        Ok(Self {
            options,
            family,
            missing,
        })
    }

    /// Family name to write into an SVG.
    pub fn family(&self) -> &str {
        &self.family
    }

    /// The text with a box for every character that no font has: one of them in a line would otherwise keep the fonts of
    /// the system from the others too.
    pub fn with_boxes(&self, text: &str) -> String {
        let boxed = |c: char| if self.missing.contains(&c) { '\u{25a1}' } else { c };
        text.chars().map(boxed).collect()
    }

    /// What to tell people of characters that no font has, with the packages that bring them; `None` when all are there.
    pub fn warning(&self) -> Option<String> {
        const SHOWN: usize = 12;
        if self.missing.is_empty() {
            return None;
        }
        let mut shown: Vec<String> = self
            .missing
            .iter()
            .take(SHOWN)
            .map(|c| format!("{c} (U+{:04X})", *c as u32))
            .collect();
        if self.missing.len() > SHOWN {
            shown.push(format!("{} more", self.missing.len() - SHOWN));
        }
        let mut packages: Vec<&str> = self.missing.iter().map(|&c| package(c)).collect();
        packages.sort_unstable();
        packages.dedup();
        Some(format!(
            "no font here has {}: drawn as empty boxes; install {} (names as in Debian), or name a font file where the tool takes one",
            shown.join(", "),
            packages.join(" and "),
        ))
    }

    /// Draws `svg` into `width` by `height` pixels; RGBA with straight alpha, row by row.
    pub fn draw(&self, svg: &str, width: u32, height: u32) -> ToolResult<Vec<u8>> {
        let tree = Tree::from_str(svg, &self.options).map_err(|e| bad(&e))?;
        let mut pixmap = Pixmap::new(width, height).ok_or_else(|| {
            ToolError::new(
                ErrorKind::InvalidInput,
                format!("cannot draw a picture of {width}x{height} pixels"),
            )
        })?;
        let size = tree.size();
        let scale = Transform::from_scale(width as f32 / size.width(), height as f32 / size.height());
        resvg::render(&tree, scale, &mut pixmap.as_mut());
        Ok(pixmap.take_demultiplied())
    }

    /// Width in pixels of one line of text as it will be drawn.
    pub fn width(&self, text: &str, size: f32, bold: bool) -> ToolResult<f32> {
        let weight = if bold { "bold" } else { "normal" };
        let svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><text font-family="{}" font-weight="{weight}" font-size="{size}" xml:space="preserve">{}</text></svg>"#,
            escape(&self.family),
            escape(text)
        );
        let tree = Tree::from_str(&svg, &self.options).map_err(|e| bad(&e))?;
        Ok(tree.root().abs_bounding_box().width())
    }
}

fn bad(error: &resvg::usvg::Error) -> ToolError {
    ToolError::new(ErrorKind::InvalidInput, format!("cannot draw the SVG: {error}")).caused_by(error)
}

fn built_in() -> &'static Arc<Database> {
    static BUILT_IN: OnceLock<Arc<Database>> = OnceLock::new();
    BUILT_IN.get_or_init(|| {
        let mut database = Database::new();
        database.load_font_data(REGULAR.to_vec());
        database.load_font_data(BOLD.to_vec());
        database.set_sans_serif_family(FONT);
        database.set_serif_family(FONT);
        database.set_monospace_family(FONT);
        Arc::new(database)
    })
}

/// The characters that no face has, each once and in order.
fn lacking(database: &Database, text: impl Iterator<Item = char>) -> Vec<char> {
    let mut wanted: Vec<char> = Vec::new();
    for character in text.filter(|&c| is_drawn(c)) {
        if !wanted.contains(&character) {
            wanted.push(character);
        }
    }
    let faces: Vec<ID> = database.faces().map(|face| face.id).collect();
    for id in faces {
        if wanted.is_empty() {
            break;
        }
        let left = database.with_face_data(id, |data, index| {
            let font = FontRef::from_index(data, index).ok()?;
            let map = Charmap::new(&font);
            Some(
                wanted
                    .iter()
                    .copied()
                    .filter(|&c| map.map(c).is_none())
                    .collect::<Vec<_>>(),
            )
        });
        if let Some(Some(left)) = left {
            wanted = left;
        }
    }
    wanted
}

/// Whether a character leaves ink of its own: blanks, controls, joiners and selectors do not.
fn is_drawn(character: char) -> bool {
    !(character.is_whitespace()
        || character.is_control()
        || matches!(
            character,
            '\u{00ad}' | '\u{034f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}'
        ))
}

/// The package of Debian that has a font for a character.
fn package(character: char) -> &'static str {
    match character {
        '\u{1100}'..='\u{11ff}'
        | '\u{2e80}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe4f}'
        | '\u{ff00}'..='\u{ffef}'
        | '\u{20000}'..='\u{3ffff}' => "fonts-noto-cjk",
        '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}' => {
            "fonts-noto-color-emoji"
        }
        _ => "fonts-noto-core",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_font_has_is_named_once_with_its_package() {
        // A private character that no font of any machine should have, and a letter that the built-in font has.
        let face = Typeface::for_text("a\u{f8ff0}\u{f8ff0}b", None).unwrap();
        let warning = face.warning().unwrap();
        assert!(warning.contains("(U+F8FF0): drawn"), "{warning}");
        assert_eq!(face.with_boxes("ba\u{f8ff0}"), "ba\u{25a1}");
        assert!(
            Typeface::for_text("Жук\u{fe0f} \u{200d}x", None)
                .unwrap()
                .warning()
                .is_none()
        );
        assert_eq!(
            (package('第'), package('🍵')),
            ("fonts-noto-cjk", "fonts-noto-color-emoji")
        );
    }

    #[test]
    fn draws_shapes_and_cyrillic_text() {
        let svg = r#"<svg xmlns="http://www.w3.org/2000/svg" width="100" height="50"><rect width="50" height="50" fill="red"/>
            <text x="55" y="30" font-size="20">Жук</text></svg>"#;
        let pixels = Typeface::for_text("", None).unwrap().draw(svg, 200, 100).unwrap();
        assert_eq!(pixels[..4], [255, 0, 0, 255]);
        let ink = pixels
            .chunks(4)
            .enumerate()
            .filter(|(i, p)| i % 200 > 105 && p[3] > 200)
            .count();
        assert!(ink > 100, "{ink}");
    }

    #[test]
    fn bold_is_wider() {
        let face = Typeface::for_text("Hello", None).unwrap();
        assert!(face.width("Hello", 20.0, true).unwrap() > face.width("Hello", 20.0, false).unwrap());
    }

    #[test]
    fn a_broken_svg_is_invalid_input() {
        let face = Typeface::for_text("", None).unwrap();
        assert_eq!(
            face.draw("<svg", 10, 10).unwrap_err().kind,
            ErrorKind::InvalidInput
        );
    }
}
