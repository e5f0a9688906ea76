//! Who makes the pictures, and what it costs.

use std::time::Duration;

use app_core::{Context, ToolError, ToolResult, Usd};
use raster::{Color, Pixels, RgbaImage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::card::{self, Layout};

/// The providers there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Offline: a brand card with the given words, drawn here. Free.
    #[default]
    Canvas,
}

/// What a picture is to be.
#[derive(Clone, Debug)]
pub struct Request {
    /// What it shows.
    pub prompt: String,
    /// What it must not show; recorded, and for providers that understand it.
    pub negative_prompt: Option<String>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Picture to start from or to show, as a `data:` address.
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

impl Provider {
    /// Name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Canvas => "canvas",
        }
    }

    /// The model recorded beside the picture.
    pub const fn model(self) -> &'static str {
        match self {
            Self::Canvas => "brand-card-1",
        }
    }

    /// Price of one picture.
    pub const fn price(self) -> Usd {
        match self {
            Self::Canvas => Usd::ZERO,
        }
    }

    /// What people should know of a request before it is made.
    pub fn warnings(self, request: &Request) -> ToolResult<Vec<String>> {
        match self {
            Self::Canvas => Ok(card::typeface(request)?.warning().into_iter().collect()),
        }
    }

    /// Makes one picture. Money is set aside before, settled after, and given back when it fails.
    pub async fn generate(self, request: &Request, seed: u64, ctx: &Context) -> ToolResult<(Pixels, Usd)> {
        let price = self.price();
        if price == Usd::ZERO {
            return Ok((self.make(request, seed).await?, price));
        }
        let lifetime = Duration::from_secs(600);
        let tool = ctx.definition().name.clone();
        let reservation = ctx
            .ledger()?
            .reserve(&tool, self.model(), price, lifetime, ctx.now())?;
        match self.make(request, seed).await {
            Ok(pixels) => {
                ctx.ledger()?.commit(&reservation.id, price, ctx.now())?;
                ctx.cost(price, self.model());
                Ok((pixels, price))
            }
            Err(error) => {
                ctx.ledger()?.refund(&reservation.id, ctx.now())?;
                Err(error)
            }
        }
    }

    #[expect(clippy::unused_async, reason = "providers behind a network wait here")]
    async fn make(self, request: &Request, seed: u64) -> ToolResult<Pixels> {
        match self {
            Self::Canvas => {
                let raw = card::draw(request, &card::typeface(request)?, seed)?;
                RgbaImage::from_raw(request.width, request.height, raw)
                    .map(|image| Pixels::Rgb(Pixels::Rgba(image).into_rgb(Color::WHITE)))
                    .ok_or_else(|| ToolError::internal("the card has the wrong number of bytes"))
            }
        }
    }
}
