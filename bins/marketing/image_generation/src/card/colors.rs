//! A small harmonious set of colours, from the brand's own or from the seed.

use raster::Color;

use crate::random::Random;

/// The colours of a card.
#[derive(Clone, Debug, PartialEq)]
pub struct Scheme {
    /// Deep background.
    pub dark: Color,
    /// The main colour.
    pub main: Color,
    /// What stands out.
    pub accent: Color,
    /// A second, calmer note.
    pub second: Color,
    /// Nearly white.
    pub light: Color,
}

/// Hue in degrees of main colour and accent of the sets that a seed chooses from.
const SETS: [(f64, f64); 8] = [
    (222.0, 24.0),
    (168.0, 36.0),
    (262.0, 330.0),
    (12.0, 42.0),
    (205.0, 48.0),
    (340.0, 20.0),
    (150.0, 85.0),
    (240.0, 174.0),
];

impl Scheme {
    /// The first brand colour leads, the second is the accent; what is missing is made to match.
    pub fn new(brand: &[Color], random: &mut Random) -> Self {
        let &(hue, accent_hue) = random.pick(&SETS);
        let turn = random.between(-8.0, 8.0);
        let (main, hue) = match brand.first() {
            Some(&color) => (color, hsl(color).0),
            None => (from_hsl(hue + turn, 0.62, 0.46), hue + turn),
        };
        let accent = match brand.get(1) {
            Some(&color) => color,
            None if brand.is_empty() => from_hsl(accent_hue + turn, 0.88, 0.60),
            None => from_hsl(hue + 165.0 + turn, 0.80, 0.60),
        };
        let second = brand
            .get(2)
            .copied()
            .unwrap_or_else(|| from_hsl(hue + 28.0, 0.55, 0.62));
        let saturation = hsl(main).1.min(0.55);
        Self {
            dark: from_hsl(hue, saturation, 0.14),
            main,
            accent,
            second,
            light: from_hsl(hue, saturation.min(0.35), 0.965),
        }
    }
}

/// The colour of letters that can be read on `background`: the one of `dark` and `light` with more contrast.
pub fn ink(background: Color, dark: Color, light: Color) -> Color {
    if contrast(background, light) >= contrast(background, dark) {
        light
    } else {
        dark
    }
}

/// Contrast ratio of two colours, 1 to 21 (WCAG 2.1).
pub fn contrast(a: Color, b: Color) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(color: Color) -> f64 {
    let [r, g, b, _] = color.rgba();
    let linear = |v: u8| {
        let v = f64::from(v) / 255.0;
        if v <= 0.03928 {
            v / 12.92
        } else {
            ((v + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

/// Between two colours.
pub fn mix(a: Color, b: Color, share: f64) -> Color {
    let (a, b) = (a.rgba(), b.rgba());
    let channel = |i: usize| (f64::from(a[i]) * (1.0 - share) + f64::from(b[i]) * share).round() as u8;
    Color::new([channel(0), channel(1), channel(2), 255])
}

fn hsl(color: Color) -> (f64, f64, f64) {
    let [r, g, b, _] = color.rgba().map(|v| f64::from(v) / 255.0);
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    let (lightness, span) = (f64::midpoint(most, least), most - least);
    if span < 1e-9 {
        return (220.0, 0.0, lightness);
    }
    let saturation = span / (1.0 - (2.0 * lightness - 1.0).abs()).max(1e-9);
    let sixth = if most == r {
        (g - b) / span
    } else if most == g {
        (b - r) / span + 2.0
    } else {
        (r - g) / span + 4.0
    };
    ((sixth * 60.0).rem_euclid(360.0), saturation, lightness)
}

fn from_hsl(hue: f64, saturation: f64, lightness: f64) -> Color {
    let chroma = (1.0 - (2.0 * lightness - 1.0).abs()) * saturation;
    let channel = |offset: f64| {
        let k = (offset + hue.rem_euclid(360.0) / 30.0) % 12.0;
        let value = lightness - chroma / 2.0 * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0);
        (value * 255.0).round().clamp(0.0, 255.0) as u8
    };
    Color::new([channel(0.0), channel(8.0), channel(4.0), 255])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hue_round_trips() {
        for color in [[200, 30, 60, 255], [20, 180, 90, 255], [128, 128, 128, 255]] {
            let (h, s, l) = hsl(Color::new(color));
            assert_eq!(from_hsl(h, s, l).rgba(), color);
        }
    }

    #[test]
    fn letters_can_be_read_on_any_main_colour() {
        for seed in 0..300 {
            let scheme = Scheme::new(&[], &mut Random::new(seed));
            for background in [scheme.dark, scheme.main, scheme.accent, scheme.light] {
                let letters = ink(background, scheme.dark, scheme.light);
                // WCAG 2.1 asks for 3 where letters are large.
                assert!(
                    contrast(background, letters) > 3.0,
                    "seed {seed} {background} {letters}"
                );
            }
        }
    }

    #[test]
    fn brand_colours_are_used_as_they_are() {
        let brand = ["#123456".parse().unwrap(), "#fedcba".parse().unwrap()];
        let scheme = Scheme::new(&brand, &mut Random::new(1));
        assert_eq!((scheme.main, scheme.accent), (brand[0], brand[1]));
    }
}
