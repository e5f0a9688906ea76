//! `schedule.toml`: what runs when.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use app_core::{Context, ErrorKind, ToolError, ToolResult, contract::settings::named_like_a_secret};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::when::{self, When};

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "entry")]
    entries: Vec<Entry>,
}

/// One job.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// Names the unit: `onejob-NAME`.
    pub(crate) name: String,
    pub(crate) tool: String,
    #[serde(default)]
    pub(crate) args: Vec<String>,
    /// When it runs. Neither this nor `interval`: it runs all the time.
    pub(crate) on_calendar: Option<String>,
    /// Time from one start to the next, for example `90s`.
    pub(crate) interval: Option<String>,
    /// Zone of `on_calendar` where it names none.
    pub(crate) timezone: Option<String>,
    /// Longest run; without it the tool's own limit.
    pub(crate) timeout: Option<String>,
    /// Starts up to so much later, always the same for this host.
    pub(crate) jitter: Option<String>,
    /// Makes up for a start that was missed while the host was off.
    #[serde(default)]
    pub(crate) persistent: bool,
    /// Units that must have been started before.
    #[serde(default)]
    pub(crate) after: Vec<String>,
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    /// Secrets beside those that the tool names.
    #[serde(default)]
    pub(crate) credentials: Vec<String>,
    /// Whether it may use the network; without it as the tool says.
    pub(crate) network: Option<bool>,
    /// Folders it may write to, beside the state folder.
    #[serde(default)]
    pub(crate) write_paths: Vec<String>,
    /// Most memory, for example `200M`.
    pub(crate) memory: Option<String>,
    pub(crate) nice: Option<i8>,
    /// Exit codes that are no failure, for example 3 of a tool that tells its findings itself.
    #[serde(default)]
    pub(crate) success_exit_codes: Vec<u8>,
}

/// An entry whose times are understood.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) entry: Entry,
    /// The calendar expression with its zone.
    pub(crate) calendar: Option<String>,
    pub(crate) when: Option<When>,
    pub(crate) interval: Option<SignedDuration>,
    pub(crate) timeout: Option<SignedDuration>,
    pub(crate) jitter: Option<SignedDuration>,
}

/// Reads the file. Every mistake of every entry is named in one error; what is allowed but odd is among the warnings.
pub(crate) fn load(path: &Path, ctx: &Context) -> ToolResult<(Vec<Job>, Vec<String>)> {
    let bytes = ctx.read(path, 1 << 20)?;
    let fault = |problem: &str| {
        ToolError::new(
            ErrorKind::InvalidInput,
            format!("`{}`: {problem}", path.display()),
        )
        .field("schedule")
    };
    let text = String::from_utf8(bytes).map_err(|_| fault("is not UTF-8"))?;
    let file: File = toml::from_str(&text).map_err(|error| {
        let line = error
            .span()
            .map(|span| text.get(..span.start).unwrap_or_default().lines().count().max(1));
        let at = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        fault(&format!("{at}{}", error.message()))
    })?;
    if file.entries.is_empty() {
        return Err(fault("has no `[[entry]]`"));
    }
    let (mut jobs, mut problems, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    let mut names = BTreeSet::new();
    for entry in file.entries {
        let name = entry.name.clone();
        if !names.insert(name.clone()) {
            problems.push(format!("`{name}`: the name stands twice"));
        }
        match job(entry, ctx.now(), &mut warnings) {
            Ok(job) => jobs.push(job),
            Err(wrong) => problems.extend(wrong.into_iter().map(|problem| format!("`{name}`: {problem}"))),
        }
    }
    if problems.is_empty() {
        return Ok((jobs, warnings));
    }
    Err(fault(&format!(
        "{} mistakes: {}",
        problems.len(),
        problems.join("; ")
    )))
}

fn job(entry: Entry, now: Timestamp, warnings: &mut Vec<String>) -> Result<Job, Vec<String>> {
    let mut wrong = Vec::new();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if entry.name.is_empty() || entry.name.len() > 60 || !entry.name.chars().all(fits) {
        wrong.push("a name has lower case letters, digits, `_` and `-`, at most 60".to_owned());
    }
    if !app_core::contract::settings::is_tool_name(&entry.tool) {
        wrong.push(format!(
            "`{}` is not the name of a tool",
            entry.tool.escape_debug()
        ));
    }
    texts(&entry, &mut wrong);
    secrets(&entry, &mut wrong);
    let length = |name: &str, text: &Option<String>, wrong: &mut Vec<String>| {
        let length: Option<SignedDuration> = text.as_deref().and_then(|text| match text.parse() {
            Ok(length) if length > SignedDuration::ZERO => Some(length),
            _ => {
                wrong.push(format!(
                    "`{name}` is not a length of time such as `90s`: `{}`",
                    text.escape_debug()
                ));
                None
            }
        });
        length
    };
    let interval = length("interval", &entry.interval, &mut wrong);
    let timeout = length("timeout", &entry.timeout, &mut wrong);
    let jitter = length("jitter", &entry.jitter, &mut wrong);
    if entry.on_calendar.is_some() && entry.interval.is_some() {
        wrong.push("either `on_calendar` or `interval`".to_owned());
    }
    if entry.persistent && entry.on_calendar.is_none() {
        wrong.push("`persistent` makes up for missed calendar times; there is no `on_calendar`".to_owned());
    }
    let calendar = calendar(&entry, now, warnings, &mut wrong);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let (calendar, when) = calendar.map_or((None, None), |(text, when)| (Some(text), Some(when)));
    Ok(Job {
        entry,
        calendar,
        when,
        interval,
        timeout,
        jitter,
    })
}

/// The expression with its zone. Names mistakes with what would be right, and warns of hours that a clock leaps over.
fn calendar(
    entry: &Entry,
    now: Timestamp,
    warnings: &mut Vec<String>,
    wrong: &mut Vec<String>,
) -> Option<(String, When)> {
    let mut text = entry.on_calendar.clone()?;
    let shown = text.escape_debug().to_string();
    let mut parsed = When::parse(&text);
    if let (Some(zone), Ok(when)) = (&entry.timezone, &parsed) {
        if when.zone_name().is_some() {
            wrong.push(format!("`timezone` and `{shown}` both name a zone"));
            return None;
        }
        text = format!("{text} {zone}");
        parsed = When::parse(&text);
        if !parsed.as_ref().is_ok_and(|when| when.zone_name().is_some()) {
            wrong.push(format!("`{}` is not a time zone", zone.escape_debug()));
            return None;
        }
    }
    let when = match parsed {
        Ok(when) => when,
        Err(problem) => {
            wrong.push(match when::translated(&text) {
                Some(right) => format!("`on_calendar`: `{shown}` is cron's; systemd writes `{right}`"),
                None => format!("`on_calendar`: `{shown}` {problem}"),
            });
            return None;
        }
    };
    if when.never_after(now) {
        wrong.push(format!("`on_calendar`: `{shown}` never elapses"));
        return None;
    }
    let zone = when.zone_name().unwrap_or("the host's zone").to_owned();
    for trouble in when::troubles(&when, now) {
        warnings.push(format!("`{}`: {}", entry.name, trouble.text(&zone)));
    }
    Some((text, when))
}

/// What would end a line of a unit file has no place in one.
fn texts(entry: &Entry, wrong: &mut Vec<String>) {
    let mut check = |what: &str, text: &str| {
        if text.chars().any(|c| c.is_control() && c != '\t') {
            wrong.push(format!("`{what}` has a control character"));
        }
    };
    for arg in &entry.args {
        check("args", arg);
    }
    for (name, value) in &entry.env {
        check("env", value);
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(fits) || name.starts_with(|c: char| c.is_ascii_digit()) {
            check("env", "\u{1}");
        }
    }
    for path in &entry.write_paths {
        if !path.starts_with('/') || path.contains(|c: char| c.is_whitespace() || "\"'\\%".contains(c)) {
            wrong.push(format!(
                "`write_paths`: `{}` is not a plain absolute path",
                path.escape_debug()
            ));
        }
    }
    let unit = |c: char| c.is_ascii_alphanumeric() || ":_.\\@-".contains(c);
    for after in &entry.after {
        if after.is_empty() || !after.chars().all(unit) {
            wrong.push(format!(
                "`after`: `{}` is not the name of a unit",
                after.escape_debug()
            ));
        }
    }
    let size = |text: &str| {
        let digits = text.trim_end_matches(['K', 'M', 'G']);
        !digits.is_empty() && digits.len() + 1 >= text.len() && digits.bytes().all(|b| b.is_ascii_digit())
    };
    if let Some(memory) = entry.memory.as_deref().filter(|text| !size(text)) {
        wrong.push(format!(
            "`memory` is not a size such as `200M`: `{}`",
            memory.escape_debug()
        ));
    }
    if entry.nice.is_some_and(|nice| !(-20..=19).contains(&nice)) {
        wrong.push("`nice` is from -20 to 19".to_owned());
    }
}

/// A command line is shown to everybody on the host, and so is the unit file.
fn secrets(entry: &Entry, wrong: &mut Vec<String>) {
    let secret = |name: &str| named_like_a_secret(&name.to_ascii_lowercase().replace('-', "_"));
    for (at, arg) in entry.args.iter().enumerate() {
        let Some(flag) = arg.strip_prefix("--") else {
            continue;
        };
        let (name, value) = flag
            .split_once('=')
            .map_or((flag, None), |(name, value)| (name, Some(value)));
        let follows = entry.args.get(at + 1).is_some_and(|next| !next.starts_with("--"));
        if secret(name) && (value.is_some() || follows) {
            wrong.push(format!(
                "`args`: `--{}` hands a secret over where everybody sees it; put it among the credentials",
                name.escape_debug()
            ));
        }
    }
    for name in entry.env.keys().filter(|name| secret(name)) {
        wrong.push(format!(
            "`env`: `{name}` is a secret; put it among the credentials"
        ));
    }
}

impl Entry {
    /// One without anything but its name and tool.
    pub(crate) fn of_tool(name: &str, tool: &str) -> Self {
        Self {
            name: name.to_owned(),
            tool: tool.to_owned(),
            args: Vec::new(),
            on_calendar: None,
            interval: None,
            timezone: None,
            timeout: None,
            jitter: None,
            persistent: false,
            after: Vec::new(),
            env: BTreeMap::new(),
            credentials: Vec::new(),
            network: None,
            write_paths: Vec::new(),
            memory: None,
            nice: None,
            success_exit_codes: Vec::new(),
        }
    }
}
