//! Recorded cases with a mail server or a database: the new tool is given both, and what it left there is compared.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{path::Path, process::Command};

use serde_json::json;
use testkit::{Finished, Sandbox};

/// A tool that greets by mail and notes it in a table; its mistakes come by argument.
const TOOL: &str = r#"
import os, smtplib, sqlite3, ssl, sys
from email.message import EmailMessage
mistake = os.environ.get("MISTAKE", "")
message = EmailMessage()
message["From"], message["To"] = "shop@example.com", "anna@example.com"
message["Subject"] = "Grüße" if mistake != "subject" else "Gruß"
message.set_content("Hallo Zoë\n", cte="base64")
message["Message-ID"], message["Date"] = "<1@example.com>", "Sun, 22 Nov 2026 04:10:00 +0000"
try:
    with smtplib.SMTP(os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"])) as server:
        server.starttls(context=ssl.create_default_context())
        server.login("shop", "secret")
        for _ in range(2 if mistake == "twice" else 1):
            server.send_message(message)
    print("sent")
except (OSError, smtplib.SMTPException) as error:
    print("not sent:", type(error).__name__)
    sys.exit(1)
database = sqlite3.connect(os.environ["DATABASE_URL"].removeprefix("sqlite:"))
database.execute("CREATE TABLE sent (address TEXT, number INTEGER, extra TEXT)")
rows = [("anna@example.com", 1), ("bert@example.com", 2)]
for row in reversed(rows if mistake != "row" else rows[:1]):
    database.execute("INSERT INTO sent (address, number) VALUES (?, ?)", row)
database.commit()
"#;

fn python() -> String {
    let output = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn check(smtp: serde_json::Value, sent: bool, mistake: &str) -> Finished {
    let sandbox = Sandbox::new().unwrap();
    let script = sandbox.file("greet.py", TOOL);
    let tool = sandbox.file(
        "tools/greet",
        format!("#!/bin/sh\nexec {} {}\n", python(), script.display()),
    );
    std::fs::set_permissions(tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let source = "Content-Type: text/plain; charset=\"utf-8\"\nMIME-Version: 1.0\nContent-Transfer-Encoding: base64\n\
                  Subject: =?utf-8?b?R3LDvMOfZQ==?=\nFrom: shop@example.com\nTo: anna@example.com\n\nSGFsbG8gWm/Dqw==\n";
    let message =
        json!({"mail_from": "shop@example.com", "rcpt_tos": ["anna@example.com"], "source": source});
    let rows =
        json!([{"address": "anna@example.com", "number": 1}, {"address": "bert@example.com", "number": 2}]);
    let case = json!({
        "summary": "greets",
        "env": {"SMTP_HOST": "{{SMTP_HOST}}", "SMTP_PORT": "{{SMTP_PORT}}", "MYSQL_HOST": "{{MYSQL_HOST}}", "MISTAKE": mistake},
        "far_side": {"smtp": smtp, "mysql": {"schema": null}},
        "expected": {
            "exit_code": i32::from(!sent),
            "stdout": if sent { "sent\n" } else { "not sent: ConnectionRefusedError\n" },
            "smtp_message": if sent { message } else { serde_json::Value::Null },
            "messages_received": i32::from(sent),
            "sql_rows": {"sent": if sent { rows } else { json!([]) }},
        },
        "class": "exact", "verdict": "keep",
    });
    sandbox.file("cases/greet/one/case.json", case.to_string());
    let args = ["check", "--cases", "cases", "--tools-dir", "tools", "--text"];
    sandbox.run(Path::new(env!("CARGO_BIN_EXE_parity")), &args)
}

#[test]
fn mail_and_rows_are_compared_decoded_and_in_any_order() {
    let open = || json!({"starttls": true, "login_accepted": true, "refused_recipient": null});
    check(open(), true, "").expect_code(0);
    for (mistake, place) in [
        ("subject", "smtp.last.headers.subject"),
        ("twice", "smtp.received"),
        ("row", "sql.sent"),
    ] {
        let found = check(open(), true, mistake).expect_code(3);
        assert!(found.stdout.contains(place), "{mistake}: {}", found.stdout);
    }
}

#[test]
fn the_mail_server_behaves_as_it_did_when_it_was_recorded() {
    check(json!("nothing listens"), false, "").expect_code(0);
    for (rules, name) in [
        (json!({"starttls": false}), "SMTPNotSupportedError"),
        (json!({"login_accepted": false}), "SMTPAuthenticationError"),
        (
            json!({"refused_recipient": "anna@example.com"}),
            "SMTPRecipientsRefused",
        ),
    ] {
        let found = check(rules, false, "").expect_code(3);
        assert!(
            found.stdout.contains(&format!("observed \"not sent: {name}")),
            "{name}: {}",
            found.stdout
        );
    }
}

/// The script of the seeded faults, recorded with everything it does, and then run as the tool.
#[test]
fn a_recording_holds_requests_rows_mails_and_files() {
    let sandbox = Sandbox::new().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/report.py")
        .display()
        .to_string();
    sandbox.file("orders.csv", "1;Tee;2.50\n2;Kaffee;3.00\n3;Crème brûlée;4.25\n");
    sandbox.file(
        "routes.json",
        r#"[{"method": "GET", "path": "/orders", "responses": [{"body_json": []}]},
            {"method": "POST", "path": "/push", "responses": [{"status": 200}]}]"#,
    );
    let control = format!("{} -S {script}", python());
    let parity = |args: &[&str]| sandbox.run(Path::new(env!("CARGO_BIN_EXE_parity")), args);
    let record = [
        "record",
        "report",
        "cases/report/all",
        "--control",
        &control,
        "--effects",
        "sends",
        "--far-side",
        "routes.json",
        "--smtp",
        "--sqlite",
        "orders.db",
        "--normalise",
        "uuid",
        "--env",
        "LIMIT=",
        "--",
        "orders.csv",
        "--server",
        "{{SERVER_HOST}}:{{SERVER_PORT}}",
        "--smtp",
        "{{SMTP_HOST}}:{{SMTP_PORT}}",
    ];
    let recorded = parity(&record).expect_code(0).json();
    assert_eq!(
        (
            recorded["requests"].as_u64(),
            recorded["mails"].as_u64(),
            recorded["files"].as_u64()
        ),
        (Some(2), Some(1), Some(2))
    );
    let check = |fault: &str| {
        let text = format!("#!/bin/sh\nexec {control} --fault '{fault}' \"$@\"\n");
        let tool = sandbox.file("tools/report", text);
        std::fs::set_permissions(tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        parity(&["check", "--cases", "cases", "--tools-dir", "tools", "--text"])
    };
    check("").expect_code(0);
    for (fault, place) in [
        ("missing_row", "sql orders.db:orders[2]: "),
        ("extra_row", "sql orders.db:log.rows: "),
        ("duplicate_send", "smtp +mail to"),
        ("mail_text", "smtp[0].text[0]:2"),
        ("missing_header", "http[0].headers.x-client: "),
        ("query_order", "http[0].query: "),
        ("extra_request", "http +GET /health: "),
        ("file_mode", "file out/summary.json.mode: "),
        ("extra_file", "file out/debug.log: "),
        ("deleted_input", "file orders.csv: "),
        ("stderr_for_stdout", "stdout: "),
        ("float_format", "stdout:1"),
        ("exit_code", "exit: "),
    ] {
        let found = check(fault).expect_code(3);
        assert!(found.stdout.contains(place), "{fault}: {}", found.stdout);
    }
}
