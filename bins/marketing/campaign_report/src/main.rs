//! Writes the report of a social media post (text, picture or video, design) or of a whole campaign run (results,
//! steps, costs, lineage) as one HTML page, and as PDF. Replaces the campaign report of `html_bundler.py`.

mod browser;
mod legacy;
mod markdown;
mod media;
mod picture;
mod post;
mod render;
mod run;
mod summary;

use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use app_core::{
    Artifact, Context, Definition, Effect, ErrorKind, Policy, Source, Tool, ToolError, ToolResult, View,
};
use garde::Validate;
use migration::OldCalls;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use media::Embed;
use post::{DesignSpec, MediaType, Post};
use summary::Place;

/// Largest JSON or goal file read.
const MAX_TEXT_BYTES: u64 = 20_000_000;

/// Largest picture or video put into a report.
const MAX_MEDIA_BYTES: u64 = 200_000_000;

/// Width and height of the part of a page that a report shows, in pixels.
const PAGE_SHOWN: (u32, u32) = (1280, 960);

/// Longest time for the picture of a page.
const PAGE_LIMIT: Duration = Duration::from_secs(20);

/// Paper of the PDF.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Paper {
    /// 8.5 x 11 inches.
    #[default]
    Letter,
    /// 210 x 297 mm.
    A4,
}

impl Paper {
    const fn css(self) -> &'static str {
        match self {
            Self::Letter => "Letter",
            Self::A4 => "A4",
        }
    }
}

const fn default_pdf_timeout() -> u64 {
    60
}

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
#[expect(clippy::large_enum_variant, reason = "one value per process")]
pub enum Input {
    /// Report of one post
    Post(#[garde(dive)] PostInput),
    /// Report of a campaign run
    Run(#[garde(dive)] RunInput),
}

/// Report of one post
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub struct PostInput {
    /// Folder of the campaign; the report goes there
    #[garde(skip)]
    #[schemars(extend("x-cli" = {"positional": 1, "path": "dir"}))]
    pub campaign_dir: PathBuf,
    /// The post; by default `marketing_content_FINAL.json` of the folder
    #[garde(skip)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<Post>,
    /// The design specification; by default `design_specs_FINAL.json` of the folder
    #[garde(skip)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<DesignSpec>,
    /// Goal of the campaign; by default `campaign_goal.md` of the folder, if there is one
    #[garde(skip)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<String>,
    /// Picture; by default the file that `generated_image_path.txt` of the folder names
    #[garde(skip)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<PathBuf>,
    /// Video; by default the file that `generated_video_path.txt` of the folder names
    #[garde(skip)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video: Option<PathBuf>,
    /// Whether picture and video go into the report or stay beside it
    #[garde(skip)]
    #[serde(default)]
    pub embed: Embed,
    /// File of the report; `report.html` of the folder by default
    #[garde(skip)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    pub output: Option<PathBuf>,
    /// Write a PDF beside the report too (needs Chromium)
    #[garde(skip)]
    #[serde(default)]
    pub pdf: bool,
    /// Paper of the PDF
    #[garde(skip)]
    #[serde(default)]
    pub paper: Paper,
    /// Longest time for the PDF in seconds
    #[garde(range(min = 1, max = 3600))]
    #[serde(default = "default_pdf_timeout")]
    pub pdf_timeout: u64,
}

/// Report of a campaign run
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub struct RunInput {
    /// Folder of the run, with its `run.json`
    #[garde(skip)]
    #[schemars(extend("x-cli" = {"positional": 1, "path": "dir"}))]
    pub run_dir: PathBuf,
    /// Whether pictures and pages go into the report or stay beside it
    #[garde(skip)]
    #[serde(default)]
    pub embed: Embed,
    /// File of the report; `report.html` of the folder by default
    #[garde(skip)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    pub output: Option<PathBuf>,
    /// Write a PDF beside the report too (needs Chromium)
    #[garde(skip)]
    #[serde(default)]
    pub pdf: bool,
    /// Paper of the PDF
    #[garde(skip)]
    #[serde(default)]
    pub paper: Paper,
    /// Longest time for the PDF in seconds
    #[garde(range(min = 1, max = 3600))]
    #[serde(default = "default_pdf_timeout")]
    pub pdf_timeout: u64,
}

/// What the tool returns.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// The report.
    pub report: PathBuf,
    /// Its title.
    pub title: String,
    /// Bytes of the report.
    pub bytes: u64,
    /// The PDF.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pdf: Option<PathBuf>,
    /// Pictures, videos and pages in the report.
    pub embedded: usize,
    /// Files of the run that are no longer there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

struct CampaignReport;

impl Tool for CampaignReport {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        app_core::definition!("marketing")
            .replaces(2, &["html_bundler"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .policy(
                Policy::with_timeout(Duration::from_secs(300)),
                "pages and pictures are local; the browser for the PDF needs seconds",
            )
            .env(browser::BROWSER_VARIABLE, "the Chromium program that prints PDFs")
            .example("report of the post in a campaign folder", &["post", "post"])
            .example(
                "report of a campaign run",
                &["run", "run", "--output", "summary.html"],
            )
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let (Input::Post(PostInput { pdf, .. }) | Input::Run(RunInput { pdf, .. })) = &input;
        if *pdf && !ctx.dry_run() {
            // Nothing is written when a part of what was asked for cannot be made.
            browser::find(ctx)?;
        }
        match input {
            Input::Post(input) => post_report(input, ctx).await,
            Input::Run(input) => run_report(input, ctx).await,
        }
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(
            out,
            "{}: {} ({} bytes)",
            output.title,
            output.report.display(),
            output.bytes
        )?;
        if let Some(pdf) = &output.pdf {
            writeln!(out, "PDF: {}", pdf.display())?;
        }
        for missing in &output.missing {
            writeln!(out, "missing: {missing}")?;
        }
        Ok(())
    }
}

impl OldCalls for CampaignReport {
    fn from_legacy(call: Value) -> Result<Value, Value> {
        legacy::from_legacy(&call)
    }

    fn to_legacy(call: &Value, outcome: Result<&Output, &ToolError>) -> Value {
        legacy::to_legacy(call, outcome)
    }
}

async fn post_report(input: PostInput, ctx: &Context) -> ToolResult<Output> {
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

async fn run_report(input: RunInput, ctx: &Context) -> ToolResult<Output> {
    let file = input.run_dir.join("run.json");
    let run: run::Run = json_file(ctx, &file)?;
    let report = input.output.unwrap_or_else(|| input.run_dir.join("report.html"));
    let pages = pictures(ctx, &run, &input.run_dir).await?;
    let mut place = Place {
        folder: &input.run_dir,
        report: &report,
        embed: input.embed,
        paper: input.paper.css(),
        print: false,
        pages: &pages,
    };
    let view = summary::view(ctx, &run, place)?;
    let html = render::render(render::RUN, &view)?;
    let artifact = write(ctx, &report, &html, &[file.display().to_string()])?;
    for missing in &view.missing {
        ctx.warn(format!("`{missing}` is not in the run's folder"));
    }
    // Paper has no folds and no links, and pictures must be in the page that is printed.
    let mut pdf_file = None;
    if input.pdf {
        (place.print, place.embed) = (true, Embed::DataUrl);
        let html = render::render(render::RUN, &summary::view(ctx, &run, place)?)?;
        let printed = tempfile::Builder::new()
            .suffix(".html")
            .tempfile()
            .map_err(|e| ToolError::file("create a file in", &std::env::temp_dir(), &e))?;
        std::fs::write(printed.path(), html).map_err(|e| ToolError::file("write", printed.path(), &e))?;
        pdf_file = pdf(ctx, printed.path(), &report, input.pdf_timeout).await?;
    }
    let (embedded, missing) = (view.embedded, view.missing);
    Ok(Output {
        report,
        title: run.name,
        bytes: artifact.bytes,
        pdf: pdf_file,
        embedded,
        missing,
    })
}

fn write(ctx: &Context, report: &Path, html: &str, sources: &[String]) -> ToolResult<Artifact> {
    let mut file = ctx.create(report, "text/html", "report")?;
    for source in sources {
        file = file.made_from(Source::named(source));
    }
    std::io::Write::write_all(&mut file, html.as_bytes())
        .map_err(|e| ToolError::file("write", report, &e))?;
    file.commit()
}

/// Pictures of the pages that the run made, by their path in it. Without a browser there are none, and that is told.
async fn pictures(ctx: &Context, run: &run::Run, folder: &Path) -> ToolResult<HashMap<String, Vec<u8>>> {
    let mut pictures = HashMap::new();
    let files = run.steps.iter().flat_map(|step| &step.artifacts);
    for file in files.filter(|file| file.media_type == "text/html") {
        let Some(path) = summary::locate(folder, &file.path) else {
            continue;
        };
        match browser::picture(ctx, &path, PAGE_SHOWN, PAGE_LIMIT).await {
            Ok(png) => drop(pictures.insert(file.path.clone(), png)),
            Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
            Err(error) => ctx.warn(format!("no picture of `{}`: {}", file.path, error.message)),
        }
    }
    Ok(pictures)
}

/// Prints a page beside the report.
async fn pdf(ctx: &Context, page: &Path, report: &Path, seconds: u64) -> ToolResult<Option<PathBuf>> {
    let target = report.with_extension("pdf");
    if ctx.dry_run() {
        return Ok(Some(target));
    }
    let bar = ctx.progress("pdf", "pages", None);
    let pending = ctx.create(&target, "application/pdf", "report")?;
    let limit = Duration::from_secs(seconds);
    browser::print_pdf(ctx, page, pending.path(), limit).await?;
    pending
        .made_from(Source::named(report.display().to_string()))
        .commit()?;
    bar.finish();
    Ok(Some(target))
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

fn json_file<T: DeserializeOwned>(ctx: &Context, path: &Path) -> ToolResult<T> {
    let bytes = ctx.read(path, MAX_TEXT_BYTES)?;
    serde_json::from_slice(&bytes).map_err(|e| {
        ToolError::new(
            ErrorKind::InvalidInput,
            format!("`{}` is not as expected: {e}", path.display()),
        )
    })
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

/// First letter upper, rest lower.
fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first
            .to_uppercase()
            .chain(chars.flat_map(char::to_lowercase))
            .collect()
    })
}

fn main() -> ExitCode {
    migration::main::<CampaignReport>()
}
