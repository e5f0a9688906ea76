//! The facts kept beside a picture.

use std::path::Path;

use app_core::{Artifact, Context, ToolError, ToolResult, Usd};
use serde::Serialize;
use serde_json::Value;

use crate::{
    input::Generate,
    paid::{Ask, Made},
};

/// What is known of a picture.
#[derive(Debug, Serialize)]
struct Sidecar<'a> {
    format: &'static str,
    image: String,
    /// As it was given.
    prompt: &'a str,
    /// As it was sent; absent where nothing was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_sent: Option<&'a str>,
    negative_prompt: Option<&'a str>,
    provider: &'static str,
    model: &'a str,
    seed: Option<u64>,
    width: u32,
    height: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_size: Option<String>,
    reference: Option<&'a Path>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    references: Vec<Used<'a>>,
    humanized: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    cost_usd: Usd,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cost_unconfirmed: bool,
    created_at: String,
}

/// A picture that went along.
#[derive(Debug, Serialize)]
struct Used<'a> {
    path: &'a Path,
    sha256: &'a str,
    role: &'static str,
}

/// Writes `NAME.json` beside `image`.
pub fn write(
    (image, size, humanized): (&Path, (u32, u32), bool),
    made: &Made,
    input: &Generate,
    ask: &Ask,
    ctx: &Context,
) -> ToolResult<Artifact> {
    let others = input.asks_others()?;
    let used = ask.references.iter().map(|reference| (reference, "reference"));
    let used = used.chain(ask.mask.iter().map(|mask| (mask, "mask")));
    let sidecar = Sidecar {
        format: "onejob.image.v1",
        image: image
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default(),
        prompt: &input.prompt,
        prompt_sent: made.provider.remote().map(|_| ask.prompt.as_str()),
        negative_prompt: input.negative_prompt.as_deref(),
        provider: made.provider.name(),
        model: &made.model,
        seed: made.seed,
        width: size.0,
        height: size.1,
        asked_size: others.then(|| format!("{}x{}", ask.size.0, ask.size.1)),
        reference: input.reference.as_deref(),
        references: used
            .map(|(reference, role)| Used {
                path: &reference.path,
                sha256: &reference.sha256,
                role,
            })
            .collect(),
        humanized,
        usage: made.usage.as_ref(),
        request_id: made.request_id.as_deref(),
        cost_usd: made.cost_usd,
        cost_unconfirmed: made.unconfirmed,
        created_at: ctx.now().to_string(),
    };
    let mut text = serde_json::to_vec_pretty(&sidecar)
        .map_err(|e| ToolError::internal(format!("the sidecar could not be written: {e}")))?;
    text.push(b'\n');
    ctx.write(image.with_extension("json"), "application/json", "sidecar", &text)
}
