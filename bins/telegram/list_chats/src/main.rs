//! Lists the account's chats by their latest message and saves them to `chats.yml`. Replaces `list_chats`.

mod cache;
mod yaml;

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

use app_core::{Context, Definition, Effect, Policy, Tool, ToolResult, View};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use telegram::Telegram;
use telegram::listing::{self, Listed, ListedKind};
use telegram::model::ChatKind;

use crate::cache::{Cache, Settings};

const fn twenty() -> usize {
    20
}

fn chats_yml() -> PathBuf {
    PathBuf::from("chats.yml")
}

/// Which chats are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
enum Filter {
    #[default]
    All,
    Users,
    Groups,
    Channels,
}

impl TryFrom<String> for Filter {
    type Error = String;

    /// One or many, in any case, as the script took them; a mistyped word is no longer taken for all.
    fn try_from(word: String) -> Result<Self, String> {
        match word.trim().to_lowercase().as_str() {
            "all" => Ok(Self::All),
            "user" | "users" => Ok(Self::Users),
            "group" | "groups" => Ok(Self::Groups),
            "channel" | "channels" => Ok(Self::Channels),
            _ => Err(format!(
                "`{word}` is no filter; there are all, users, groups and channels"
            )),
        }
    }
}

impl From<Filter> for String {
    fn from(filter: Filter) -> Self {
        match filter {
            Filter::All => "all",
            Filter::Users => "users",
            Filter::Groups => "groups",
            Filter::Channels => "channels",
        }
        .to_owned()
    }
}

impl Filter {
    fn passes(self, kind: ListedKind) -> bool {
        match self {
            Self::All => true,
            Self::Users => kind == ListedKind::User,
            Self::Groups => kind == ListedKind::Group,
            Self::Channels => kind == ListedKind::Channel,
        }
    }
}

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
struct Input {
    /// Chats shown at most; the file gets all of them
    #[garde(range(min = 1, max = 50_000))]
    #[serde(default = "twenty")]
    #[schemars(extend("x-cli" = {"short": "l"}))]
    limit: usize,
    /// Which chats: all, users, groups or channels
    #[serde(default)]
    #[schemars(with = "String", extend("x-cli" = {"short": "f"}))]
    filter: Filter,
    /// The file with all of them
    #[serde(default = "chats_yml")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    output: PathBuf,
    /// Ask Telegram even if the cache is fresh
    #[serde(default)]
    refresh: bool,
    /// Show positive ids without the mark for groups and channels, as the script did
    #[serde(default)]
    bare_ids: bool,
}

/// What the tool returns.
#[derive(Debug, Serialize, JsonSchema)]
struct Output {
    /// The chats shown, that with the newest message first.
    chats: Vec<Listed>,
    /// How many are in the file.
    total: usize,
    /// Age of the cached list in seconds; it was fetched by this run, if not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_age_s: Option<i64>,
    /// Chats in the cache, those that the filter leaves out included.
    #[serde(skip_serializing_if = "Option::is_none")]
    cached: Option<usize>,
    /// The file written.
    path: PathBuf,
}

struct ListChats;

impl Tool for ListChats {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .known_gap("no recorded case: the script was gone when the recordings were made")
            .reaches(&["telegram"])
            .policy(
                Policy::with_timeout(std::time::Duration::from_secs(3600)),
                "the list of a large account is read page by page at a slow pace",
            )
            .replaces(1, &["list_chats"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .env("LIST_CHATS_DISABLE_CACHE", "`1` or `true`: always ask Telegram")
            .env(
                "LIST_CHATS_CACHE_PATH",
                "The cache; `.cache/list_chats_cache.json` by default",
            )
            .env(
                "LIST_CHATS_CACHE_TTL_SECS",
                "Seconds for which it holds; 300 by default, 0 for never",
            )
            .env(
                "LIST_CHATS_PARALLEL",
                "Chats asked at once for their latest message; 8 by default",
            )
            .env("LIST_CHATS_MAX_DIALOGS", "Dialogs read at most; 200 by default")
            .example("the 20 chats with the newest messages", &[])
            .example("groups only, 5 of them", &["--filter", "groups", "--limit", "5"]);
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let settings = Settings::read(ctx);
        let (all, cache_age_s) = Telegram::session(ctx, async |telegram| {
            listed(&input, &settings, ctx, telegram).await
        })
        .await?;
        let cached = all.len();
        let mut chats: Vec<Listed> = all
            .into_iter()
            .filter(|chat| input.filter.passes(chat.chat_type))
            .collect();
        let total = chats.len();
        ctx.count_items(total as u64);
        let text = yaml::file(&chats, input.bare_ids)?;
        telegram::files::write_private(ctx, &input.output, "application/yaml", "chats", text.as_bytes())?;
        chats.truncate(input.limit);
        Ok(Output {
            chats,
            total,
            cache_age_s,
            cached: cache_age_s.is_some().then_some(cached),
            path: input.output,
        })
    }

    fn render(output: &Output, view: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        if let Some(age) = output.cache_age_s {
            writeln!(
                out,
                "Использую кэш диалогов ({age} сек назад, {} чатов)",
                output.cached.unwrap_or_default()
            )?;
        }
        listing::render(&output.chats, view.input.is_some_and(|input| input.bare_ids), out)?;
        writeln!(
            out,
            "\nИнформация сохранена в {} ({} чатов)",
            output.path.display(),
            output.total
        )
    }
}

/// All chats, from the cache if that is fresh enough, and its age then.
async fn listed(
    input: &Input,
    settings: &Settings,
    ctx: &Context,
    telegram: &Telegram,
) -> ToolResult<(Vec<Listed>, Option<i64>)> {
    let account = telegram.me()?.id.0;
    let kept = settings
        .path
        .as_deref()
        .filter(|_| !input.refresh)
        .and_then(|path| cache::load(ctx, path));
    let age = kept
        .as_ref()
        .and_then(|kept| kept.fresh(account, settings, ctx.now()));
    Ok(match (kept, age) {
        (Some(kept), Some(age)) => (kept.chats, Some(age)),
        _ => {
            let dialogs = telegram
                .dialogs(Some(settings.max_dialogs), |dialog| {
                    dialog.chat.peer.kind != ChatKind::Bot
                })
                .await?;
            let chats = telegram.listed(dialogs, settings.parallel).await?;
            let fetched = Cache {
                generated_at: ctx.now(),
                account,
                max_dialogs: settings.max_dialogs,
                chats,
            };
            if let Some(path) = &settings.path {
                cache::store(ctx, path, &fetched)?;
            }
            (fetched.chats, None)
        }
    })
}

fn main() -> ExitCode {
    app_core::main::<ListChats>()
}
