//! `migration_report` over real binaries: what closes a gate, what opens it again, and who may be cut over.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::path::{Path, PathBuf};

use app_core::{
    Usd,
    state::{NewRun, Runs},
};
use migration::evidence::{self, Acceptance, Evidence};
use serde_json::{Value, json};
use testkit::{Finished, Sandbox, tools};

/// One tool, one script without a tool, and all the evidence of the tool.
struct Host {
    sandbox: Sandbox,
    tool: PathBuf,
}

impl Host {
    fn new(config: &str) -> Self {
        let sandbox = Sandbox::new().unwrap();
        let folder = sandbox.root().join("tools");
        std::fs::create_dir(&folder).unwrap();
        let tool = folder.join("css_analyzer");
        std::fs::copy(tools::binary("css_analyzer"), &tool).unwrap();
        let sandbox = sandbox.env("ONEJOB_TOOLS_DIR", folder.display().to_string());
        sandbox.file("shared-config/onejob.toml", config);
        sandbox.file(
            "shared-config/migration.toml",
            "[[wave]]\nnumber = 2\ntitle = 'Pages <&> sites'\nscripts = ['css_analyzer', 'screenshots']\n\
             [[outside]]\nscripts = ['voice_<utils>']\nreason = 'not & rebuilt'\n",
        );
        let host = Self { sandbox, tool };
        for gate in Acceptance::ALL {
            host.show(gate, true, "7 of 7 cases");
        }
        host
    }

    fn evidence(&self) -> PathBuf {
        self.state().join("evidence")
    }

    fn state(&self) -> PathBuf {
        self.sandbox.root().join("state")
    }

    fn show(&self, gate: Acceptance, passed: bool, summary: &str) -> PathBuf {
        let evidence = Evidence {
            command: format!("show {}", gate.as_str()),
            passed,
            summary: summary.into(),
            ..Evidence::now(gate, "css_analyzer", "0.1.0", &self.tool).unwrap()
        };
        evidence::write(&self.evidence(), &evidence).unwrap()
    }

    fn report(&self, args: &[&str]) -> Finished {
        let binary = Path::new(env!("CARGO_BIN_EXE_migration_report"));
        self.sandbox.run(binary, args)
    }

    /// How the gates of the tool stand, and the exit code.
    fn gates(&self) -> (Vec<String>, Option<i32>) {
        let run = self.report(&["--json"]);
        let row = row(&run.json(), "css_analyzer");
        let states = row["gates"].as_array().unwrap().iter();
        let states = states.map(|gate| gate["state"].as_str().unwrap().to_owned());
        (states.collect(), run.code)
    }
}

fn row(report: &Value, name: &str) -> Value {
    let rows = report["tools"].as_array().unwrap();
    rows.iter().find(|row| row["name"] == name).unwrap().clone()
}

#[test]
fn no_gate_is_green_without_evidence_of_this_binary() {
    let host = Host::new("");
    assert_eq!(host.gates(), (vec!["closed".to_owned(); 5], Some(0)));
    for (index, gate) in Acceptance::ALL.into_iter().enumerate() {
        let path = host.show(gate, true, "again");
        std::fs::remove_file(&path).unwrap();
        let (states, code) = host.gates();
        assert_eq!((states[index].as_str(), code), ("missing", Some(3)));

        host.show(gate, false, "6 of 7 cases");
        let (states, code) = host.gates();
        assert_eq!((states[index].as_str(), code), ("failed", Some(3)));

        // Half a file is no evidence, and is named.
        std::fs::write(&path, "{\"v\": 1").unwrap();
        let run = host.report(&["--text"]).expect_code(3);
        assert!(
            run.stdout.contains("unreadable: ") && run.stdout.contains(gate.as_str()),
            "{}",
            run.stdout
        );
        host.show(gate, true, "7 of 7 cases");
    }
    assert_eq!(host.gates().1, Some(0));
    // Another binary of the same name: nothing was shown of it.
    let mut bytes = std::fs::read(&host.tool).unwrap();
    bytes.push(0);
    std::fs::write(&host.tool, bytes).unwrap();
    assert_eq!(host.gates(), (vec!["stale".to_owned(); 5], Some(3)));
}

#[test]
fn a_script_alone_has_its_row_and_holds_the_release() {
    let host = Host::new("[legacy.screenshots]\nscript = 'shots.py'\nwave = 2\neffects = ['reads']\n");
    let run = host.report(&["--json"]).expect_code(3);
    let report = run.json();
    let script = row(&report, "screenshots");
    assert_eq!(
        (&script["binary"], &script["route"]),
        (&json!(false), &json!("legacy"))
    );
    let wave = &report["waves"][0];
    assert_eq!(wave["counts"]["scripts"], 2);
    assert_eq!(
        wave["line"],
        "1 of 2 scripts replaced, 1 without a tool; 5 of 10 gates closed"
    );
    host.report(&["css_analyzer"]).expect_code(0);
    host.report(&["no_such_tool"]).expect_code(66);
}

#[test]
fn cut_over_waits_for_clean_days() {
    let host =
        Host::new("[tools.css_analyzer]\ncut_over = true\n[migration]\nclean_days = 2\nclean_runs = 5\n");
    let log = host.state().join("parity/shadow.jsonl");
    std::fs::create_dir_all(log.parent().unwrap()).unwrap();
    let line = |day: u8, clean: bool| {
        let differences = if clean {
            json!([])
        } else {
            json!(["stdout differs"])
        };
        let line = json!({"v": 1, "at": format!("2026-03-{day:02}T08:00:00Z"), "tool": "css_analyzer", "clean": clean,
            "differences": differences, "calibrated": true, "input_sha256": "x", "legacy_ms": 12, "rust_ms": 3});
        format!("{line}\n")
    };
    let refused = |args: &[&str]| {
        let run = host.report(args).expect_code(3);
        assert!(
            run.stderr.contains("cut over too early: `css_analyzer`"),
            "{}",
            run.stderr
        );
    };
    refused(&["--check-cut-over"]);
    refused(&[]);
    std::fs::write(&log, line(1, true) + &line(2, true) + &line(3, false)).unwrap();
    refused(&["--check-cut-over"]);
    std::fs::write(&log, line(1, true) + &line(2, true)).unwrap();
    host.report(&["--check-cut-over"]).expect_code(0);
    std::fs::write(&log, line(1, true).repeat(5)).unwrap();
    let report = host.report(&["--json"]).expect_code(0).json();
    assert_eq!(row(&report, "css_analyzer")["shadow"]["clean_runs"], 5);
    // A release is held where the scripts do not run: the logs of their hosts are brought along, whatever is here.
    let elsewhere = host.sandbox.file("other.jsonl", line(3, false));
    let elsewhere = elsewhere.display().to_string();
    refused(&["--check-cut-over", "--shadow-log", &elsewhere]);
    host.report(&["--check-cut-over", "--shadow-log", "absent.jsonl"])
        .expect_code(66);
    let both = ["--check-cut-over", "--shadow-log", &elsewhere, "--shadow-log"];
    let here = log.display().to_string();
    refused(&[&both[..], &[here.as_str()]].concat());
    // Open gates are not what --check-cut-over asks about.
    std::fs::remove_file(host.evidence().join("parity/css_analyzer.json")).unwrap();
    host.report(&["--check-cut-over"]).expect_code(0);
    host.report(&[]).expect_code(3);
}

#[test]
fn fallbacks_and_gaps_are_shown_on_every_face_and_the_page_runs_nothing() {
    let host = Host::new("[tools.css_analyzer]\nknown_gaps = ['no <b>@layer</b> | yet']\n");
    host.show(Acceptance::Parity, true, "<script>alert(1)</script>");
    let runs = Runs::open(&host.state()).unwrap();
    let at = app_core::Clock::System.now();
    let run = NewRun {
        run_id: "r1",
        tool: "css_analyzer",
        version: "script-1",
        input_hash: "h",
        pid: 1,
        planned: false,
        fallback: Some("switched"),
    };
    runs.start(&run, at).unwrap();
    runs.finish("r1", 0, None, Usd::ZERO, (0, 0), at).unwrap();
    let run = host
        .report(&["--html", "out/m.html", "--markdown", "out/m.md", "--json"])
        .expect_code(0);
    let fallback = &row(&run.json(), "css_analyzer")["fallback"];
    assert_eq!(
        (&fallback["runs"], &fallback["reasons"]),
        (&json!(1), &json!(["1 switched"]))
    );

    let page = std::fs::read_to_string(host.sandbox.path("out/m.html")).unwrap();
    for part in [
        "<td>once",
        "&lt;script&gt;alert(1)",
        "no &lt;b&gt;@layer",
        "Pages &lt;&amp;&gt; sites",
        "voice_<wbr>&lt;utils&gt;: not &amp; rebuilt",
        "aria-label=\"1 replaced, 0 with a tool, 1 not begun\"",
    ] {
        assert!(page.contains(part), "no `{part}` in {page}");
    }
    for part in ["<script", "http://", "https://", "<b>@layer"] {
        assert!(!page.contains(part), "`{part}` in {page}");
    }
    let markdown = std::fs::read_to_string(host.sandbox.path("out/m.md")).unwrap();
    assert!(
        markdown.contains("\\<script\\>") && markdown.contains("no \\<b\\>@layer\\</b\\> \\| yet"),
        "{markdown}"
    );
    let text = host.report(&["--text"]).stdout;
    assert!(
        text.contains("known gaps of css_analyzer: no <b>@layer"),
        "{text}"
    );
}
