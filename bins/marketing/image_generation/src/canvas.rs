//! The provider that needs no far side: a brand card, drawn here.

use app_core::{Context, ToolError, ToolResult, Usd};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use raster::{Color, EncodeOptions, Filter, Format, Limits, Pixels, RgbaImage, decode, encode, resize};
use std::path::Path;

use crate::{
    card::{self, Layout},
    input::Generate,
    paid::{Drawn, Made},
    provider::Provider,
};

/// The model recorded beside a card.
pub const MODEL: &str = "brand-card-1";

/// What a card is to be.
#[derive(Clone, Debug)]
pub struct Request {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Picture to show, as a `data:` address.
    pub reference: Option<String>,
    /// Large words.
    pub title: String,
    /// Smaller words.
    pub subtitle: String,
    /// A few words in a pill.
    pub badge: String,
    /// Brand name.
    pub brand: String,
    /// Brand colours.
    pub colors: Vec<Color>,
    /// Fixed arrangement.
    pub layout: Option<Layout>,
}

/// A card that can be drawn with any seed.
#[derive(Debug)]
pub struct Card(Request);

impl Card {
    /// The card of an input, and what people should know of it.
    pub fn new(input: &Generate, ctx: &Context) -> ToolResult<(Self, Vec<String>)> {
        let request = request(input, ctx)?;
        let warnings = card::typeface(&request)?.warning().into_iter().collect();
        Ok((Self(request), warnings))
    }

    /// Draws it.
    pub fn draw(&self, seed: u64) -> ToolResult<Made> {
        let request = &self.0;
        let raw = card::draw(request, &card::typeface(request)?, seed)?;
        let image = RgbaImage::from_raw(request.width, request.height, raw)
            .map(|image| Pixels::Rgba(image).into_rgb(Color::WHITE))
            .ok_or_else(|| ToolError::internal("the card has the wrong number of bytes"))?;
        Ok(Made {
            provider: Provider::Canvas,
            model: MODEL.to_owned(),
            picture: Drawn::Pixels(image),
            seed: Some(seed),
            cost_usd: Usd::ZERO,
            unconfirmed: false,
            usage: None,
            request_id: None,
        })
    }
}

fn request(input: &Generate, ctx: &Context) -> ToolResult<Request> {
    let (width, height) = input.pixels()?;
    let title = match &input.title {
        Some(title) => title.clone(),
        None => input
            .prompt
            .lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default()
            .trim()
            .to_owned(),
    };
    let reference = input
        .reference
        .as_ref()
        .map(|path| reference(path, (width, height), ctx))
        .transpose()?;
    Ok(Request {
        width,
        height,
        reference,
        title,
        subtitle: input.subtitle.clone(),
        badge: input.badge.clone(),
        brand: input.brand.clone(),
        colors: input.colors.clone(),
        layout: input.layout,
    })
}

/// The reference as a `data:` address of a PNG, upright and no larger than it will be shown.
fn reference(path: &Path, shown: (u32, u32), ctx: &Context) -> ToolResult<String> {
    let limits = Limits::default();
    let bytes = ctx.read(path, limits.max_file)?;
    let picture = decode(&bytes, &path.display().to_string(), &limits).map_err(|e| e.field("reference"))?;
    let mut pixels = picture.pixels;
    let most = shown.0.max(shown.1);
    let scale = f64::from(most) / f64::from(pixels.width().min(pixels.height()));
    if scale < 1.0 {
        let side = |v: u32| ((f64::from(v) * scale).round() as u32).max(1);
        pixels = resize(
            &pixels,
            side(pixels.width()),
            side(pixels.height()),
            Filter::Lanczos3,
        )?;
    }
    let png = encode(pixels, Format::Png, &EncodeOptions::default())?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(png)))
}
