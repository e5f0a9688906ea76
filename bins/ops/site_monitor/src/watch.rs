//! Rounds in a loop, until it is stopped.

use std::{path::Path, time::Duration};

use app_core::{Context, ToolError, ToolResult};

use crate::{
    Monitor, Output,
    input::Watch,
    record::{Record, line},
    round::{self, Round},
};

pub(crate) async fn watch(input: &Watch, ctx: &Context) -> ToolResult<Output> {
    let monitor = Monitor::load(&input.config, ctx)?;
    let seconds = input.interval.or(monitor.config.check_interval_secs);
    let pause = Duration::from_secs(seconds.unwrap_or(60).max(1));
    let (mut rounds, mut alerts, mut before) = (0, 0, Vec::new());
    ctx.notify_ready();
    let mut ticks = tokio::time::interval(pause);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = ctx.cancellation().cancelled() => {
                return Err(ToolError::cancelled().with_output(&Output::Watch { rounds, alerts }));
            }
            _ = ticks.tick() => {}
        }
        let round = monitor.round(ctx).await?;
        let changes = round::changes(&before, &round.records);
        if !ctx.dry_run() {
            for failure in monitor.send(ctx).await? {
                ctx.warn(format!("alert not delivered: {failure}"));
            }
            if let Some(path) = &input.history {
                append(path, &round.records)?;
            }
        }
        show(&round, &changes, ctx);
        let healthy = round.records.iter().filter(|r| r.is_healthy).count();
        ctx.info(format!(
            "{healthy} of {} sites are up; next round in {} s",
            round.records.len(),
            pause.as_secs()
        ));
        rounds += 1;
        alerts += round.alerts.len() as u64;
        before = round.records;
        if input.rounds.is_some_and(|limit| rounds >= limit) {
            return Ok(Output::Watch { rounds, alerts });
        }
    }
}

fn append(path: &Path, records: &[Record]) -> ToolResult<()> {
    use std::io::Write as _;
    let mut text = Vec::new();
    for record in records {
        serde_json::to_writer(&mut text, record).map_err(|e| ToolError::internal(format!("history: {e}")))?;
        text.push(b'\n');
    }
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(&text))
        .map_err(|e| ToolError::file("append to", path, &e))
}

/// The old program's lines of one round, while it runs.
fn show(round: &Round, changes: &[String], ctx: &Context) {
    let mut text = String::new();
    for record in &round.records {
        text.push_str(&format!("{}\n", line(record)));
    }
    if !changes.is_empty() {
        text.push_str("\n📢 Изменения:\n");
        for change in changes {
            text.push_str(&format!("  {change}\n"));
        }
    }
    text.push_str("---\n");
    ctx.stream(
        &serde_json::json!({"sites": round.records, "alerts": round.alerts, "changes": changes}),
        &text,
    );
}
