//! The look of a report: the font of the cards, and the colours of the campaign.

use std::fmt::Write as _;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::Value;

use crate::run::Run;

/// The built-in font of the picture tools, cut down to Latin, Greek and Cyrillic letters and what stands between them:
/// `pyftsubset DejaVuSans.ttf --flavor=woff2 --no-hinting`. Other letters come from the fonts of the reader.
const FONTS: [(u32, &[u8]); 2] = [
    (400, include_bytes!("../assets/fonts/DejaVuSans.woff2")),
    (700, include_bytes!("../assets/fonts/DejaVuSans-Bold.woff2")),
];

/// Style rules that hold the font itself.
pub fn fonts() -> String {
    let mut css = String::new();
    for (weight, font) in FONTS {
        // Writing to a string does not fail.
        let _ = writeln!(
            css,
            "@font-face {{ font-family: \"Card Sans\"; font-weight: {weight}; src: url(data:font/woff2;base64,{}) format(\"woff2\") }}",
            STANDARD.encode(font)
        );
    }
    css
}

/// Name and colours of a campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Brand {
    /// Name, when the campaign says one.
    pub name: Option<String>,
    /// Colour of the head, `#rrggbb`.
    pub main: String,
    /// Colour of the letters on it.
    pub on_main: &'static str,
    /// Colour of small things.
    pub second: String,
}

/// Colours of a campaign that names none.
const PLAIN: [&str; 2] = ["#1d2b64", "#5b7cf0"];

impl Brand {
    /// From `brand` and `colors` of the variables, else of the first step that was given colours.
    pub fn of(run: &Run) -> Self {
        let inputs = run.steps.iter().filter_map(|step| step.input.as_ref());
        let given = run.vars.get("colors").into_iter();
        let given = given.chain(inputs.filter_map(|input| input.get("colors")));
        let colors: Vec<Rgb> = given
            .filter_map(Value::as_array)
            .map(|list| {
                list.iter()
                    .filter_map(Value::as_str)
                    .filter_map(Rgb::parse)
                    .collect()
            })
            .find(|list: &Vec<Rgb>| !list.is_empty())
            .unwrap_or_else(|| PLAIN.iter().filter_map(|one| Rgb::parse(one)).collect());
        let main = colors.first().copied().unwrap_or(Rgb(29, 43, 100));
        let second = colors.get(1).copied().unwrap_or(main);
        let name = run.vars.get("brand").and_then(Value::as_str);
        Self {
            name: name.map(str::to_owned).filter(|name| !name.trim().is_empty()),
            main: main.css(),
            on_main: if main.contrast_with_white() >= 4.5 {
                "#ffffff"
            } else {
                "#14181f"
            },
            second: second.css(),
        }
    }
}

/// A colour in sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rgb(u8, u8, u8);

impl Rgb {
    /// `#rgb` or `#rrggbb`; anything else is none, since it goes into a style rule.
    fn parse(text: &str) -> Option<Self> {
        let hex = text.trim().strip_prefix('#')?;
        if !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let one = |at: usize, length: usize| u8::from_str_radix(hex.get(at..at + length)?, 16).ok();
        match hex.len() {
            6 => Some(Self(one(0, 2)?, one(2, 2)?, one(4, 2)?)),
            3 => Some(Self(one(0, 1)? * 17, one(1, 1)? * 17, one(2, 1)? * 17)),
            _ => None,
        }
    }

    fn css(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }

    /// WCAG 2.2, contrast ratio.
    fn contrast_with_white(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        };
        let luminance = 0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2);
        1.05 / (luminance + 0.05)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn brand(vars: Value) -> Brand {
        let vars = vars.as_object().cloned().unwrap_or_default();
        Brand::of(&Run {
            vars,
            ..Run::default()
        })
    }

    #[test]
    fn colours_are_those_of_the_campaign_and_letters_stay_readable() {
        let dark = brand(json!({"brand": "Quillmoss", "colors": ["#2f5d50", "#d98e4a"]}));
        assert_eq!(
            (dark.main.as_str(), dark.on_main, dark.second.as_str()),
            ("#2f5d50", "#ffffff", "#d98e4a")
        );
        assert_eq!(dark.name.as_deref(), Some("Quillmoss"));
        assert_eq!(brand(json!({"colors": ["#fe8"]})).on_main, "#14181f");
        // What is no colour never reaches a style rule.
        for odd in ["red;}body{", "#12345", "#é2", ""] {
            assert_eq!(brand(json!({"colors": [odd]})).main, PLAIN[0], "{odd}");
        }
    }

    #[test]
    fn the_font_is_small_enough_to_be_sent() {
        let css = fonts();
        assert!(css.len() < 80_000 && css.matches("@font-face").count() == 2);
    }
}
