//! The contract suite: what every binary of the workspace must do, whoever wrote it.
//!
//! Tools are found by looking at `bins/*/*`; nothing here names one. Build the workspace first.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

mod evidence;
mod extremes;
mod faces;
mod far_side;
mod forms;
mod garbage;
mod inputs;
mod modes;
mod plans;
mod records;
mod signals;

use std::path::Path;

use serde_json::Value;
use testkit::{
    Finished, Sandbox, Site,
    broken::BrokenSide,
    telegram::{self, Dc},
    tools::{self, BuiltTool},
};

/// Runs an example of a tool in a copy of its `examples/` folder; `https://site.example` becomes a site on loopback.
struct ExampleRun {
    sandbox: Sandbox,
    args: Vec<String>,
    exit: i32,
    site: Option<Site>,
    dc: Option<Dc>,
}

impl ExampleRun {
    fn of(tool: &BuiltTool, example: &Value) -> Self {
        let description = tool.describe();
        let mut run = Self::bare(tool, example);
        if run.names_the_site() {
            let site = Site::folder(tool.folder.join("examples")).unwrap();
            run.lead_to(&site.url());
            run.site = Some(site);
        }
        // Telegram tools meet the small town, over the real wire.
        if reaches(&description, "telegram") {
            let dc = Dc::start(telegram::world("town"));
            dc.write_session(&run.sandbox.path("telegram_session.session"));
            run = run.signed_in();
            run.dc = Some(dc);
        }
        run
    }

    /// The same against a far side that does not work.
    fn at(tool: &BuiltTool, example: &Value, side: &BrokenSide) -> Self {
        let mut run = Self::bare(tool, example);
        run.lead_to(&side.url());
        if reaches(&tool.describe(), "telegram") {
            let session = run.sandbox.path("telegram_session.session");
            telegram::write_session(&session, side.port());
            run = run.signed_in();
        }
        run
    }

    fn bare(tool: &BuiltTool, example: &Value) -> Self {
        let args = example["args"].as_array().unwrap().iter();
        let sandbox = Sandbox::new()
            .unwrap()
            .env("ONEJOB_ALLOW_PRIVATE", "1")
            .env("ONEJOB_TOOLS_DIR", tools::target_dir().display().to_string())
            .env(
                "ONEJOB_CONFIG_DIR",
                tools::workspace().join("shared-config").display().to_string(),
            )
            .env("EXAMPLE", "1");
        sandbox.copy_in(&tool.folder.join("examples")).unwrap();
        Self {
            sandbox,
            args: args.map(|a| a.as_str().unwrap().to_owned()).collect(),
            exit: i32::try_from(example["exit"].as_u64().unwrap()).unwrap(),
            site: None,
            dc: None,
        }
    }

    fn names_the_site(&self) -> bool {
        self.args.iter().any(|arg| arg.contains("https://site.example")) || uses_site(&self.sandbox)
    }

    fn lead_to(&mut self, url: &str) {
        for arg in &mut self.args {
            *arg = arg.replace("https://site.example", url);
        }
        rewrite_files(&self.sandbox, url);
    }

    fn signed_in(mut self) -> Self {
        // Lock files stay where the first run made them; taking them away is what let two programs in.
        self.sandbox.file("telegram_session.lock", b"");
        self.sandbox.file("telegram_session_py.lock", b"");
        self.sandbox = self
            .sandbox
            .env("TELEGRAM_API_ID", "12345")
            .env("TELEGRAM_API_HASH", "0123456789abcdef0123456789abcdef")
            .env("TELEGRAM_PHONE", "+10000000000");
        self
    }

    /// Requests the data centre saw that change something there.
    fn changes_seen(&self) -> Vec<String> {
        const VERBS: [&str; 13] = [
            "send", "delete", "forward", "edit", "update", "set", "join", "leave", "invite", "block", "save",
            "pin", "read",
        ];
        let requests = self.dc.as_ref().map(Dc::requests).unwrap_or_default();
        let methods = requests.into_iter().map(|request| request.method);
        methods
            .filter(|method| {
                let verb = method.rsplit('.').next().unwrap_or_default();
                VERBS.iter().any(|known| verb.starts_with(known)) && !method.starts_with("updates.")
            })
            .collect()
    }

    fn run(&self, tool: &BuiltTool) -> Finished {
        self.sandbox.run(&tool.binary, &self.args)
    }
}

fn reaches(description: &Value, far_side: &str) -> bool {
    let all = description["reaches"].as_array().into_iter().flatten();
    all.into_iter().any(|reached| reached == far_side)
}

/// Whether a run may talk to anything beside this machine.
fn reaches_far(description: &Value) -> bool {
    description["reaches"]
        .as_array()
        .is_some_and(|all| !all.is_empty())
}

fn text_files(sandbox: &Sandbox) -> Vec<(String, String)> {
    let names = sandbox.files().into_iter().filter(|name| {
        Path::new(name).extension().is_some_and(|e| {
            ["yml", "yaml", "json", "toml", "csv", "txt"]
                .iter()
                .any(|k| e == *k)
        })
    });
    names
        .filter_map(|name| Some((name.clone(), std::fs::read_to_string(sandbox.path(&name)).ok()?)))
        .collect()
}

fn uses_site(sandbox: &Sandbox) -> bool {
    text_files(sandbox)
        .iter()
        .any(|(_, text)| text.contains("https://site.example"))
}

fn rewrite_files(sandbox: &Sandbox, url: &str) {
    for (name, text) in text_files(sandbox) {
        if text.contains("https://site.example") {
            sandbox.file(&name, text.replace("https://site.example", url));
        }
    }
}

fn examples(description: &Value) -> Vec<Value> {
    description["examples"].as_array().unwrap().clone()
}

/// The event stream is numbered without gaps, starts with `started` and ends with exactly one `finished`.
#[track_caller]
fn check_events(tool: &str, run: &Finished) {
    assert!(
        !run.events.is_empty(),
        "{tool}: no events; stderr: {}",
        run.stderr
    );
    for (index, event) in run.events.iter().enumerate() {
        assert_eq!(event["v"], 1, "{tool}: {event}");
        assert_eq!(event["seq"], index, "{tool}: {event}");
        assert!(
            event["ts"].as_str().is_some_and(|ts| ts.ends_with('Z')),
            "{tool}: {event}"
        );
        assert!(event["elapsed_ms"].is_u64(), "{tool}: {event}");
    }
    assert_eq!(run.events[0]["kind"], "started", "{tool}");
    let finished: Vec<_> = run.events.iter().filter(|e| e["kind"] == "finished").collect();
    assert_eq!(finished.len(), 1, "{tool}: {:?}", run.events);
    assert_eq!(run.events.last().unwrap()["kind"], "finished", "{tool}");
}

/// No panic, no signal, and one of the documented exit codes.
#[track_caller]
fn check_exit(tool: &str, what: &str, run: &Finished) {
    let allowed = [0, 2, 3, 66, 69, 73, 74, 75, 77, 78, 130, 143];
    let code = run
        .code
        .unwrap_or_else(|| panic!("{tool}: {what}: ended by a signal; stderr: {}", run.stderr));
    assert!(
        allowed.contains(&code),
        "{tool}: {what}: exit {code}; stderr: {}",
        run.stderr
    );
}
