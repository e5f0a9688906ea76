//! How large a picture may be, found out before it is taken.

use app_core::{ToolError, ToolResult};
use browser::{Format, Rect};

/// Longest side of a WebP.
const WEBP: u64 = 16_383;

/// Longest side of a JPEG, as the browser's encoder has it.
const JPEG: u64 = 65_500;

/// Longest side of any picture here.
const LONGEST: u64 = 500_000;

/// Size in pixels of a part of a page at a scale.
pub fn pixels(place: Rect, scale: f64) -> (u64, u64) {
    let side = |length: f64| (length * scale - 0.01).ceil().max(1.0) as u64;
    (side(place.width), side(place.height))
}

/// Refuses a picture that would be too large, with a way out.
pub fn check(place: Rect, scale: f64, format: Format, max_pixels: u64) -> ToolResult<()> {
    let (width, height) = pixels(place, scale);
    let longest = width.max(height);
    let refused = |code: &str, why: String, hint: &str| {
        Err(ToolError::invalid(
            "output",
            format!("the picture would be {width} x {height} pixels{why}"),
        )
        .code(code)
        .hint(hint))
    };
    match format {
        Format::Webp(_) if longest > WEBP => {
            let why = format!(", and a WebP is at most {WEBP} high and wide");
            return refused(
                "too_long_for_webp",
                why,
                "write a .png, or take less with `--area viewport` or `--selector`",
            );
        }
        Format::Jpeg(_) if longest > JPEG => {
            let why = format!(", and a JPEG is at most {JPEG} high and wide");
            return refused(
                "too_long_for_jpeg",
                why,
                "write a .png, or take less with `--area viewport` or `--selector`",
            );
        }
        _ => {}
    }
    if width.saturating_mul(height) > max_pixels || longest > LONGEST {
        let why = format!(", more than the {max_pixels} that are allowed");
        let hint = "take less with a smaller `--scale`, `--area viewport` or `--selector`, or allow more with `--max-pixels`";
        return refused("too_many_pixels", why, hint);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_told_with_its_way_out() {
        let page = |height| Rect {
            x: 0.0,
            y: 0.0,
            width: 400.0,
            height,
        };
        let code = |height, scale, format| {
            check(page(height), scale, format, 100_000_000)
                .err()
                .map(|error| error.code)
        };
        assert_eq!(code(30_000.0, 1.0, Format::Png), None);
        assert_eq!(
            code(30_000.0, 3.0, Format::Png).as_deref(),
            Some("too_many_pixels")
        );
        assert_eq!(code(16_383.0, 1.0, Format::Webp(90)), None);
        assert_eq!(
            code(16_384.0, 1.0, Format::Webp(90)).as_deref(),
            Some("too_long_for_webp")
        );
        assert_eq!(
            code(66_000.0, 1.0, Format::Jpeg(90)).as_deref(),
            Some("too_long_for_jpeg")
        );
        assert_eq!(code(600_000.0, 0.1, Format::Png), None);
        assert_eq!(pixels(page(100.5), 2.0), (800, 201));
    }
}
