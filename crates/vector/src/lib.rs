//! Drawing SVG, text included, into pixels.
//!
//! Two fonts are built in, so that a machine without fonts draws the same picture as any other;
//! nothing is fetched: neither system fonts nor files or addresses named in the SVG.

use std::sync::{Arc, OnceLock};

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{ImageHrefResolver, Options, Tree, fontdb::Database},
};

use app_core::{ErrorKind, ToolError, ToolResult};

/// Family name of the built-in font, regular and bold.
pub const FONT: &str = "DejaVu Sans";

const REGULAR: &[u8] = include_bytes!("../assets/fonts/DejaVuSans.ttf");
const BOLD: &[u8] = include_bytes!("../assets/fonts/DejaVuSans-Bold.ttf");

/// Draws `svg` into `width` by `height` pixels; RGBA with straight alpha, row by row.
/// `font` is a font file to use beside the built-in one.
pub fn draw(svg: &str, width: u32, height: u32, font: Option<&[u8]>) -> ToolResult<Vec<u8>> {
    let options = options(font);
    let tree = Tree::from_str(svg, &options).map_err(|e| bad(&e))?;
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
pub fn text_width(text: &str, size: f32, bold: bool) -> ToolResult<f32> {
    let weight = if bold { "bold" } else { "normal" };
    let svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><text font-family="{FONT}" font-weight="{weight}" font-size="{size}" xml:space="preserve">{}</text></svg>"#,
        escape(text)
    );
    let tree = Tree::from_str(&svg, &options(None)).map_err(|e| bad(&e))?;
    Ok(tree.root().abs_bounding_box().width())
}

/// The text with the characters that mean something in XML replaced, and those that XML forbids left out.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(' '),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// The family name of the first face in a font file.
pub fn font_family(font: &[u8]) -> Option<String> {
    let mut database = Database::new();
    database.load_font_data(font.to_vec());
    let face = database.faces().next()?;
    face.families.first().map(|(name, _)| name.clone())
}

fn bad(error: &resvg::usvg::Error) -> ToolError {
    ToolError::new(ErrorKind::InvalidInput, format!("cannot draw the SVG: {error}")).caused_by(error)
}

fn options(font: Option<&[u8]>) -> Options<'static> {
    static BUILT_IN: OnceLock<Arc<Database>> = OnceLock::new();
    let built_in = BUILT_IN.get_or_init(|| {
        let mut database = Database::new();
        database.load_font_data(REGULAR.to_vec());
        database.load_font_data(BOLD.to_vec());
        database.set_sans_serif_family(FONT);
        database.set_serif_family(FONT);
        database.set_monospace_family(FONT);
        Arc::new(database)
    });
    let fontdb = match font {
        None => built_in.clone(),
        Some(data) => {
            let mut database = Database::clone(built_in);
            database.load_font_data(data.to_vec());
            Arc::new(database)
        }
    };
    let mut options = Options {
        fontdb,
        font_family: FONT.to_owned(),
        ..Options::default()
    };
    // Pictures may be embedded as `data:`; a path or address in an SVG is never followed.
    options.image_href_resolver = ImageHrefResolver {
        resolve_data: ImageHrefResolver::default_data_resolver(),
        resolve_string: Box::new(|_, _| None),
    };
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_shapes_and_cyrillic_text() {
        let svg = r#"<svg xmlns="http://www.w3.org/2000/svg" width="100" height="50"><rect width="50" height="50" fill="red"/>
            <text x="55" y="30" font-size="20">Жук</text></svg>"#;
        let pixels = draw(svg, 200, 100, None).unwrap();
        assert_eq!(pixels[..4], [255, 0, 0, 255]);
        let ink = pixels
            .chunks(4)
            .enumerate()
            .filter(|(i, p)| i % 200 > 105 && p[3] > 200)
            .count();
        assert!(ink > 100, "{ink}");
    }

    #[test]
    fn bold_is_wider_and_markup_is_only_text() {
        assert!(text_width("Hello", 20.0, true).unwrap() > text_width("Hello", 20.0, false).unwrap());
        assert_eq!(escape("a<b & \"c\"\u{1}"), "a&lt;b &amp; &quot;c&quot;");
    }

    #[test]
    fn a_broken_svg_is_invalid_input() {
        assert_eq!(
            draw("<svg", 10, 10, None).unwrap_err().kind,
            ErrorKind::InvalidInput
        );
    }
}
