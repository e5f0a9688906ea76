//! Shapes of pictures.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Shapes for the usual places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// 1080x1080.
    Square,
    /// 1080x1350 (4:5).
    Portrait,
    /// 1080x1920 (9:16).
    Story,
    /// 1920x1080 (16:9).
    Landscape,
    /// 1200x630, as link previews show it.
    Banner,
}

impl Aspect {
    /// Width and height in pixels.
    pub const fn size(self) -> (u32, u32) {
        match self {
            Self::Square => (1080, 1080),
            Self::Portrait => (1080, 1350),
            Self::Story => (1080, 1920),
            Self::Landscape => (1920, 1080),
            Self::Banner => (1200, 630),
        }
    }
}
