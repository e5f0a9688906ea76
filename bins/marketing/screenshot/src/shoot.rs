//! One page, opened, brought to rest, and taken.

use std::{path::Path, time::Duration};

use app_core::{Context, ToolError, ToolResult, address::shown};
use browser::{Browser, Dialog, Format, HostUse, Page, Rect, Settled, Shot, Trouble, Wait};
use raster::{Limits, decode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    consent::{self, Banner},
    hide,
    input::{Area, Framing, Opening},
    limits, target,
};

/// Time for a script of the user.
const SCRIPT: Duration = Duration::from_secs(30);

/// A picture so high was once cut or blank in browsers: its end is looked at.
const TALL: u64 = 16_000;

/// Rows at the end of a tall picture that are looked at.
const LAST_ROWS: f64 = 64.0;

/// A picture in memory.
#[derive(Debug)]
pub struct Picture {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// What was seen while a page was taken: what `NAME.json` holds beside the picture.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Visit {
    /// Address after redirects, without what may be secret.
    pub url: String,
    /// Status of the answer; none for a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How the page came to rest.
    #[serde(flatten)]
    pub settled: Settled,
    /// Dialogs that were answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dialogs: Vec<Dialog>,
    /// The banner that asks for consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Banner>,
    /// Hosts that were asked, with what was refused.
    pub hosts: Vec<HostUse>,
    /// Files outside of the working directory that were not shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files_refused: Vec<String>,
    /// Name and version of the browser.
    pub browser: String,
    /// What is not as one would expect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A page that is open and at rest.
pub struct Visited {
    /// The page.
    pub page: Page,
    /// What was seen.
    pub visit: Visit,
}

/// Format of the picture to be written.
pub fn format_of(output: &Path, quality: u8) -> ToolResult<Format> {
    let ending = output
        .extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or_default();
    match ending.to_ascii_lowercase().as_str() {
        "png" => Ok(Format::Png),
        "jpg" | "jpeg" => Ok(Format::Jpeg(quality)),
        "webp" => Ok(Format::Webp(quality)),
        _ => Err(ToolError::invalid(
            "output",
            format!("`{}` ends with none of .png, .jpg and .webp", output.display()),
        )
        .hint("`screenshot pdf` writes a .pdf")),
    }
}

/// Opens a page and waits until it is at rest. `sweep` shows all of it once.
pub async fn visit(
    browser: &Browser,
    address: &str,
    opening: &Opening,
    omit_background: bool,
    sweep: bool,
    ctx: &Context,
) -> ToolResult<Visited> {
    let setup = target::setup(address, opening, omit_background, browser.version(), ctx)?;
    let page = browser.open(setup).await?;
    let arrived = page.go(Duration::from_secs_f64(opening.timeout)).await?;
    let mut settled = page.settle(opening.wait, sweep).await?;
    let mut warnings = Vec::new();
    let mut touched = false;
    if let Some(script) = &opening.before_script {
        page.run(script, SCRIPT)
            .await
            .map_err(|error| error.field("before_script"))?;
        touched = true;
    }
    let consent = consent::treat(&page, opening.consent, &mut warnings).await?;
    touched |= consent.as_ref().is_some_and(|banner| banner.done != "shown");
    if !opening.hide.is_empty() {
        hide::hide(&page, &opening.hide, &mut warnings).await?;
        touched = true;
    }
    if touched && opening.wait == Wait::Settled {
        page.settle_again(&mut settled).await?;
    }
    page.freeze(&mut settled).await?;
    let (dialogs, more) = page.dialogs();
    if more > 0 {
        warnings.push(format!("{more} further dialogs were answered and are not listed"));
    }
    let visit = Visit {
        url: shown(&arrived.url),
        status: arrived.status,
        settled,
        dialogs,
        consent,
        hosts: page.hosts(),
        files_refused: page.outside_files(),
        browser: browser.version().to_owned(),
        warnings,
    };
    Ok(Visited { page, visit })
}

/// Takes what is wished of a page, one picture or several.
pub async fn shoot(
    browser: &Browser,
    address: &str,
    framing: &Framing,
    opening: &Opening,
    format: Format,
    ctx: &Context,
) -> ToolResult<(Vec<Picture>, Visit)> {
    let sweep = framing.area == Area::Page || !framing.selector.is_empty();
    let Visited { page, mut visit } =
        visit(browser, address, opening, framing.omit_background, sweep, ctx).await?;
    let camera = Camera {
        page: &page,
        format,
        scale: page.setup().viewport.scale,
        max_pixels: framing.max_pixels,
    };
    let mut pictures = Vec::new();
    if framing.selector.is_empty() {
        let view = &page.setup().viewport;
        let mut place = Rect {
            x: 0.0,
            y: 0.0,
            width: f64::from(view.width),
            height: f64::from(view.height),
        };
        if framing.area == Area::Page {
            let (width, height) = page.size().await?;
            place.width = width.max(1.0);
            let cut = visit.settled.cut_at.map_or(f64::MAX, |cut| cut as f64);
            place.height = height.min(cut).max(1.0);
        }
        pictures.push(camera.take(place, framing.area == Area::Page).await?);
    }
    for selector in &framing.selector {
        let count = page.count(selector).await?;
        let wanted = if framing.all { count } else { count.min(1) };
        if count == 0 {
            return Err(Trouble::NoMatch.into_error(selector));
        }
        if count > wanted {
            visit.warnings.push(format!(
                "`{selector}` matches {count} elements; the first was taken"
            ));
        }
        for index in 0..wanted {
            ctx.check_cancelled()?;
            let element = page
                .element(selector, index)
                .await?
                .map_err(|trouble| trouble.into_error(selector))?;
            pictures.push(camera.take(element.place.on_pixels(camera.scale), true).await?);
        }
    }
    visit.hosts = page.hosts();
    page.close().await;
    Ok((pictures, visit))
}

/// What takes pictures of one page.
struct Camera<'a> {
    page: &'a Page,
    format: Format,
    scale: f64,
    max_pixels: u64,
}

impl Camera<'_> {
    /// Takes a part of the page and makes sure that it was taken whole.
    async fn take(&self, place: Rect, clip: bool) -> ToolResult<Picture> {
        limits::check(place, self.scale, self.format, self.max_pixels)?;
        let shot = Shot {
            clip: clip.then_some(place),
            format: self.format,
        };
        let bytes = self.page.capture(shot).await?;
        let allowed = Limits {
            max_pixels: self.max_pixels,
            ..Limits::default()
        };
        let made = raster::probe(&bytes, "the picture", &allowed)?;
        let (width, height) = limits::pixels(place, self.scale);
        let near = |is: u32, wanted: u64| u64::from(is).abs_diff(wanted) <= 1;
        if !near(made.width, width) || !near(made.height, height) {
            return Err(ToolError::internal(format!(
                "the browser made a picture of {} x {} pixels and not of {width} x {height}",
                made.width, made.height
            )));
        }
        if height > TALL {
            self.look_at_end(&bytes, place, &allowed).await?;
        }
        Ok(Picture {
            bytes,
            width: made.width,
            height: made.height,
        })
    }

    /// Takes the last rows once more by themselves: they must be the same.
    async fn look_at_end(&self, bytes: &[u8], place: Rect, allowed: &Limits) -> ToolResult<()> {
        let end = Rect {
            y: place.y + place.height - LAST_ROWS,
            height: LAST_ROWS,
            ..place
        };
        let again = self.page.capture(Shot {
            clip: Some(end),
            format: Format::Png,
        });
        let again = decode(&again.await?, "the picture", allowed)?.pixels.into_rgba();
        let whole = decode(bytes, "the picture", allowed)?.pixels.into_rgba();
        let row = whole.width() as usize * 4;
        let rows = (again.height() as usize).min(whole.height() as usize);
        let last = &whole.as_raw()[whole.as_raw().len() - rows * row..];
        let wanted = &again.as_raw()[again.as_raw().len() - rows * row.min(again.width() as usize * 4)..];
        let apart: u64 = last
            .iter()
            .zip(wanted)
            .map(|(a, b)| u64::from(a.abs_diff(*b)))
            .sum();
        // Formats that lose something differ a little everywhere.
        if last.len() != wanted.len() || apart / last.len().max(1) as u64 > 8 {
            return Err(ToolError::internal("the browser left out the end of the picture")
                .hint("take less with a smaller `--scale` or `--selector`"));
        }
        Ok(())
    }
}
