//! Providers behind a network: one trait, and what they have in common.

mod answer;
mod automatic1111;
mod call;
mod chain;
mod gemini;
mod link;
mod openai;
mod present;
mod reference;
mod sizes;
mod stability;

use std::fmt::Debug;

use app_core::{
    ToolError, ToolResult, Usd,
    config::{ImageTokens, Price},
    contract::Secret,
};
use serde_json::Value;
use web::{Http, Response};

use crate::provider::{Provider, Quality};

pub use chain::{Attempt, Chain, Drawn, Made, Run};
pub use link::{Key, Link};
pub use present::{Models, models};
pub use reference::{Reference, read_all};
pub use sizes::Shape;

/// One picture, as it is asked of whoever makes it.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What it shows.
    pub prompt: String,
    /// What it must not show.
    pub negative_prompt: Option<String>,
    /// Width and height that are wanted.
    pub size: (u32, u32),
    /// Seed, where one is wanted.
    pub seed: Option<u64>,
    /// How much care it takes.
    pub quality: Quality,
    /// Pictures to start from.
    pub references: Vec<Reference>,
    /// Where the first of them may change.
    pub mask: Option<Reference>,
    /// How far the result may go from the reference, from 0 to 1.
    pub strength: Option<f64>,
}

/// How a provider fulfils an [`Ask`].
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// What it makes.
    pub shape: Shape,
    /// What is not as asked.
    pub notes: Vec<String>,
}

/// Where a request goes, and as whom.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The client.
    pub http: &'a Http,
    /// Address without a slash at its end.
    pub base: &'a str,
    /// Model.
    pub model: &'a str,
    /// Key, where the provider has one.
    pub key: Option<&'a Secret>,
}

/// A provider of pictures.
pub trait Remote: Debug + Send + Sync {
    /// Which one it is.
    fn provider(&self) -> Provider;
    /// The model that is asked where nobody says another.
    fn usual_model(&self) -> &'static str;
    /// Its models that are known here, the usual one first.
    fn models(&self) -> &'static [&'static str];
    /// Its usual address.
    fn usual_base(&self) -> &'static str;
    /// Names of the variables that may hold the key, in order; empty where there is none.
    fn keys(&self) -> &'static [&'static str];
    /// The entry of the price table for a model.
    fn priced_as<'a>(&self, model: &'a str) -> &'a str {
        model
    }
    /// How it would fulfil this. `Err` says what it cannot do.
    fn fit(&self, ask: &Ask, model: &str, sizes: &[(u32, u32)]) -> Result<Fit, String>;
    /// The most tokens that the prompt and what is beside the picture may take.
    fn most_tokens(&self, ask: &Ask) -> ImageTokens;
    /// The request for one picture.
    fn request<'a>(&self, to: Target<'a>, ask: &Ask, fit: &Fit) -> ToolResult<web::http::Request<'a>>;
    /// What the answer means, and what it cost.
    fn read(&self, answer: &Response, price: &Price) -> Verdict;
}

/// What an answer means.
#[derive(Debug)]
pub struct Verdict {
    /// The picture, or why there is none.
    pub result: Result<Sent, Trouble>,
    /// What it cost.
    pub charge: Charge,
    /// The provider's own count of what was used.
    pub usage: Option<Value>,
    /// The provider's number of the request.
    pub request_id: Option<String>,
}

/// A picture as it came.
#[derive(Debug)]
pub struct Sent {
    /// The file, or where it lies.
    pub file: Whereabouts,
    /// Its seed, if the provider tells.
    pub seed: Option<u64>,
}

/// The bytes of a picture, or their address.
#[derive(Debug)]
pub enum Whereabouts {
    /// They came along.
    Bytes(Vec<u8>),
    /// They are to be fetched.
    At(String),
}

/// What a call cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charge {
    /// Nothing: no model was reached.
    Nothing,
    /// This much, by what the provider counted or by its fixed price.
    Known(Usd),
    /// Probably this much: the answer does not say.
    Estimated(Usd),
    /// Perhaps as much as was set aside.
    Unknown,
}

/// Why there is no picture.
#[derive(Debug)]
pub struct Trouble {
    /// What kind of trouble, which decides who is asked next.
    pub kind: TroubleKind,
    /// As it is told.
    pub error: ToolError,
}

/// Kinds of trouble with a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TroubleKind {
    /// The provider does not want to draw this. Asking again is no use, and another one only if the caller wants that.
    Refused,
    /// It does not take the key.
    Unauthorised,
    /// The account is empty; there is nothing more to be had in this run.
    NoCredit,
    /// The request was sent and the answer is lost: the picture may have been made and paid.
    Lost,
    /// Anything else; the next one is asked.
    Failed,
}

/// How a provider is reached; `None` for the one that is no far side.
pub fn remote(provider: Provider) -> Option<&'static dyn Remote> {
    match provider {
        Provider::Canvas => None,
        Provider::Openai => Some(&openai::OpenAi),
        Provider::Gemini => Some(&gemini::Gemini),
        Provider::Stability => Some(&stability::Stability),
        Provider::Automatic1111 => Some(&automatic1111::Automatic1111),
    }
}
