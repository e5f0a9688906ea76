//! Checks web sites once or in a loop, and tells when one breaks, stays broken or works again.
//!
//! Replaces `site_monitor` with its subcommands, YAML file and output; the parts of the file that the old program
//! read and ignored are honoured. Run by a timer, it remembers between runs, so alerts do not flap.

mod condition;
mod config;
mod input;
mod probe;
mod record;
mod render;
mod round;
mod told;
mod watch;

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use alerting::{Book, Channels, Incidents, Origin, Trouble};
use app_core::{
    Context, Definition, Effect, ErrorKind, Policy, Tool, ToolError, ToolResult, View, contract::RetryPolicy,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    config::{Config, SAMPLE, Target},
    input::{Check, CheckAll, Input},
    probe::Prober,
    record::Record,
    round::Round,
    told::Alert,
};

fn main() -> std::process::ExitCode {
    app_core::main::<SiteMonitor>()
}

struct SiteMonitor;

#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
enum Output {
    /// One address.
    Check(Record),
    /// All sites of a file.
    CheckAll(Summary),
    /// What a loop did until it was stopped.
    Watch {
        /// Rounds done.
        rounds: u64,
        /// Alerts raised.
        alerts: u64,
    },
    /// The sample that was written.
    InitConfig {
        /// The file.
        path: PathBuf,
    },
}

/// A round over all sites.
#[derive(Debug, Serialize, JsonSchema)]
struct Summary {
    /// Sites that answered as they should.
    healthy: usize,
    /// Sites in all.
    total: usize,
    /// Whether this host itself seems offline, so that nothing was judged.
    monitor_offline: bool,
    /// One record per site, in the order of the file.
    sites: Vec<Record>,
    /// What there was to tell.
    alerts: Vec<Alert>,
    /// What was raised but did not arrive (also from earlier rounds), by channel: it is kept and tried again.
    undelivered: Vec<String>,
}

impl Tool for SiteMonitor {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        app_core::definition!("ops")
            .known_gap("no recorded case")
            .reaches(&["web", "smtp", "webhook"])
            .replaces(2, &["site_monitor"])
            .effects(&[Effect::Reads, Effect::WritesFiles, Effect::Sends])
            .long_running()
            .policy(Policy {
                retry: RetryPolicy::NONE,
                ..Policy::with_timeout(Duration::ZERO)
            }, "each check has a time limit of its own, and watching goes on until it is stopped; a check is its own retry")
            .secret("TELEGRAM_BOT_TOKEN", "token of the bot that sends alerts")
            .secret("SMTP_PASSWORD", "password for alerts by mail")
            .env(
                "SMTP_HOST",
                "mail server for alerts; with SMTP_PORT (587) and SMTP_USERNAME",
            )
            .example("is the shop up?", &["check", "https://site.example/index.html"])
            .example(
                "is it up, fast and in stock?",
                &[
                    "check",
                    "https://site.example/stock.json",
                    "--condition",
                    "[RESPONSE_TIME] < 5s",
                    "--condition",
                    "[BODY].items[0].in_stock == true",
                ],
            )
            .example(
                "all sites, for a timer",
                &["check_all", "-c", "sites.yml", "-o", "results.json"],
            )
            .example(
                "three rounds, a second apart",
                &["watch", "-c", "sites.yml", "-i", "1", "--rounds", "2"],
            )
            .example("a file to start from", &["init_config", "-o", "monitor.yml"])
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        match input {
            Input::Check(check) => check_one(&check, ctx).await,
            Input::CheckAll(all) => check_all(&all, ctx).await,
            Input::Watch(input) => watch::watch(&input, ctx).await,
            Input::InitConfig(init) => {
                if init.output.exists() {
                    return Err(ToolError::new(
                        ErrorKind::Conflict,
                        format!("`{}` exists already", init.output.display()),
                    )
                    .hint("name another file with -o"));
                }
                ctx.write(&init.output, "application/yaml", "config", SAMPLE.as_bytes())?;
                Ok(Output::InitConfig { path: init.output })
            }
        }
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        match output {
            Output::Check(record) => render::record(record, out),
            Output::CheckAll(summary) => render::summary(summary, out),
            Output::Watch { rounds, alerts } => writeln!(out, "{rounds} rounds, {alerts} alerts"),
            Output::InitConfig { path } => writeln!(out, "✅ {}", path.display()),
        }
    }

    fn render_partial(
        output: &serde_json::Value,
        _: &View<'_, Self::Input>,
        out: &mut dyn fmt::Write,
    ) -> fmt::Result {
        let field =
            |name: &str| serde_json::from_value::<Vec<Record>>(output[name].clone()).unwrap_or_default();
        if let Ok(record) = serde_json::from_value::<Record>(output.clone()) {
            return render::record(&record, out);
        }
        render::sites(&field("sites"), out)
    }
}

fn prober() -> ToolResult<Prober> {
    Prober::new(concat!("onejob-site_monitor/", env!("CARGO_PKG_VERSION"))).map_err(|problem| {
        ToolError::config(format!("TLS cannot be set up: {problem}"))
            .hint("are the CA certificates installed? (Debian: apt install ca-certificates)")
    })
}

async fn check_one(check: &Check, ctx: &Context) -> ToolResult<Output> {
    let target = Target::single(&check.url, check.timeout, &check.condition)?;
    let (record, _) = round::probe_all(std::slice::from_ref(&target), &prober()?, ctx)
        .await
        .swap_remove(0);
    ctx.count_items(1);
    let healthy = record.is_healthy;
    let shown = record.url.clone();
    let error = record.error.clone().unwrap_or_default();
    let output = Output::Check(record);
    if healthy {
        Ok(output)
    } else {
        Err(ToolError::partial(format!("`{shown}` is unhealthy: {error}"), &output).code("unhealthy"))
    }
}

async fn check_all(input: &CheckAll, ctx: &Context) -> ToolResult<Output> {
    let monitor = Monitor::load(&input.config, ctx)?;
    let round = monitor.round(ctx).await?;
    let undelivered = monitor.send(ctx).await?;
    if let Some(path) = &input.output {
        let text = serde_json::to_vec_pretty(&round.records).unwrap_or_default();
        ctx.write(path, "application/json", "results", &text)?;
    }
    if let Some(dir) = &input.metrics_dir {
        ctx.write(
            dir.join("site_monitor_sites.prom"),
            "text/plain",
            "metrics",
            render::metrics(&round.records).as_bytes(),
        )?;
    }
    let healthy = round.records.iter().filter(|r| r.is_healthy).count();
    let summary = Summary {
        healthy,
        total: round.records.len(),
        monitor_offline: round.offline,
        sites: round.records,
        alerts: round.alerts,
        undelivered,
    };
    let mut troubles = Vec::new();
    if summary.healthy < summary.total {
        let unhealthy = summary.total - summary.healthy;
        troubles.push(format!("{unhealthy} of {} sites are unhealthy", summary.total));
    }
    if !summary.undelivered.is_empty() {
        let undelivered = summary.undelivered.join("; ");
        troubles.push(format!("alerts were not delivered: {undelivered}"));
    }
    let output = Output::CheckAll(summary);
    if troubles.is_empty() {
        Ok(output)
    } else {
        Err(ToolError::partial(troubles.join("; "), &output).code("unhealthy"))
    }
}

/// The sites of one file, and who is told of them.
struct Monitor {
    config: Config,
    targets: Vec<Target>,
    /// Alert state belongs to a file, wherever it is called from.
    source: String,
    channels: Channels,
    origin: Origin,
    prober: Prober,
    book: Book,
}

impl Monitor {
    fn load(path: &Path, ctx: &Context) -> ToolResult<Self> {
        let (config, targets) = Config::load(path, ctx)?;
        let absolute = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let (channels, origin) = config
            .alerts
            .clone()
            .or_settings(Origin::File(absolute.clone()), ctx)?;
        Ok(Self {
            config,
            targets,
            source: absolute.display().to_string(),
            channels,
            origin,
            prober: prober()?,
            book: Book::open(ctx)?,
        })
    }

    /// One round over all sites. What is to be told is in the outbox when this returns, with the memory that led to it.
    async fn round(&self, ctx: &Context) -> ToolResult<Round> {
        let results = round::probe_all(&self.targets, &self.prober, ctx).await;
        ctx.count_items(self.targets.len() as u64);
        let records: Vec<Record> = results.iter().map(|(record, _)| record.clone()).collect();
        if round::host_is_offline(&records, &self.config, &self.prober).await? {
            ctx.warn(
                "every site and every self-check address fails: this host seems offline, nothing is judged",
            );
            return Ok(Round {
                records,
                offline: true,
                ..Round::default()
            });
        }
        let now = ctx.now();
        let decide = |incidents: &mut Incidents| {
            let round = round::decide(&self.targets, results, &self.config, incidents, now);
            let raised = round.raised.clone();
            (round, raised)
        };
        // Where versions before the outbox kept it.
        let first = || Ok(ctx.checkpoint(&self.source)?.load()?.unwrap_or_default());
        if ctx.dry_run() {
            let mut incidents = self.book.incidents(&self.source)?.map_or_else(first, Ok)?;
            return Ok(decide(&mut incidents).0);
        }
        let observed = self
            .book
            .observe(&self.source, (&self.channels, &self.origin), now, first, decide)?;
        if observed.silenced > 0 {
            ctx.warn(format!("{} alerts are silenced", observed.silenced));
        }
        Ok(observed.value)
    }

    /// Sends what waits, also from earlier rounds. Returns what did not arrive, a line for each channel.
    async fn send(&self, ctx: &Context) -> ToolResult<Vec<String>> {
        if ctx.dry_run() {
            return Ok(Vec::new());
        }
        let flushed = self.book.flush(Some(&self.channels.all()), ctx).await?;
        Ok(flushed.troubles.iter().map(Trouble::line).collect())
    }
}
