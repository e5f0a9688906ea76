//! Progress of a run, stage by stage: events, a bar on a terminal, the status line of a service.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use crate::{
    context::Context,
    contract::{EventBody, Progress, StepChange},
    mutex::lock,
    text,
};

impl Context {
    /// Starts a stage of the run. `unit` names what is counted.
    pub fn progress(&self, stage: &str, unit: &str, total: Option<u64>) -> ProgressBar {
        let bar = ProgressBar {
            context: self.clone(),
            state: Mutex::new(ProgressState {
                progress: Progress {
                    stage: stage.to_owned(),
                    done: 0,
                    total,
                    unit: unit.to_owned(),
                    message: String::new(),
                },
                shown: None,
            }),
        };
        bar.show(true);
        bar
    }

    /// Tells followers that a step of the run began, waits, or ended.
    pub fn step(&self, change: StepChange) {
        self.inner().emitter.emit(EventBody::Step(change));
    }
}

/// Progress of one stage. Updates are throttled; the first and the last always go out.
#[derive(Debug)]
pub struct ProgressBar {
    context: Context,
    state: Mutex<ProgressState>,
}

#[derive(Debug)]
struct ProgressState {
    progress: Progress,
    shown: Option<Instant>,
}

/// Shortest time between two progress events.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

impl ProgressBar {
    /// Adds to the count.
    pub fn inc(&self, count: u64) {
        lock(&self.state).progress.done += count;
        self.show(false);
    }

    /// Sets the count.
    pub fn set(&self, done: u64) {
        lock(&self.state).progress.done = done;
        self.show(false);
    }

    /// Sets the total once it is known.
    pub fn set_total(&self, total: u64) {
        lock(&self.state).progress.total = Some(total);
        self.show(false);
    }

    /// Sets the text for people.
    pub fn message(&self, text: impl Into<String>) {
        lock(&self.state).progress.message = text.into();
        self.show(false);
    }

    /// Ends the stage; shows the last state.
    pub fn finish(&self) {
        self.show(true);
    }

    fn show(&self, always: bool) {
        let mut state = lock(&self.state);
        if !always && state.shown.is_some_and(|at| at.elapsed() < PROGRESS_INTERVAL) {
            return;
        }
        state.shown = Some(Instant::now());
        let progress = state.progress.clone();
        drop(state);
        let inner = self.context.inner();
        if let Some(bar) = &inner.bar {
            draw(bar, &progress);
        }
        if inner.definition.long_running {
            let status = format!("{}: {} {}", progress.stage, progress.done, progress.unit);
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Status(&status)]);
        }
        inner.emitter.emit(EventBody::Progress(progress));
    }
}

fn draw(bar: &indicatif::ProgressBar, progress: &Progress) {
    let template = if progress.total.is_some() {
        "{prefix:>12.cyan} [{bar:30}] {pos}/{len} {msg} ({eta} left)"
    } else {
        "{prefix:>12.cyan} {spinner} {pos} {msg} ({elapsed})"
    };
    if bar.prefix() != progress.stage {
        if let Ok(style) = indicatif::ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(progress.stage.clone());
        bar.reset();
    }
    if let Some(total) = progress.total {
        bar.set_length(total);
    }
    bar.set_position(progress.done);
    let message = format!("{} {}", progress.unit, progress.message);
    bar.set_message(text::visible_line(message.trim_end()).into_owned());
}
