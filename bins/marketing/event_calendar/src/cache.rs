//! Calendars from the web: asked for again only when they changed, and kept for the hour when nobody answers.
//!
//! A copy lies in the state directory under the hash of its address, since such addresses are secrets themselves.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use app_core::{Context, ErrorKind, ToolError, ToolResult, files::sha256};
use serde::{Deserialize, Serialize};
use web::{Http, HttpMethod};

/// What a server was answered with last.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    etag: Option<String>,
    last_modified: Option<String>,
    fetched_at: String,
    /// Of the copy, so that one that was cut short is not taken for the calendar.
    sha256: String,
}

/// A calendar from the web.
#[derive(Debug)]
pub struct Fetched {
    pub bytes: Vec<u8>,
    /// Why it is an older copy.
    pub stale: Option<String>,
}

/// Fetches a calendar, or takes the copy where the server says that it has not changed, or does not answer.
pub async fn fetch(address: &str, max_bytes: u64, ctx: &Context) -> ToolResult<Fetched> {
    let http = Http::of(ctx)?;
    let mut request = http.request(HttpMethod::GET, address)?.max_bytes(max_bytes);
    let place = ctx
        .state_dir()?
        .join("event_calendar")
        .join(sha256(address.as_bytes()));
    let kept = load(&place, max_bytes);
    if let Some((kept, _)) = &kept {
        if let Some(etag) = &kept.etag {
            request = request.header("if-none-match", etag)?;
        } else if let Some(date) = &kept.last_modified {
            request = request.header("if-modified-since", date)?;
        }
    }
    let answer = match request.send().await {
        Ok(response) if response.status == 304 => match kept {
            Some((_, bytes)) => return Ok(Fetched { bytes, stale: None }),
            None => return Err(response.error()),
        },
        Ok(response) if response.is_success() => Ok(response),
        Ok(response) => Err(response.error()),
        Err(error) => Err(error),
    };
    let response = match (answer, kept) {
        (Ok(response), _) => response,
        (Err(error), Some((kept, bytes))) if unreachable(error.kind) => {
            let stale = format!("{}; the copy of {} is used", error.message, kept.fetched_at);
            return Ok(Fetched {
                bytes,
                stale: Some(stale),
            });
        }
        (Err(error), _) => return Err(error),
    };
    let header = |name: &str| response.header(name).map(str::to_owned);
    let fresh = Kept {
        etag: header("etag"),
        last_modified: header("last-modified"),
        fetched_at: ctx.now().to_string(),
        sha256: sha256(&response.body),
    };
    // Without a copy the calendar is only fetched again next time.
    if !ctx.dry_run()
        && let Err(error) = save(&place, &fresh, &response.body)
    {
        ctx.warn(format!("no copy of the calendar is kept: {}", error.message));
    }
    Ok(Fetched {
        bytes: response.body,
        stale: None,
    })
}

/// Failures that say nothing about the calendar.
fn unreachable(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Network | ErrorKind::Timeout | ErrorKind::ProviderUnavailable | ErrorKind::RateLimited
    )
}

fn with(place: &Path, extension: &str) -> PathBuf {
    place.with_extension(extension)
}

/// The copy, unless it is missing or was damaged.
fn load(place: &Path, max_bytes: u64) -> Option<(Kept, Vec<u8>)> {
    let kept: Kept = serde_json::from_slice(&std::fs::read(with(place, "json")).ok()?).ok()?;
    let bytes = app_core::files::read_limited(&with(place, "ics"), max_bytes).ok()?;
    (sha256(&bytes) == kept.sha256).then_some((kept, bytes))
}

fn save(place: &Path, kept: &Kept, bytes: &[u8]) -> ToolResult<()> {
    let folder = place.parent().unwrap_or(Path::new("."));
    app_core::state::folder(folder)?;
    let json = serde_json::to_vec(kept).map_err(|e| ToolError::internal(e.to_string()))?;
    // The calendar first: its hash tells whether both belong together.
    for (target, content) in [
        (with(place, "ics"), bytes),
        (with(place, "json"), json.as_slice()),
    ] {
        let failed = |e: &std::io::Error| ToolError::file("write", &target, e);
        // Such files are for this user alone from the start.
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|e| failed(&e))?;
        file.write_all(content).map_err(|e| failed(&e))?;
        file.persist(&target).map_err(|e| failed(&e.error))?;
    }
    Ok(())
}
