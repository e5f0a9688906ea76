//! What a provider makes of a wanted size.

use std::fmt;

/// What a provider makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A size in pixels.
    Pixels(u32, u32),
    /// A ratio of the sides; the provider chooses the pixels, about so many along the shorter side.
    Ratio {
        /// Width.
        wide: u32,
        /// Height.
        high: u32,
        /// Pixels of a square of this kind along a side.
        edge: u32,
    },
}

/// As the provider is told.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pixels(width, height) => write!(f, "{width}x{height}"),
            Self::Ratio { wide, high, .. } => write!(f, "{wide}:{high}"),
        }
    }
}

impl Shape {
    /// Its pixels; those of a ratio are about what comes.
    pub fn pixels(self) -> (u32, u32) {
        match self {
            Self::Pixels(width, height) => (width, height),
            Self::Ratio { wide, high, edge } => {
                let root = (f64::from(wide) / f64::from(high)).sqrt();
                let edge = f64::from(edge);
                ((edge * root).round() as u32, (edge / root).round() as u32)
            }
        }
    }

    /// What is told when this is not the size that was wanted.
    pub fn note(self, wanted: (u32, u32)) -> Option<String> {
        let (width, height) = wanted;
        match self {
            Self::Pixels(w, h) if (w, h) == wanted => None,
            Self::Pixels(w, h) => Some(format!("makes {w}x{h}, not {width}x{height}")),
            Self::Ratio { wide, high, .. } => {
                let same = u64::from(wide) * u64::from(height) == u64::from(high) * u64::from(width);
                let (w, h) = self.pixels();
                let about = if same { "" } else { ", another shape," };
                Some(format!(
                    "makes {wide}:{high}{about} of about {w}x{h}, not {width}x{height}"
                ))
            }
        }
    }
}

/// How far two shapes are apart: ratios of ratios, the same for both directions.
fn distance((width, height): (u32, u32), (w, h): (u32, u32)) -> f64 {
    let ratio = |a: u32, b: u32| (f64::from(a.max(1)) / f64::from(b.max(1))).ln();
    (ratio(width, height) - ratio(w, h)).abs()
}

/// The size of the list that is nearest in shape, then in area.
pub fn nearest(wanted: (u32, u32), sizes: &[(u32, u32)]) -> Shape {
    let area = |(width, height): (u32, u32)| (f64::from(width) * f64::from(height)).max(1.0).ln();
    let key = |size: &(u32, u32)| {
        let apart = (area(wanted) - area(*size)).abs();
        // Shape counts first; what differs by less than a percent is the same.
        ((distance(wanted, *size) * 100.0).round(), apart)
    };
    let best = sizes.iter().min_by(|a, b| {
        let (a, b) = (key(a), key(b));
        a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
    });
    best.map_or(Shape::Pixels(wanted.0, wanted.1), |(width, height)| {
        Shape::Pixels(*width, *height)
    })
}

/// The ratio of the list that is nearest.
pub fn ratio(wanted: (u32, u32), ratios: &[(u32, u32)], edge: u32) -> Shape {
    let best = ratios
        .iter()
        .min_by(|a, b| distance(wanted, **a).total_cmp(&distance(wanted, **b)));
    let (wide, high) = best.copied().unwrap_or((1, 1));
    Shape::Ratio { wide, high, edge }
}

/// The wanted size in steps of `step` pixels, scaled into the range of `areas`, its sides at most `most` times apart.
pub fn in_steps((width, height): (u32, u32), step: u32, areas: (u32, u32), most: f64) -> Shape {
    let (mut w, mut h) = (f64::from(width), f64::from(height));
    w = w.min(h * most);
    h = h.min(w * most);
    let (least, largest) = (f64::from(areas.0), f64::from(areas.1));
    let scale = if w * h < least {
        (least / (w * h)).sqrt()
    } else if w * h > largest {
        (largest / (w * h)).sqrt()
    } else {
        1.0
    };
    let step_f = f64::from(step);
    let snap = |side: f64| ((side / step_f).round().max(1.0) * step_f) as u32;
    let (mut w, mut h) = (snap(w * scale), snap(h * scale));
    // Rounding may have left the range again.
    while f64::from(w) * f64::from(h) > largest && (w > step || h > step) {
        if w >= h {
            w -= step;
        } else {
            h -= step;
        }
    }
    while f64::from(w) * f64::from(h) < least {
        if w <= h {
            w += step;
        } else {
            h += step;
        }
    }
    Shape::Pixels(w, h)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_shape_is_taken() {
        let sizes = [(1024, 1024), (1536, 1024), (1024, 1536)];
        for (wanted, expected) in [
            ((1080, 1080), (1024, 1024)),
            ((1080, 1920), (1024, 1536)),
            ((1200, 630), (1536, 1024)),
            ((64, 8192), (1024, 1536)),
        ] {
            assert_eq!(nearest(wanted, &sizes), Shape::Pixels(expected.0, expected.1));
        }
        let ratios = [(1, 1), (16, 9), (9, 16), (3, 2)];
        assert_eq!(ratio((1200, 630), &ratios, 1024).to_string(), "16:9");
        assert_eq!(ratio((1080, 1350), &ratios, 1024).to_string(), "1:1");
    }

    #[test]
    fn steps_stay_within_their_range() {
        let of = |wanted| in_steps(wanted, 16, (655_360, 3_686_400), 3.0);
        assert_eq!(of((1536, 864)), Shape::Pixels(1536, 864));
        assert_eq!(of((1080, 1080)), Shape::Pixels(1088, 1088));
        for wanted in [
            (64, 64),
            (8192, 8192),
            (64, 8192),
            (8192, 64),
            (1200, 630),
            (2559, 1441),
        ] {
            let (width, height) = of(wanted).pixels();
            let area = width * height;
            assert!(
                (655_360..=3_686_400).contains(&area),
                "{wanted:?}: {width}x{height}"
            );
            assert!(width % 16 == 0 && height % 16 == 0);
            let ratio = f64::from(width.max(height)) / f64::from(width.min(height));
            assert!(ratio < 3.1, "{wanted:?}: {width}x{height}");
        }
    }

    #[test]
    fn what_is_rounded_is_told() {
        assert_eq!(Shape::Pixels(10, 20).note((10, 20)), None);
        assert_eq!(
            Shape::Pixels(10, 20).note((10, 21)).unwrap(),
            "makes 10x20, not 10x21"
        );
        let wide = Shape::Ratio {
            wide: 16,
            high: 9,
            edge: 1024,
        };
        assert_eq!(wide.pixels(), (1365, 768));
        assert_eq!(
            wide.note((1200, 630)).unwrap(),
            "makes 16:9, another shape, of about 1365x768, not 1200x630"
        );
        assert!(!wide.note((1920, 1080)).unwrap().contains("another"));
    }
}
