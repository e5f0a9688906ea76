//! Waiting until a page looks as it will: with a reason where it does not come to rest.

use std::time::{Duration, Instant};

use app_core::ToolResult;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Page;

/// Longest wait for the load event.
const LOAD: Duration = Duration::from_secs(5);

/// Longest wait in all.
const CAP: Duration = Duration::from_secs(10);

/// Milliseconds for fonts, which a browser shows another one for afterwards.
const FONTS_MS: u64 = 3000;

/// Milliseconds for decoding pictures.
const PICTURES_MS: u64 = 2000;

/// The layout does not move for so long.
const STILL_MS: f64 = 300.0;

/// No request that is waited for begins or ends for so long.
const QUIET: Duration = Duration::from_millis(500);

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// A page that grows while it is scrolled is shown for so many windows.
const SCREENS: u32 = 20;

/// What is waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// Until the page comes to rest: loaded, shown once from top to bottom, fonts and pictures there, no motion of the
    /// layout, no requests but sockets and polls; ten seconds at most.
    #[default]
    Settled,
    /// Until the load event; five seconds at most.
    Load,
}

/// How the waiting ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Settled {
    /// Whether the page came to rest.
    pub settled: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Milliseconds that were waited after the page had begun to come.
    pub waited_ms: u64,
    /// Paths that the page asks again and again; they were not waited for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub polls: Vec<String>,
    /// Sockets and event streams that it opened.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sockets: u64,
    /// Requests that it sent.
    pub requests: u64,
    /// Fonts that did not come; their texts are in another font.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fonts_missing: Vec<String>,
    /// Pictures that did not come.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pictures_missing: u64,
    /// Height at which the page is cut, since it grows while it is scrolled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_at: Option<u64>,
    /// Animations without an end; they stand at their first frame.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub animations_paused: u64,
    /// Animations and transitions that were brought to their end.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub animations_finished: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Page {
    /// Waits; with `sweep` the whole page is shown once, so that what comes only when it is seen comes.
    pub async fn settle(&self, wait: Wait, sweep: bool) -> ToolResult<Settled> {
        let begun = Instant::now();
        let left = || CAP.saturating_sub(begun.elapsed());
        let mut settled = Settled::default();
        let mut reasons = Vec::new();
        while !self.watch.loaded() && begun.elapsed() < LOAD {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = self.watch.crashed() => break,
            }
        }
        if wait == Wait::Settled {
            self.ask(include_str!("script/observe.js").trim(), left().max(LOOK))
                .await?;
            if sweep {
                self.sweep(left() / 2, &mut settled, &mut reasons).await?;
            }
            self.come_to_rest(&left, &mut reasons).await?;
        }
        let fonts = include_str!("script/ready.js").trim();
        let limit = left().max(Duration::from_millis(200));
        let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(FONTS_MS);
        let ready = format!(
            "({fonts})({}, {})",
            FONTS_MS.min(limit_ms),
            PICTURES_MS.min(limit_ms)
        );
        let ready = self.ask(&ready, limit + Duration::from_secs(5)).await?;
        settled.fonts_missing = names(&ready["failed"]);
        settled.pictures_missing = ready["broken"].as_u64().unwrap_or(0);
        for font in names(&ready["slow"]) {
            reasons.push(format!("font {font} did not come within {} s", FONTS_MS / 1000));
            settled.fonts_missing.push(font);
        }
        if let Some(hanging) = self.watch.hanging() {
            reasons.insert(0, hanging);
        } else if !self.watch.loaded() {
            reasons.insert(0, format!("it was not loaded within {} s", LOAD.as_secs()));
        }
        let (sockets, requests, polls) = self.watch.counts();
        settled.sockets = sockets;
        settled.requests = requests;
        settled.polls = polls;
        settled.waited_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        settled.settled = reasons.is_empty();
        settled.reason = (!reasons.is_empty()).then(|| reasons.join("; "));
        Ok(settled)
    }

    /// Waits again after something was done to the page, for what that set going.
    pub async fn settle_again(&self, settled: &mut Settled) -> ToolResult<()> {
        let begun = Instant::now();
        let left = || Duration::from_secs(3).saturating_sub(begun.elapsed());
        self.ask(include_str!("script/observe.js").trim(), CAP).await?;
        self.come_to_rest(&left, &mut Vec::new()).await?;
        settled.waited_ms += u64::try_from(begun.elapsed().as_millis()).unwrap_or(0);
        Ok(())
    }

    /// Stops what moves. To be done right before the picture.
    pub async fn freeze(&self, settled: &mut Settled) -> ToolResult<()> {
        let count = self.ask(include_str!("script/freeze.js").trim(), CAP).await?;
        settled.animations_paused = count["paused"].as_u64().unwrap_or(0);
        settled.animations_finished = count["finished"].as_u64().unwrap_or(0);
        Ok(())
    }

    async fn sweep(
        &self,
        time: Duration,
        settled: &mut Settled,
        reasons: &mut Vec<String>,
    ) -> ToolResult<()> {
        let sweep = include_str!("script/sweep.js").trim();
        let expression = format!("({sweep})({}, {SCREENS})", time.as_millis());
        let swept = self.ask(&expression, time + Duration::from_secs(5)).await?;
        let side = |name: &str| swept[name].as_f64().unwrap_or(0.0);
        if side("last") > side("first") && side("last") > side("limit") {
            settled.cut_at = Some(side("limit") as u64);
            reasons.push(format!(
                "it grows while it is scrolled and is cut at {} pixels",
                side("limit") as u64
            ));
        }
        if swept["late"] == true {
            reasons.push(format!(
                "parts below {} pixels were not shown in time",
                side("seen") as u64
            ));
        }
        Ok(())
    }

    async fn come_to_rest(&self, left: &impl Fn() -> Duration, reasons: &mut Vec<String>) -> ToolResult<()> {
        let still = include_str!("script/still.js").trim();
        loop {
            let moved = self.ask(still, left().max(Duration::from_secs(1))).await?;
            let still = moved.as_f64().unwrap_or(0.0) >= STILL_MS;
            let busy = self.watch.busy();
            let quiet = busy.waited_for == 0 && busy.quiet >= QUIET;
            if still && quiet {
                return Ok(());
            }
            if left().is_zero() {
                if !still {
                    reasons.push("the layout still moves".to_owned());
                }
                if !quiet && busy.waited_for == 0 {
                    reasons.push("it keeps sending requests".to_owned());
                }
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn names(list: &Value) -> Vec<String> {
    let names = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    names.map(|name| name.chars().take(100).collect()).collect()
}
