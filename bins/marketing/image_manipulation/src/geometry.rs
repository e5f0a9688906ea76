//! Sizes and places, without a pixel in sight.

use app_core::{ToolError, ToolResult};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Nine places on an image. The names are ImageMagick's; lower case and dashes are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gravity {
    /// Top left.
    NorthWest,
    /// Top.
    North,
    /// Top right.
    NorthEast,
    /// Left.
    West,
    /// Centre.
    #[default]
    Center,
    /// Right.
    East,
    /// Bottom left.
    SouthWest,
    /// Bottom.
    South,
    /// Bottom right.
    SouthEast,
}

impl Gravity {
    /// All nine, with the names the replaced script took.
    pub const OLD_NAMES: [(&'static str, Self); 9] = [
        ("NorthWest", Self::NorthWest),
        ("North", Self::North),
        ("NorthEast", Self::NorthEast),
        ("West", Self::West),
        ("Center", Self::Center),
        ("East", Self::East),
        ("SouthWest", Self::SouthWest),
        ("South", Self::South),
        ("SouthEast", Self::SouthEast),
    ];

    /// Default of a watermark.
    pub fn south_east() -> Self {
        Self::SouthEast
    }

    /// Default of a text.
    pub fn south() -> Self {
        Self::South
    }

    /// Default of a crop.
    pub fn north_west() -> Self {
        Self::NorthWest
    }

    /// -1, 0 or 1 for left, middle, right and for top, middle, bottom.
    pub const fn sides(self) -> (i64, i64) {
        match self {
            Self::NorthWest => (-1, -1),
            Self::North => (0, -1),
            Self::NorthEast => (1, -1),
            Self::West => (-1, 0),
            Self::Center => (0, 0),
            Self::East => (1, 0),
            Self::SouthWest => (-1, 1),
            Self::South => (0, 1),
            Self::SouthEast => (1, 1),
        }
    }

    /// Top left corner of something of size `inner` on something of size `outer`, `margin` away from the edges.
    /// In the middle the margin moves right and down. May be negative where it does not fit.
    pub fn place(self, outer: (u32, u32), inner: (u32, u32), margin: (u32, u32)) -> (i64, i64) {
        let along = |side: i64, outer: u32, inner: u32, margin: u32| {
            let (outer, inner, margin) = (i64::from(outer), i64::from(inner), i64::from(margin));
            match side {
                -1 => margin,
                0 => (outer - inner).div_euclid(2) + margin,
                _ => outer - inner - margin,
            }
        };
        let (x, y) = self.sides();
        (
            along(x, outer.0, inner.0, margin.0),
            along(y, outer.1, inner.1, margin.1),
        )
    }
}

/// What happens when both sides are given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// As large as fits inside; proportions kept.
    #[default]
    Fit,
    /// Exactly this size: the whole image with background around it.
    Fill,
    /// Exactly this size: filled, what is over is cut off.
    Cover,
    /// Exactly this size: proportions lost.
    Stretch,
}

/// How an image becomes another size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scaling {
    /// The whole image to this size.
    Whole(u32, u32),
    /// The whole image to the first size, on a canvas of the second.
    Framed((u32, u32), (u32, u32)),
    /// The region `x, y, width, height` to this size.
    Part([f64; 4], (u32, u32)),
}

/// Decides how an image of `from` becomes `width` by `height`; at least one must be given.
pub fn scaling(
    from: (u32, u32),
    width: Option<u32>,
    height: Option<u32>,
    mode: Mode,
    gravity: Gravity,
    enlarge: bool,
) -> ToolResult<Scaling> {
    let (w, h) = (f64::from(from.0), f64::from(from.1));
    let cap = |scale: f64| if enlarge { scale } else { scale.min(1.0) };
    let scaled = |scale: f64| {
        let side = |v: f64| ((v * scale).round() as u32).max(1);
        (side(w), side(h))
    };
    let (width, height) = match (width, height) {
        (None, None) => {
            return Err(ToolError::invalid("width", "a width or a height is needed").field("height"));
        }
        (Some(width), None) => {
            let (a, b) = scaled(cap(f64::from(width) / w));
            return Ok(Scaling::Whole(if enlarge { width } else { a }, b));
        }
        (None, Some(height)) => {
            let (a, b) = scaled(cap(f64::from(height) / h));
            return Ok(Scaling::Whole(a, if enlarge { height } else { b }));
        }
        (Some(width), Some(height)) => (width, height),
    };
    let (across, down) = (f64::from(width) / w, f64::from(height) / h);
    let inside = || {
        let (a, b) = scaled(cap(across.min(down)));
        (a.min(width), b.min(height))
    };
    Ok(match mode {
        Mode::Fit => {
            let (a, b) = inside();
            Scaling::Whole(a, b)
        }
        Mode::Fill => Scaling::Framed(inside(), (width, height)),
        Mode::Stretch => Scaling::Whole(width, height),
        Mode::Cover => {
            let scale = across.max(down);
            let (part_w, part_h) = (
                (f64::from(width) / scale).min(w),
                (f64::from(height) / scale).min(h),
            );
            let (side_x, side_y) = gravity.sides();
            let start = |side: i64, room: f64| room.max(0.0) * (side + 1) as f64 / 2.0;
            let region = [
                start(side_x, w - part_w),
                start(side_y, h - part_h),
                part_w,
                part_h,
            ];
            let target = if enlarge || scale <= 1.0 {
                (width, height)
            } else {
                (part_w.round() as u32, part_h.round() as u32)
            };
            Scaling::Part(region, target)
        }
    })
}

/// Width and height of the largest rectangle of shape `aspect` (such as `16:9`) in `from`.
pub fn largest(from: (u32, u32), aspect: &str) -> ToolResult<(u32, u32)> {
    let wrong = || ToolError::invalid("aspect", format!("`{aspect}` is not a shape; write it as 16:9"));
    let (across, down) = aspect.split_once([':', '/', 'x']).ok_or_else(wrong)?;
    let number = |text: &str| {
        text.trim()
            .parse::<f64>()
            .ok()
            .filter(|v| *v > 0.0 && v.is_finite())
    };
    let shape = number(across).ok_or_else(wrong)? / number(down).ok_or_else(wrong)?;
    let (w, h) = (f64::from(from.0), f64::from(from.1));
    let side = |v: f64, most: u32| (v.round() as u32).clamp(1, most);
    Ok(if w / h > shape {
        (side(h * shape, from.0), from.1)
    } else {
        (from.0, side(w / shape, from.1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(from: (u32, u32), width: Option<u32>, height: Option<u32>) -> Scaling {
        scaling(from, width, height, Mode::Fit, Gravity::Center, true).unwrap()
    }

    #[test]
    fn proportions_are_kept_when_fitting() {
        assert_eq!(whole((60, 40), Some(30), Some(30)), Scaling::Whole(30, 20));
        assert_eq!(whole((60, 40), Some(15), None), Scaling::Whole(15, 10));
        assert_eq!(whole((2725, 2225), Some(720), None), Scaling::Whole(720, 588));
        assert_eq!(whole((10, 1000), Some(10), Some(10)), Scaling::Whole(1, 10));
        assert!(scaling((1, 1), None, None, Mode::Fit, Gravity::Center, true).is_err());
    }

    #[test]
    fn cover_keeps_the_part_that_gravity_names() {
        let part = |gravity| scaling((100, 50), Some(20), Some(20), Mode::Cover, gravity, true).unwrap();
        assert_eq!(
            part(Gravity::West),
            Scaling::Part([0.0, 0.0, 50.0, 50.0], (20, 20))
        );
        assert_eq!(
            part(Gravity::Center),
            Scaling::Part([25.0, 0.0, 50.0, 50.0], (20, 20))
        );
        assert_eq!(
            part(Gravity::East),
            Scaling::Part([50.0, 0.0, 50.0, 50.0], (20, 20))
        );
    }

    #[test]
    fn small_images_stay_small_when_told_so() {
        let scaling = scaling((10, 10), Some(100), Some(50), Mode::Fit, Gravity::Center, false).unwrap();
        assert_eq!(scaling, Scaling::Whole(10, 10));
    }

    #[test]
    fn nine_places() {
        let at = |gravity: Gravity| gravity.place((100, 50), (10, 10), (3, 3));
        assert_eq!(at(Gravity::NorthWest), (3, 3));
        assert_eq!(at(Gravity::SouthEast), (87, 37));
        assert_eq!(Gravity::Center.place((100, 50), (10, 10), (0, 0)), (45, 20));
        assert_eq!(Gravity::Center.place((10, 10), (20, 20), (0, 0)), (-5, -5));
        assert_eq!(largest((1000, 1000), "16:9").unwrap(), (1000, 563));
        assert!(largest((10, 10), "wide").is_err());
    }
}
