//! The offline provider: a brand card, drawn as SVG. Everything about it follows from the request and the seed.

mod colors;
mod column;
mod layout;
mod ornament;
mod words;

use app_core::ToolResult;
use colors::Scheme;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vector::Typeface;

use crate::{canvas::Request, random::Random};

/// How the parts of a card are arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Text on one side, picture on the other.
    Split,
    /// Everything in the middle, on a gradient.
    Center,
    /// Picture above, text below.
    Band,
    /// Light, with a frame and large letters.
    Frame,
}

const LAYOUTS: [Layout; 4] = [Layout::Split, Layout::Center, Layout::Band, Layout::Frame];

/// The letters for everything that is written on a card.
pub fn typeface(request: &Request) -> ToolResult<Typeface> {
    let Request {
        title,
        subtitle,
        badge,
        brand,
        ..
    } = request;
    Typeface::for_text(
        &format!("{title} {subtitle} {badge} {} {brand}", badge.to_uppercase()),
        None,
    )
}

/// Draws the card with this seed; RGBA pixels, row by row.
pub fn draw(request: &Request, face: &Typeface, seed: u64) -> ToolResult<Vec<u8>> {
    face.draw(&svg(request, face, seed)?, request.width, request.height)
}

/// The card as SVG.
pub fn svg(request: &Request, face: &Typeface, seed: u64) -> ToolResult<String> {
    let mut random = Random::new(seed);
    // Drawn always, so that a fixed layout does not change the colours and shapes of a seed.
    let drawn = *random.pick(&LAYOUTS);
    let layout = request.layout.unwrap_or(drawn);
    let scheme = Scheme::new(&request.colors, &mut random);
    layout::draw(layout, request, face, &scheme, &mut random)
}
