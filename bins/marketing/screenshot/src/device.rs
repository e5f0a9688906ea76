//! Devices by name: the window that a page sees on them.

use browser::Viewport;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::input::Opening;

/// A kind of device. Widths are those that pages are most often made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// 360 x 640, three pixels for one.
    PhoneSmall,
    /// 390 x 844, three pixels for one.
    Phone,
    /// 430 x 932, three pixels for one.
    PhoneLarge,
    /// 820 x 1180, two pixels for one.
    Tablet,
    /// 1180 x 820, two pixels for one.
    TabletLandscape,
    /// 1366 x 768.
    Laptop,
    /// 1920 x 1080.
    Desktop,
}

impl Device {
    /// Width, height, scale, whether it is held in a hand.
    const fn window(self) -> (u32, u32, f64, bool) {
        match self {
            Self::PhoneSmall => (360, 640, 3.0, true),
            Self::Phone => (390, 844, 3.0, true),
            Self::PhoneLarge => (430, 932, 3.0, true),
            Self::Tablet => (820, 1180, 2.0, true),
            Self::TabletLandscape => (1180, 820, 2.0, true),
            Self::Laptop => (1366, 768, 1.0, false),
            Self::Desktop => (1920, 1080, 1.0, false),
        }
    }
}

/// The window for a page: the device's, with what was given over it. `version` is the browser's.
pub fn viewport(opening: &Opening, version: &str) -> Viewport {
    let (width, height, scale, mobile) = opening.device.map_or((1280, 720, 1.0, false), Device::window);
    let number = version
        .rsplit('/')
        .next()
        .and_then(|version| version.split('.').next())
        .unwrap_or("0");
    let system = match opening.device {
        Some(Device::Tablet | Device::TabletLandscape) => "Linux; Android 15; Tablet",
        _ => "Linux; Android 15; K",
    };
    let phone = if matches!(opening.device, Some(Device::Tablet | Device::TabletLandscape)) {
        ""
    } else {
        " Mobile"
    };
    Viewport {
        width: opening.width.unwrap_or(width),
        height: opening.height.unwrap_or(height),
        scale: opening.scale.unwrap_or(scale),
        mobile,
        // Pages choose by name too.
        user_agent: mobile.then(|| {
            format!("Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{number}.0.0.0{phone} Safari/537.36")
        }),
    }
}
