//! Units from a schedule, judged by systemd's own programs.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use testkit::{Finished, Sandbox, tools};

const SITES: &str = "[[entry]]\nname = \"sites\"\ntool = \"site_monitor\"\nargs = [\"check_all\", \"-c\", \"/etc/onejob/sites.yml\"]\non_calendar = \"minutely\"\n";

/// A host with some tools.
fn host(names: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new().unwrap();
    let folder = sandbox.root().join("tools");
    fs::create_dir(&folder).unwrap();
    for name in names {
        fs::copy(tools::binary(name), folder.join(name)).unwrap();
    }
    sandbox.env("ONEJOB_TOOLS_DIR", folder.display().to_string())
}

fn run(sandbox: &Sandbox, args: &[&str]) -> Finished {
    sandbox.run(Path::new(env!("CARGO_BIN_EXE_systemd_units")), args)
}

fn apply(sandbox: &Sandbox) -> Finished {
    run(sandbox, &["apply", "-s", "schedule.toml", "--root", "image"])
}

fn unit(sandbox: &Sandbox, name: &str) -> PathBuf {
    sandbox.path(&format!("image/etc/systemd/system/{name}"))
}

fn changes(value: &Value) -> Vec<(String, String)> {
    let files = value["files"].as_array().unwrap();
    files
        .iter()
        .map(|file| {
            let path = Path::new(file["path"].as_str().unwrap());
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, file["change"].as_str().unwrap().to_owned())
        })
        .collect()
}

/// Field case `calendar_expressions`.
#[test]
fn all_faults_of_a_schedule_are_named_in_one_run_and_nothing_is_written() {
    let sandbox = host(&["site_monitor", "alerts"]);
    sandbox.file("schedule.toml", include_str!("../fixtures/calendar.toml"));
    let failed = apply(&sandbox).expect_code(2);
    for line in [
        "4 mistakes",
        "`e6`: `on_calendar`: `*-02-30` never elapses",
        "`e7`: `on_calendar`: `0 2 * * *` is cron's; systemd writes `*-*-* 02:00:00`",
        "`e8`: `on_calendar`: `@daily` is cron's; systemd writes `daily`",
        "`e9`: `on_calendar`: `Mon *-*-* 25:00` the hour is outside what there is",
    ] {
        assert!(failed.stderr.contains(line), "no `{line}` in {}", failed.stderr);
    }
    assert!(!sandbox.path("image").exists());
}

/// Field case `dst_gap_skips_backup`; the tool need not be installed to be planned.
#[test]
fn an_hour_that_the_clock_leaps_over_is_a_warning() {
    let sandbox = host(&["alerts"]);
    sandbox.file(
        "schedule.toml",
        "[[entry]]\nname = \"n8n_backup\"\ntool = \"n8n_backup\"\nargs = [\"backup\", \"--then-cleanup\"]\non_calendar = \"*-*-* 02:30:00 Europe/Berlin\"\n",
    );
    let planned = run(&sandbox, &["plan", "-s", "schedule.toml"]).expect_code(0);
    let warnings = planned.json()["warnings"].to_string();
    assert!(
        warnings.contains("`n8n_backup`: 02:30 does not exist on "),
        "{warnings}"
    );
    assert!(
        warnings.contains(" in Europe/Berlin: that run is skipped; use UTC or a time outside 02:00 to 03:00")
    );
    assert!(
        warnings.contains("`n8n_backup` is not installed here"),
        "{warnings}"
    );
    run(&sandbox, &["apply", "-s", "schedule.toml", "--root", "image"]).expect_code(66);
    assert!(!sandbox.path("image").exists());
}

/// Field case `shared_state_and_secrets`, with a tool that is there.
#[test]
fn one_user_shares_the_state_and_only_secrets_that_lie_there_are_loaded() {
    let sandbox = host(&["site_monitor", "alerts"]);
    let schedule = include_str!("../fixtures/shared_state.toml").replace("\"n8n_backup\"", "\"alerts\"");
    sandbox.file("schedule.toml", schedule);
    sandbox.file("image/etc/onejob/credentials/TELEGRAM_BOT_TOKEN", "x");
    let output = apply(&sandbox).expect_code(0).json();
    let text = fs::read_to_string(unit(&sandbox, "onejob-a.service")).unwrap();
    for line in [
        "User=onejob",
        "StateDirectory=onejob",
        "LoadCredential=TELEGRAM_BOT_TOKEN:/etc/onejob/credentials/TELEGRAM_BOT_TOKEN",
        "OnFailure=onejob-alert@%n.service",
    ] {
        assert!(text.lines().any(|l| l == line), "no `{line}` in {text}");
    }
    assert!(!text.contains("DynamicUser") && !text.contains("SMTP_PASSWORD"));
    let steps = output["steps"].to_string();
    assert!(
        steps.contains("put the secret SMTP_PASSWORD into /etc/onejob/credentials/SMTP_PASSWORD"),
        "{steps}"
    );
    let mode = fs::metadata(unit(&sandbox, "onejob-a.service"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o644);
}

#[test]
fn systemd_finds_no_fault_and_hardly_any_exposure() {
    let sandbox = host(&["site_monitor", "alerts", "list_chats", "css_analyzer"]);
    let entry = |name: &str, tool: &str, rest: &str| {
        format!("[[entry]]\nname = \"{name}\"\ntool = \"{tool}\"\n{rest}\n")
    };
    let schedule = [
        SITES.to_owned(),
        entry("watch", "site_monitor", "args = [\"watch\", \"-c\", \"/etc/onejob/sites.yml\"]"),
        entry("chats", "list_chats", "interval = \"2h\"\nmemory = \"200M\"\nnice = 5\nafter = [\"mariadb.service\"]"),
        entry(
            "css",
            "css_analyzer",
            "on_calendar = \"daily\"\ntimezone = \"Europe/Berlin\"\njitter = \"5m\"\npersistent = true\ntimeout = \"90s\"\nwrite_paths = [\"/srv/reports\"]",
        ),
    ]
    .concat();
    sandbox.file("schedule.toml", schedule);
    let judged = run(&sandbox, &["check", "-s", "schedule.toml"])
        .expect_code(0)
        .json();
    let judgements = judged["judgements"].as_array().unwrap();
    assert_eq!(judgements.len(), 8, "{judged}");
    for one in judgements {
        assert_eq!(one["complaints"], json!([]), "{one}");
    }
    let exposed: Vec<f64> = judgements.iter().filter_map(|j| j["exposure"].as_f64()).collect();
    assert_eq!(exposed.len(), 4);
    assert!(exposed.iter().all(|e| *e <= 2.0), "{exposed:?}");
}

/// The odd arguments, as systemd itself reads them from the unit.
#[test]
fn odd_arguments_come_back_unchanged() {
    let odd = [
        "100% done; rm -rf $HOME",
        "it's",
        "a\"b",
        "back\\slash",
        "\\n",
        "tab\tin it",
        "",
        " lead and trail ",
        "%n %h %%",
        "${HOME}",
        "$$",
        "`id`",
        "&& true",
        "ü 漢 🙂",
        "#no comment",
        ";",
        "\\",
        "\"",
        "'",
        "-",
        "--",
        "=",
        "a=b",
        "%",
        "$",
        "*",
        "?",
        "~",
        "!x",
        "[a]",
        "{b}",
        "(c)",
        "<d>",
        "|",
        "@",
        ":",
        "+",
        "\\x41",
        "\\u00e9",
        "end\\",
        "two  spaces",
        "\"quoted\"",
        "'quoted'",
        "%%",
        "%i",
        "%%%",
        "$1",
        "$HOME$USER",
        "a\\ b",
        "a;b",
        "a & b",
        "a > b",
        "-x=\"y z\"",
        "/path/with space",
        "http://a.example/?q=%20&b=$c",
        "日本語",
        "\u{301}",
        "\u{200b}",
        "e\u{301}",
        "\\\\",
        "\\t",
        "\\\"",
        "'\"'",
        "%{x}",
        "~root",
        "\\x",
        "[Service]",
        "# x",
        "; x",
    ];
    let sandbox = host(&["alerts"]);
    let args: Vec<String> = odd.iter().map(|arg| Value::from(*arg).to_string()).collect();
    sandbox.file(
        "schedule.toml",
        format!(
            "[[entry]]\nname = \"odd\"\ntool = \"alerts\"\nargs = [{}]\non_calendar = \"daily\"\n",
            args.join(", ")
        ),
    );
    apply(&sandbox).expect_code(0);
    let text = fs::read_to_string(unit(&sandbox, "onejob-odd.service")).unwrap();
    let folder = tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(0o755))
        .tempdir()
        .unwrap();
    let line = text.lines().find(|line| line.starts_with("ExecStart=")).unwrap();
    let line = line.replace("/usr/local/bin/alerts", "/bin/true");
    fs::write(
        folder.path().join("odd.service"),
        format!("[Service]\nType=oneshot\n{line}\n"),
    )
    .unwrap();
    // The test mode of the user's manager prints what it read; it does not run as root.
    let manager = ["/lib/systemd/systemd", "--test", "--user", "--unit=odd.service"];
    let output = Command::new("setpriv")
        .args(if as_root() {
            &["--reuid=65534", "--regid=65534", "--clear-groups"][..]
        } else {
            &["--nnp"][..]
        })
        .args(manager)
        .env("XDG_RUNTIME_DIR", "/tmp")
        .env("HOME", folder.path())
        .env("SYSTEMD_UNIT_PATH", format!("{}:", folder.path().display()))
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let read = said
        .lines()
        .find_map(|line| line.trim().strip_prefix("Command Line: /bin/true "))
        .unwrap_or_else(|| panic!("{said}{}", String::from_utf8_lossy(&output.stderr)));
    let read: Vec<String> = words(read)
        .into_iter()
        .map(|word| word.replace("$$", "$"))
        .collect();
    assert_eq!(read, odd);
}

fn as_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0)
}

/// Words as systemd prints them: what needs no quotes stands without, in the others a backslash comes before `"`, `\`,
/// `` ` `` and `$`, and a tab is `\t`.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut inside) = (Vec::new(), None::<String>, false);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' if !inside => words.extend(word.take()),
            '"' => {
                inside = !inside;
                word.get_or_insert_default();
            }
            '\\' if inside => {
                let c = match chars.next().unwrap() {
                    't' => '\t',
                    other => other,
                };
                word.get_or_insert_default().push(c);
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

#[test]
fn a_second_apply_changes_nothing_and_what_was_changed_by_hand_stops_it() {
    let sandbox = host(&["site_monitor", "alerts"]);
    sandbox.file("schedule.toml", SITES);
    let first = apply(&sandbox).expect_code(0).json();
    assert!(changes(&first).iter().all(|(_, change)| change == "create"));
    let again = apply(&sandbox).expect_code(0).json();
    assert!(
        changes(&again).iter().all(|(_, change)| change == "keep"),
        "{again}"
    );
    assert_eq!(
        again["steps"].as_array().unwrap().len(),
        2,
        "only the secrets: {again}"
    );

    // A new name: the old units go. A unit of somebody else with such a name stays.
    sandbox.file("image/etc/systemd/system/onejob-mine.service", "[Service]\n");
    sandbox.file("schedule.toml", SITES.replace("\"sites\"", "\"shops\""));
    let renamed = apply(&sandbox).expect_code(0).json();
    let gone: Vec<_> = changes(&renamed)
        .into_iter()
        .filter(|(_, change)| change == "remove")
        .collect();
    assert_eq!(gone.len(), 2, "{renamed}");
    assert!(!unit(&sandbox, "onejob-sites.timer").exists() && unit(&sandbox, "onejob-mine.service").exists());

    let edited = unit(&sandbox, "onejob-shops.service");
    let text = fs::read_to_string(&edited)
        .unwrap()
        .replace("UMask=0077", "UMask=0022");
    fs::write(&edited, &text).unwrap();
    sandbox.file("schedule.toml", SITES.replace("\"sites\"", "\"third\""));
    let stopped = apply(&sandbox).expect_code(73);
    assert!(
        stopped.stderr.contains("onejob-shops.service") && stopped.stderr.contains("drop-in"),
        "{}",
        stopped.stderr
    );
    assert_eq!(fs::read_to_string(&edited).unwrap(), text);
    assert!(!unit(&sandbox, "onejob-third.service").exists());

    fs::remove_file(&edited).unwrap();
    run(&sandbox, &["remove", "--root", "image"]).expect_code(0);
    let left: Vec<_> = fs::read_dir(sandbox.path("image/etc/systemd/system"))
        .unwrap()
        .flatten()
        .map(|e| e.file_name())
        .collect();
    assert_eq!(left, ["onejob-mine.service"]);
}

#[test]
fn secrets_on_command_lines_and_lines_that_would_become_settings_are_refused() {
    let sandbox = host(&["alerts"]);
    sandbox.file(
        "schedule.toml",
        "[[entry]]\nname = \"a\"\ntool = \"alerts\"\nargs = [\"--api-token\", \"CANARY\"]\ninterval = \"1h\"\n\
         [[entry]]\nname = \"b\"\ntool = \"alerts\"\nargs = [\"x\\nExecStartPre=/bin/sh\"]\ninterval = \"-1h\"\n\
         [[entry]]\nname = \"a\"\ntool = \"../evil\"\non_calendar = \"daily\"\ntimezone = \"Mars/Base\"\nwrite_paths = [\"/a b\"]\nmemory = \"lots\"\n\
         [[entry]]\nname = \"c\"\ntool = \"alerts\"\nenv = {SMTP_PASSWORD = \"CANARY\"}\npersistent = true\ninterval = \"1h\"\n",
    );
    let failed = apply(&sandbox).expect_code(2);
    for line in [
        "`a`: `args`: `--api-token` hands a secret over where everybody sees it",
        "`b`: `args` has a control character",
        "`b`: `interval` is not a length of time",
        "`a`: the name stands twice",
        "`a`: `../evil` is not the name of a tool",
        "`a`: `Mars/Base` is not a time zone",
        "`a`: `write_paths`: `/a b` is not a plain absolute path",
        "`a`: `memory` is not a size",
        "`c`: `env`: `SMTP_PASSWORD` is a secret",
        "`c`: `persistent` makes up for missed calendar times",
    ] {
        assert!(failed.stderr.contains(line), "no `{line}` in {}", failed.stderr);
    }
    assert!(!failed.stderr.contains("CANARY"));
}

#[test]
fn what_is_shipped_is_without_fault() {
    let shipped: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared-config/schedule.toml");
    let sandbox = host(&["site_monitor", "alerts"]);
    let judged = run(&sandbox, &["check", "-s", shipped.to_str().unwrap()])
        .expect_code(0)
        .json();
    assert!(judged["judgements"].as_array().unwrap().len() >= 5, "{judged}");
}
