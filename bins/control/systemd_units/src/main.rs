//! Makes systemd services and timers from `schedule.toml`.
//!
//! One service for each entry, and a timer for what does not run all the time. What a tool needs (network, secrets, time)
//! comes from its own definition; what is wrong with an entry is said before anything is written.

mod host;
mod input;
mod output;
mod schedule;
mod unit;
mod verify;
mod when;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use app_core::{
    Context, Definition, Effect, Policy, Tool, ToolError, ToolResult, View,
    contract::{Gate, RetryPolicy},
};

use crate::{
    host::{Change, Wanted},
    input::{Host, Input},
    output::{EntryPlan, Output},
    schedule::Job,
    unit::{Place, Unit},
};

fn main() -> std::process::ExitCode {
    app_core::main::<SystemdUnits>()
}

struct SystemdUnits;

impl Tool for SystemdUnits {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        app_core::definition!("control")
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .action("plan", &[Effect::Reads], Gate::Direct)
            .action("check", &[Effect::Reads], Gate::Direct)
            .default_action("plan")
            .policy(
                Policy {
                    retry: RetryPolicy::NONE,
                    ..Policy::with_timeout(Duration::from_secs(300))
                },
                "tools are asked what they need, and systemd-analyze what it thinks of each unit",
            )
            .example("what would be installed?", &["plan", "-s", "schedule.toml"])
            .example(
                "into the folder of an image",
                &["apply", "-s", "schedule.toml", "--root", "image"],
            )
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let host = input.host();
        if let Input::Remove(host) = &input {
            let changes = host::changes(&[], &units_dir(host, ctx)?)?;
            host::apply(&changes, &[], ctx)?;
            ctx.count_items(changes.len() as u64);
            let steps = after(host, changes.iter().any(|c| c.change == Change::Remove), &[]);
            return Ok(Output::of(Vec::new(), changes, Vec::new(), steps));
        }
        let set = Set::make(host, ctx)?;
        for warning in &set.warnings {
            ctx.warn(warning.clone());
        }
        ctx.count_items(set.entries.len() as u64);
        if let Input::Check(host) = &input {
            let judgements = verify::judge(&set.units, &host.bin_dir, host.user).await?;
            let failed = judgements.iter().filter(|judgement| !judgement.passes()).count();
            let output = Output::Check { judgements };
            return if failed == 0 {
                Ok(output)
            } else {
                Err(
                    ToolError::partial(format!("systemd finds fault with {failed} units"), &output)
                        .code("faulty_units"),
                )
            };
        }
        let changes = host::changes(&set.wanted, &units_dir(host, ctx)?)?;
        let mut steps = set.steps.clone();
        if matches!(input, Input::Apply(_)) {
            if !set.missing.is_empty() {
                return Err(ToolError::not_found(format!(
                    "tools that are not installed: {}; nothing was written",
                    set.missing.join(", ")
                ))
                .hint("`scripts/install TOOL` installs one; ONEJOB_TOOLS_DIR names the folder that is looked into"));
            }
            host::apply(&changes, &set.wanted, ctx)?;
        }
        steps.extend(after(
            host,
            changes.iter().any(|c| c.change != Change::Keep),
            &set.starts,
        ));
        Ok(Output::of(set.entries, changes, set.warnings, steps))
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        output::render(output, out)
    }

    fn render_partial(
        output: &serde_json::Value,
        _: &View<'_, Self::Input>,
        out: &mut dyn fmt::Write,
    ) -> fmt::Result {
        match serde_json::from_value(output["judgements"].clone()) {
            Ok(judgements) => output::render(&Output::Check { judgements }, out),
            Err(_) => Ok(()),
        }
    }
}

/// All that a schedule means for a host.
struct Set {
    entries: Vec<EntryPlan>,
    units: Vec<Unit>,
    wanted: Vec<Wanted>,
    warnings: Vec<String>,
    /// Tools whose binary is not there.
    missing: Vec<String>,
    /// Secrets that do not lie on the host, with the tools that can use them.
    absent: BTreeMap<String, BTreeSet<String>>,
    /// What has to be done by hand first.
    steps: Vec<String>,
    /// Units that are to be started.
    starts: Vec<String>,
}

impl Set {
    fn make(host: &Host, ctx: &Context) -> ToolResult<Self> {
        let path = match &host.schedule {
            Some(path) => path.clone(),
            None => ctx
                .config()
                .find_file("schedule.toml")
                .ok_or_else(|| ToolError::config("there is no `schedule.toml`").hint("name one with -s"))?,
        };
        let (jobs, warnings) = schedule::load(&path, ctx)?;
        let (bin_dir, config_dir) = (
            plain(&host.bin_dir, "bin_dir")?,
            plain(&host.config_dir, "config_dir")?,
        );
        let mut set = Self {
            entries: Vec::new(),
            units: Vec::new(),
            wanted: Vec::new(),
            warnings,
            missing: Vec::new(),
            absent: BTreeMap::new(),
            steps: Vec::new(),
            starts: Vec::new(),
        };
        let credentials = below(&host.root, &host.config_dir.join("credentials"));
        let mut definitions = BTreeMap::new();
        let place = Place {
            alerts: define("alerts", &mut definitions, ctx)?.is_some(),
            user: host.user,
            bin_dir: &bin_dir,
            config_dir: &config_dir,
            has_credential: &|name| credentials.join(name).is_file(),
        };
        for job in &jobs {
            set.add(job, &place, &mut definitions, ctx)?;
        }
        let alerts = define("alerts", &mut definitions, ctx)?;
        match unit::alert(alerts.as_ref(), &place) {
            Some(unit) => set.units.push(unit),
            None => set
                .warnings
                .push("`alerts` is not installed here: nobody is told when a unit fails".to_owned()),
        }
        set.secrets(&config_dir);
        set.missing.sort();
        set.missing.dedup();
        for name in &set.missing {
            set.warnings.push(format!(
                "`{name}` is not installed here: its needs are not known, and it gets no unit"
            ));
        }
        let units = units_dir(host, ctx)?;
        set.wanted = set
            .units
            .iter()
            .map(|unit| Wanted {
                path: units.join(&unit.name),
                text: unit.text.clone(),
            })
            .collect();
        if !host.user {
            for (path, text) in [
                ("/etc/sysusers.d/onejob.conf", unit::sysusers()),
                ("/etc/tmpfiles.d/onejob.conf", unit::tmpfiles(&config_dir)),
            ] {
                set.wanted.push(Wanted {
                    path: below(&host.root, Path::new(path)),
                    text,
                });
            }
        }
        Ok(set)
    }

    /// A missing credential fails a unit, so it is loaded only where it lies; what to do for the others is said.
    fn secrets(&mut self, config_dir: &str) {
        for (name, tools) in &self.absent {
            let tools: Vec<_> = tools.iter().map(String::as_str).collect();
            self.steps.push(format!(
                "put the secret {name} into {config_dir}/credentials/{name} (0600) and apply again, if {} shall have it",
                tools.join(" and ")
            ));
        }
    }

    fn add(
        &mut self,
        job: &Job,
        place: &Place<'_>,
        definitions: &mut BTreeMap<String, Option<Definition>>,
        ctx: &Context,
    ) -> ToolResult<()> {
        let Some(definition) = define(&job.entry.tool, definitions, ctx)? else {
            self.missing.push(job.entry.tool.clone());
            self.entries.push(EntryPlan::of(job, Vec::new(), ctx.now()));
            return Ok(());
        };
        for name in unit::credentials(job, &definition, place).1 {
            self.absent
                .entry(name)
                .or_default()
                .insert(definition.name.clone());
        }
        let units = unit::of(job, &definition, place);
        let names: Vec<_> = units.iter().map(|unit| unit.name.clone()).collect();
        self.starts.extend(names.last().cloned());
        self.entries.push(EntryPlan::of(job, names, ctx.now()));
        self.units.extend(units);
        Ok(())
    }
}

/// What a tool says of itself; `None` when it is not installed.
fn define(
    tool: &str,
    known: &mut BTreeMap<String, Option<Definition>>,
    ctx: &Context,
) -> ToolResult<Option<Definition>> {
    if let Some(definition) = known.get(tool) {
        return Ok(definition.clone());
    }
    let options =
        job_manager::Options::from_config(ctx.config(), ctx.state_dir()?, job_manager::Role::Client)?;
    let definition = job_manager::describe(&options.tools_dir.join(tool));
    known.insert(tool.to_owned(), definition.clone());
    Ok(definition)
}

/// The folder of the units.
fn units_dir(host: &Host, ctx: &Context) -> ToolResult<PathBuf> {
    if !host.user {
        return Ok(below(&host.root, Path::new("/etc/systemd/system")));
    }
    let config = ctx
        .env("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&ctx.env("HOME")?).join(".config")))
        .filter(|path| path.is_absolute())
        .ok_or_else(|| ToolError::config("neither `XDG_CONFIG_HOME` nor `HOME` is an absolute path"))?;
    Ok(below(&host.root, &config.join("systemd/user")))
}

/// A path of the host below the folder that stands for its `/`.
fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// A path that can stand in a unit as it is.
fn plain(path: &Path, field: &str) -> ToolResult<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
    match path.to_str() {
        Some(text) if path.is_absolute() && text.chars().all(fits) => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err(ToolError::invalid(field, "is not a plain absolute path")),
    }
}

/// The commands that put what was written into force.
fn after(host: &Host, changed: bool, starts: &[String]) -> Vec<String> {
    if !changed {
        return Vec::new();
    }
    let systemctl = if host.user {
        "systemctl --user"
    } else {
        "systemctl"
    };
    let mut steps = Vec::new();
    if !host.user && !starts.is_empty() {
        steps.push("systemd-sysusers && systemd-tmpfiles --create".to_owned());
    }
    steps.push(format!("{systemctl} daemon-reload"));
    if !starts.is_empty() {
        steps.push(format!("{systemctl} enable --now {}", starts.join(" ")));
    }
    steps
}
