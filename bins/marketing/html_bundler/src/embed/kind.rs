//! What a resource is for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a resource is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Style sheets.
    Css,
    /// Scripts.
    Scripts,
    /// Images, posters and backgrounds.
    Images,
    /// Fonts.
    Fonts,
    /// Favicons and touch icons.
    Icons,
    /// Videos and their subtitles.
    Video,
    /// Sounds.
    Audio,
    /// Frames, embedded objects.
    Frames,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Css,
        Self::Scripts,
        Self::Images,
        Self::Fonts,
        Self::Icons,
        Self::Video,
        Self::Audio,
        Self::Frames,
    ];

    /// Name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Css => "css",
            Self::Scripts => "scripts",
            Self::Images => "images",
            Self::Fonts => "fonts",
            Self::Icons => "icons",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Frames => "frames",
        }
    }
}
