//! The report of one post.

use std::path::{Path, PathBuf};

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::{
    Output,
    files::{MAX_TEXT_BYTES, json_file, pdf, write},
    input::PostInput,
    markdown,
    media::{self, Embed},
    post::{self, DesignSpec, MediaType, Post},
    render,
    words::capitalised,
};

/// Largest picture or video put into a report.
const MAX_MEDIA_BYTES: u64 = 200_000_000;

/// Writes the report of a post. Fails when the post breaks a rule of its platform, or a file cannot be read or written.
pub async fn post_report(input: PostInput, ctx: &Context) -> ToolResult<Output> {
    let folder = &input.campaign_dir;
    let post: Post = given_or_file(input.post, ctx, folder, "marketing_content_FINAL.json", "post")?;
    post.check()?;
    let spec: DesignSpec = given_or_file(input.spec, ctx, folder, "design_specs_FINAL.json", "spec")?;
    let goal = match input.goal {
        Some(goal) => Some(goal),
        None => text_file(ctx, &folder.join("campaign_goal.md"))?,
    };
    let media_file = |given: Option<PathBuf>, name: &str| match given {
        Some(path) => Ok(Some(path)),
        None => {
            let named = text_file(ctx, &folder.join(name))?.map(|text| PathBuf::from(text.trim()));
            // The path is as the tool that made the file saw it, which may be from the campaign's folder.
            Ok(named.map(|path| if path.exists() { path } else { folder.join(path) }))
        }
    };
    let image = media_file(input.image, "generated_image_path.txt")?;
    let video = media_file(input.video, "generated_video_path.txt")?;
    let report = input.output.unwrap_or_else(|| folder.join("report.html"));

    let address = |file: &Option<PathBuf>| {
        file.as_deref()
            .map(|file| media::address(ctx, file, &report, input.embed, MAX_MEDIA_BYTES))
            .transpose()
    };
    let (image_address, video_address) = (address(&image)?, address(&video)?);
    let title = post::title_of(goal.as_deref());
    let spec_text = serde_json::to_string_pretty(&spec)
        .map_err(|e| ToolError::internal(format!("the specification does not serialise: {e}")))?;
    let view = json!({
        "title": title,
        "paper": input.paper.css(),
        "platform": capitalised(&post.platform),
        "body": markdown::render(&post.text_content),
        "hashtags": post.hashtags.join(", "),
        "mentions": post.mentions.join(", "),
        "call_to_action": post.call_to_action_text,
        "call_to_action_url": post.call_to_action_url,
        "is_video": spec.media_type == MediaType::Video || post.video_path.is_some(),
        "prompt": spec.image_prompt,
        "video_script": spec.video_script,
        "image": image_address,
        "video": video_address,
        "alt": post.alt_text.as_deref().unwrap_or("Generated Campaign Image"),
        "spec": spec_text,
    });
    let html = render::render(render::POST, &view)?;
    let sources: Vec<_> = [image, video]
        .into_iter()
        .flatten()
        .map(|path| path.display().to_string())
        .collect();
    let embedded = if input.embed == Embed::DataUrl {
        sources.len()
    } else {
        0
    };
    let artifact = write(ctx, &report, &html, &sources)?;
    let pdf = if input.pdf {
        pdf(ctx, &report, &report, input.pdf_timeout).await?
    } else {
        None
    };
    Ok(Output {
        report,
        title,
        bytes: artifact.bytes,
        pdf,
        embedded,
        missing: Vec::new(),
    })
}

fn given_or_file<T: DeserializeOwned>(
    given: Option<T>,
    ctx: &Context,
    folder: &Path,
    name: &str,
    field: &str,
) -> ToolResult<T> {
    match given {
        Some(value) => Ok(value),
        None => json_file(ctx, &folder.join(name)).map_err(|error| {
            error
                .field(field)
                .hint(format!("give `{field}`, or put `{name}` into the folder"))
        }),
    }
}

/// The text of a file; `None` when there is none.
fn text_file(ctx: &Context, path: &Path) -> ToolResult<Option<String>> {
    match ctx.read(path, MAX_TEXT_BYTES) {
        Ok(bytes) => {
            Ok(Some(String::from_utf8_lossy(&bytes).into_owned()).filter(|text| !text.trim().is_empty()))
        }
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
