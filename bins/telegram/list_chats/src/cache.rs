//! The dialog list as it was a moment ago, so that a second look does not cost the account requests.
//!
//! It belongs to one account and is kept unfiltered, so it never answers for another account or another filter.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use app_core::{Context, ToolError, ToolResult};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use telegram::listing::Listed;

/// Largest cache that is read.
const LARGEST: u64 = 64 << 20;

/// How the environment wants the cache and the fetching to be.
#[derive(Debug)]
pub struct Settings {
    /// The file; none when the cache is turned off.
    pub path: Option<PathBuf>,
    /// Seconds for which it holds; 0 means never.
    pub ttl: i64,
    /// Chats asked at once for their latest message.
    pub parallel: usize,
    /// Dialogs read at most.
    pub max_dialogs: usize,
}

impl Settings {
    /// Reads `LIST_CHATS_...`; a value that is none, or too small, counts as unset and is told.
    pub fn read(ctx: &Context) -> Self {
        let off = ctx
            .env("LIST_CHATS_DISABLE_CACHE")
            .is_some_and(|text| text == "1" || text.eq_ignore_ascii_case("true"));
        let path = ctx
            .env("LIST_CHATS_CACHE_PATH")
            .unwrap_or_else(|| ".cache/list_chats_cache.json".to_owned());
        let number = |name: &str, default: i64, least: i64| match ctx.env(name) {
            None => default,
            Some(text) => match text.trim().parse::<i64>() {
                Ok(number) if number >= least => number,
                _ => {
                    ctx.warn(format!(
                        "`{name}` is `{text}`, not a number from {least} on; {default} is used"
                    ));
                    default
                }
            },
        };
        Self {
            path: (!off).then(|| PathBuf::from(path)),
            ttl: number("LIST_CHATS_CACHE_TTL_SECS", 300, 0),
            parallel: usize::try_from(number("LIST_CHATS_PARALLEL", 8, 1))
                .unwrap_or(8)
                .min(64),
            max_dialogs: usize::try_from(number("LIST_CHATS_MAX_DIALOGS", 200, 1)).unwrap_or(200),
        }
    }
}

/// The cache file.
#[derive(Debug, Serialize, Deserialize)]
pub struct Cache {
    /// When it was fetched.
    pub generated_at: Timestamp,
    /// Whose dialogs these are.
    #[serde(default)]
    pub account: i64,
    /// How many were asked for at most.
    #[serde(default)]
    pub max_dialogs: usize,
    /// All chats, that with the newest message first.
    pub chats: Vec<Listed>,
}

impl Cache {
    /// Seconds since it was fetched, if it answers for this account and is fresh enough.
    pub fn fresh(&self, account: i64, settings: &Settings, now: Timestamp) -> Option<i64> {
        let age = now.as_second() - self.generated_at.as_second();
        let ours = self.account == account && self.max_dialogs >= settings.max_dialogs;
        (ours && settings.ttl > 0 && (0..=settings.ttl).contains(&age)).then_some(age)
    }
}

/// The cache of an earlier run; one that cannot be read is told and left.
pub fn load(ctx: &Context, path: &Path) -> Option<Cache> {
    if !path.is_file() {
        return None;
    }
    let cache = ctx
        .read(path, LARGEST)
        .map_err(|error| error.message)
        .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()));
    match cache {
        Ok(cache) => Some(cache),
        Err(reason) => {
            ctx.warn(format!("the cache `{}` is not used: {reason}", path.display()));
            None
        }
    }
}

/// Keeps a list that holds something.
pub fn store(ctx: &Context, path: &Path, cache: &Cache) -> ToolResult<()> {
    if cache.chats.is_empty() {
        return Ok(());
    }
    let text = serde_json::to_string_pretty(cache).map_err(|e| ToolError::internal(e.to_string()))?;
    // The cache is its own: what was read is what is renewed.
    let mut pending = ctx.create_over(path, "application/json", "cache")?;
    telegram::files::close_to_others(pending.path())?;
    pending
        .write_all(text.as_bytes())
        .map_err(|e| ToolError::file("write", path, &e))?;
    pending.commit().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_answers_for_its_account_while_it_is_fresh() {
        let at = |s: i64| Timestamp::from_second(s).unwrap_or_default();
        let cache = Cache {
            generated_at: at(1000),
            account: 5,
            max_dialogs: 200,
            chats: Vec::new(),
        };
        let settings = |ttl: i64, max_dialogs: usize| Settings {
            path: None,
            ttl,
            parallel: 8,
            max_dialogs,
        };
        assert_eq!(cache.fresh(5, &settings(300, 200), at(1300)), Some(300));
        assert_eq!(cache.fresh(5, &settings(300, 200), at(1301)), None);
        assert_eq!(cache.fresh(5, &settings(0, 200), at(1000)), None);
        assert_eq!(cache.fresh(6, &settings(300, 200), at(1001)), None);
        assert_eq!(cache.fresh(5, &settings(300, 500), at(1001)), None);
        assert_eq!(
            cache.fresh(5, &settings(300, 200), at(999)),
            None,
            "from the future"
        );
    }
}
