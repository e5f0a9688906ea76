//! What is said of one page: how it is opened, and what is in its picture.

use std::collections::BTreeMap;

use app_core::Secret;
use browser::Wait;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::device::Device;

/// How much of a page is in the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// The whole page.
    #[default]
    Page,
    /// What the window shows.
    Viewport,
}

/// Which medium the styles are chosen for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Media {
    /// A screen.
    Screen,
    /// Paper.
    Print,
}

/// What is done with a banner that asks for consent. It is never accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// It is told of and left alone.
    #[default]
    None,
    /// It is not shown.
    Hide,
    /// Its button to reject is pressed.
    Reject,
}

/// How a page is opened.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Opening {
    /// Width of the window in CSS pixels; 1280, or that of the device
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 10_000))]
    pub width: Option<u32>,
    /// Height of the window in CSS pixels; 720, or that of the device
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 10_000))]
    pub height: Option<u32>,
    /// A device: its window, scale and name
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// Pixels of the picture for each CSS pixel; 1, or that of the device
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0.1, max = 8.0))]
    pub scale: Option<f64>,
    /// Medium that the styles are chosen for; screen, and print for a PDF
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Media>,
    /// Ask the page for dark colours
    #[serde(default)]
    pub dark: bool,
    /// Ask the page for little motion
    #[serde(default)]
    pub reduced_motion: bool,
    /// Header for the page's own origin; `NAME=secret:KEY` takes the value of a secret; may be repeated
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[garde(length(max = 100))]
    pub header: BTreeMap<String, Secret>,
    /// Cookie for the page's own host; `NAME=secret:KEY` takes the value of a secret; may be repeated
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[garde(length(max = 100))]
    pub cookie: BTreeMap<String, Secret>,
    /// Send user and password of the secret SCREENSHOT_BASIC_AUTH (`user:password`) to the page's own origin
    #[serde(default)]
    pub basic_auth: bool,
    /// What is waited for before the picture
    #[serde(default)]
    pub wait: Wait,
    /// JavaScript that is run in the page before the picture
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(max = 100_000))]
    pub before_script: Option<String>,
    /// Elements that are left blank, as a CSS selector; may be repeated
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(length(max = 100), inner(length(min = 1, max = 10_000)))]
    pub hide: Vec<String>,
    /// What is done with a banner that asks for consent; it is never accepted
    #[serde(default)]
    pub consent: Consent,
    /// Show a file below the working directory; it sees no other files
    #[serde(default)]
    pub allow_file: bool,
    /// Seconds in which the page must begin to come
    #[serde(default = "half_a_minute")]
    #[garde(range(min = 1.0, max = 600.0))]
    pub timeout: f64,
}

/// What is in a picture.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Framing {
    /// Take the first element that a CSS selector finds, in open shadow roots too; `a >>> b` is b inside of a; may be repeated
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(length(max = 100), inner(length(min = 1, max = 10_000)))]
    pub selector: Vec<String>,
    /// Take all elements that the selectors find, each as a picture of its own: OUT-1, OUT-2 and so on
    #[serde(default)]
    pub all: bool,
    /// How much of the page is taken where no selector is given
    #[serde(default)]
    pub area: Area,
    /// Leave out the white ground below the page (PNG and WebP)
    #[serde(default)]
    pub omit_background: bool,
    /// Quality of JPEG and WebP
    #[serde(default = "ninety")]
    #[garde(range(min = 1, max = 100))]
    pub quality: u8,
    /// Largest picture in pixels
    #[serde(default = "hundred_million")]
    #[garde(range(min = 1, max = 500_000_000))]
    pub max_pixels: u64,
}

const fn half_a_minute() -> f64 {
    30.0
}

const fn ninety() -> u8 {
    90
}

const fn hundred_million() -> u64 {
    100_000_000
}
