//! Many shots with one browser: `run`, and the first half of `check`.

use std::path::{Path, PathBuf};

use app_core::{Context, ToolError, ToolResult, address::shown_text};
use futures_util::{StreamExt as _, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    deliver::{self, Written},
    input::Run,
    session::with_browser,
    shoot::{self, Picture, Visit},
    shots::{self, Planned},
};

/// Memory that an open page may need, in bytes.
const PAGE_MEMORY: u64 = 350 << 20;

/// How one shot went.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ShotReport {
    /// Address, without what may be secret.
    pub url: String,
    /// The pictures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<Written>,
    /// Whether the page came to rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<bool>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why there is no picture, or what is wrong with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Stable code of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What is not as one would expect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// How all went.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Ran {
    /// Shots that were taken.
    pub taken: usize,
    /// Shots that failed or show an error of the server.
    pub failed: usize,
    /// Pages that were open at a time.
    pub parallel: usize,
    /// Each in the order of the file.
    pub shots: Vec<ShotReport>,
}

impl ShotReport {
    /// From what was seen, or from the failure.
    pub fn of(planned: &Planned, seen: Result<(&Visit, Vec<Written>), &ToolError>) -> Self {
        let mut report = Self {
            url: shown_text(&planned.listed.url),
            pictures: Vec::new(),
            settled: None,
            reason: None,
            error: None,
            code: None,
            warnings: Vec::new(),
        };
        match seen {
            Ok((visit, pictures)) => {
                report.pictures = pictures;
                report.settled = Some(visit.settled.settled);
                report.reason.clone_from(&visit.settled.reason);
                report.warnings.clone_from(&visit.warnings);
                if let Some(status) = visit.status.filter(|status| *status >= 400) {
                    report.error = Some(format!("the page answered {status}"));
                    report.code = Some(format!("http_{status}"));
                }
            }
            Err(error) => {
                report.error = Some(error.message.clone());
                report.code = Some(error.code.clone());
            }
        }
        report
    }
}

/// Takes the shots of a file and writes each as soon as it is there.
pub async fn run(input: &Run, ctx: &Context) -> ToolResult<Ran> {
    let planned = shots::read(&input.shots, ctx)?;
    let folder = match &input.output {
        Some(folder) => folder.clone(),
        None => input.shots.parent().map(Path::to_owned).unwrap_or_default(),
    };
    let parallel = affordable(input.parallel, ctx);
    let shots = each(&planned, parallel, ctx, |shot, seen| match seen {
        Ok((pictures, visit)) => {
            let output = folder.join(&shot.listed.output);
            let numbered = shot.listed.framing.all || shot.listed.framing.selector.len() > 1;
            match deliver::write(&output, &pictures, &visit, numbered, ctx) {
                Ok(written) => ShotReport::of(shot, Ok((&visit, written))),
                Err(error) => ShotReport::of(shot, Err(&error)),
            }
        }
        Err(error) => ShotReport::of(shot, Err(&error)),
    })
    .await?;
    let failed = shots.iter().filter(|shot| shot.error.is_some()).count();
    let ran = Ran {
        taken: shots.iter().filter(|shot| !shot.pictures.is_empty()).count(),
        failed,
        parallel,
        shots,
    };
    if failed > 0 {
        let text = format!("{failed} of {} shots failed", ran.shots.len());
        return Err(ToolError::partial(text, &crate::Output::Run(ran)));
    }
    Ok(ran)
}

/// What came of one shot.
pub type Seen = ToolResult<(Vec<Picture>, Visit)>;

/// Takes every shot, some at a time, and gives each to `finish` as it comes; the results stand in the file's order.
pub async fn each<T>(
    planned: &[Planned],
    parallel: usize,
    ctx: &Context,
    finish: impl Fn(&Planned, Seen) -> T,
) -> ToolResult<Vec<T>> {
    let bar = ctx.progress("shots", "shots", Some(planned.len() as u64));
    let mut done = with_browser(ctx, async |browser| {
        let work = stream::iter(planned.iter().enumerate()).map(|(index, shot)| async move {
            let listed = &shot.listed;
            let seen = shoot::shoot(
                browser,
                &listed.url,
                &listed.framing,
                &listed.opening,
                shot.format,
                ctx,
            )
            .await;
            (index, shot, seen)
        });
        let mut work = work.buffer_unordered(parallel);
        let mut done = Vec::new();
        while let Some((index, shot, seen)) = work.next().await {
            if let Err(error) = &seen
                && error.code == "browser_gone"
            {
                return Err(error.clone());
            }
            done.push((index, finish(shot, seen)));
            bar.inc(1);
        }
        Ok(done)
    })
    .await?;
    bar.finish();
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, one)| one).collect())
}

/// As many pages as memory allows; says so where that is fewer than wished.
pub fn affordable(wished: usize, ctx: &Context) -> usize {
    let free = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemAvailable:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    });
    // Where the system does not say, the caller knows best.
    let room = free.map_or(wished, |kib| {
        usize::try_from(kib * 1024 / PAGE_MEMORY).unwrap_or(wished)
    });
    let parallel = wished.min(room.max(1));
    if parallel < wished {
        ctx.warn(format!(
            "memory is short: {parallel} pages at a time instead of {wished}"
        ));
    }
    parallel
}

/// `NAME.png` of a shot in a folder.
pub fn as_png(folder: &Path, name: &Path) -> PathBuf {
    folder.join(name).with_extension("png")
}
