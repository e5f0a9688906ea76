//! The tool from outside, against a mail server that refuses what a strict one refuses.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

use std::{collections::HashSet, path::PathBuf, time::Duration};

use mail_parser::MessageParser;
use serde_json::Value;
use testkit::{
    Finished, Sandbox, SmtpRules, SmtpServer,
    smtp::{SmtpFault, Taken},
};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../fixtures/mail");

fn tool() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_email_sender"))
}

fn run(host: &Sandbox, args: &[&str]) -> Finished {
    let all: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
    host.run(&tool(), &all)
}

/// A host whose settings allow quillmoss.example, and know this server.
fn host(server: &SmtpServer, more: &str) -> Sandbox {
    let host = Sandbox::new().unwrap();
    let authority = host.root().join("authority.pem");
    server.write_authority(&authority);
    let settings = format!(
        "[tools.email_sender.settings]\nfrom = [\"Quillmoss <news@quillmoss.example>\"]\nallow = [\"quillmoss.example\"]\n\
         per_second = 0\ntimeout_s = 10\nlast_timeout_s = 10\n{more}"
    );
    host.file("shared-config/onejob.toml", settings);
    host.env("SSL_CERT_FILE", authority.display().to_string())
        .env("SMTP_HOST", "127.0.0.1")
        .env("SMTP_PORT", server.port().to_string())
        .env("SMTP_USERNAME", "news@quillmoss.example")
        .env("SMTP_PASSWORD", "secret-word")
}

fn with_faults(faults: &[SmtpFault]) -> SmtpServer {
    SmtpServer::start(SmtpRules {
        faults: faults.to_vec(),
        ..SmtpRules::default()
    })
}

/// A list of `count` recipients, and the line that sends to it.
fn list(host: &Sandbox, count: usize) -> [&'static str; 9] {
    let rows: Vec<String> = (0..count)
        .map(|i| format!("r{i:04}@shop.example,Name {i}"))
        .collect();
    host.file("list.csv", format!("email,name\n{}\n", rows.join("\n")));
    host.file("letter.txt", "Hello {{ name }}\n");
    [
        "send",
        "letter.txt",
        "--to",
        "list.csv",
        "--subject",
        "Tea",
        "--key",
        "spring-1",
        "--apply",
    ]
}

fn recipients(taken: &[Taken]) -> Vec<String> {
    taken.iter().flat_map(|one| one.to.clone()).collect()
}

fn output(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout)
        .unwrap_or_else(|_| panic!("{}\n{}", finished.stdout, finished.stderr))
}

#[test]
fn one_allowed_recipient_gets_the_letter_at_once_and_nobody_else() {
    let server = SmtpServer::start(SmtpRules::default());
    let host = host(&server, "");
    let said = run(
        &host,
        &[
            "send",
            "--to",
            "ina@quillmoss.example",
            "--name",
            "Инна",
            "--subject",
            "Grüße {{ name }}",
            "--body",
            "Hi {{ name }}\n.\n",
        ],
    )
    .expect_code(0);
    assert_eq!(output(&said)["receipt"], "250 2.0.0 taken as 1");
    let taken = server.taken();
    assert!(taken[0].encrypted && server.logins() == 1);
    assert_eq!(
        (taken[0].from.as_str(), taken[0].to.join(",").as_str()),
        ("news@quillmoss.example", "ina@quillmoss.example")
    );
    let message = MessageParser::default().parse(&taken[0].source).unwrap();
    assert_eq!(message.subject(), Some("Grüße Инна"));
    assert_eq!(
        message.body_text(0).unwrap().replace("\r\n", "\n").trim_end(),
        "Hi Инна\n."
    );
    let refused = run(
        &host,
        &[
            "send",
            "--to",
            "max@other.example",
            "--subject",
            "x",
            "--body",
            "y",
        ],
    )
    .expect_code(77);
    assert!(refused.stderr.contains("allow"), "{}", refused.stderr);
    run(
        &host,
        &[
            "send",
            "--to",
            "ina@quillmoss.example",
            "--from",
            "boss@other.example",
            "--body",
            "y",
        ],
    )
    .expect_code(77);
    run(
        &host,
        &[
            "send",
            "--to",
            "ina@quillmoss.example",
            "--subject",
            "A\nBcc: x@y.example",
            "--body",
            "y",
        ],
    )
    .expect_code(2);
    let planned = run(
        &host,
        &[
            "send",
            "--to",
            "ina@quillmoss.example",
            "--body",
            "y",
            "--dry-run",
        ],
    )
    .expect_code(0);
    assert_eq!(output(&planned)["planned"], true);
    assert_eq!((server.count(), server.misdeeds()), (1, Vec::new()));
    for text in [&said.stdout, &said.stderr, &refused.stderr] {
        assert!(
            !text.contains("secret-word") && !text.contains("Hi Инна"),
            "{text}"
        );
    }
}

#[test]
fn a_list_is_planned_and_then_everybody_gets_it_once() {
    let server = SmtpServer::start(SmtpRules::default());
    let host = host(&server, "");
    host.file(
        "list.csv",
        std::fs::read(format!("{FIXTURES}/csv-from-excel/recipients.csv")).unwrap(),
    );
    host.file("letter.html", "<p>Hello {{ name }} in {{ row['Город'] }}</p>");
    let line = |more: &[&'static str]| {
        let mut all = vec![
            "send",
            "letter.html",
            "--to",
            "list.csv",
            "--subject",
            "For {{ name }}",
            "--key",
            "spring-1",
        ];
        all.extend(more);
        all
    };
    let planned = run(&host, &line(&[])).expect_code(3);
    let report = output(&planned);
    assert_eq!(
        (&report["sent"], &report["skipped"], &report["invalid"]),
        (&4.into(), &4.into(), &1.into())
    );
    assert!(
        report["warnings"].to_string().contains("no preflight was made"),
        "{report}"
    );
    let refused = run(&host, &line(&["--apply"])).expect_code(2);
    assert!(refused.stderr.contains("lines 9"), "{}", refused.stderr);
    assert_eq!(server.count(), 0);
    run(&host, &line(&["--apply", "--skip-invalid"])).expect_code(0);
    let mut got = recipients(&server.taken());
    got.sort();
    assert_eq!(
        got,
        [
            "ina@quillmoss.example",
            "max+tag@quillmoss.example",
            "max@quillmoss.example",
            "olga@xn--bcher-kva.example"
        ]
    );
    let again = run(&host, &line(&["--apply", "--skip-invalid"])).expect_code(0);
    assert_eq!(
        (&output(&again)["sent"], &output(&again)["earlier"]),
        (&0.into(), &4.into())
    );
    host.file("letter.html", "<p>Another letter</p>");
    run(&host, &line(&["--apply", "--skip-invalid"])).expect_code(73);
    let status = output(&run(&host, &["status", "spring-1"]).expect_code(0));
    assert_eq!(status["counts"]["sent"], 4);
    assert_eq!((server.count(), server.misdeeds()), (4, Vec::new()));
    // A list without a key could not be gone on with.
    run(
        &host,
        &[
            "send",
            "letter.html",
            "--to",
            "list.csv",
            "--subject",
            "x",
            "--apply",
        ],
    )
    .expect_code(2);
}

#[test]
fn bad_addresses_are_suppressed_and_policy_is_not() {
    let server = with_faults(&[
        SmtpFault::answer("RCPT", "550 5.1.1 no such user").for_recipient("r0001@"),
        SmtpFault::answer("RCPT", "550 5.7.1 blocked").for_recipient("r0002@"),
        SmtpFault::answer("RCPT", "450 4.2.0 greylisted").for_recipient("r0003@"),
    ]);
    let host = host(&server, "");
    let line = list(&host, 6);
    let report = output(&run(&host, &line).expect_code(3));
    assert_eq!(
        (&report["sent"], &report["failed"], &report["deferred"]),
        (&3.into(), &2.into(), &1.into())
    );
    assert!(report["again_at"].is_string());
    let suppressed = output(&run(&host, &["suppress", "list"]).expect_code(0));
    assert_eq!(suppressed["count"], 1);
    assert_eq!(suppressed["addresses"][0]["address"], "r0001@shop.example");
    assert_eq!(suppressed["addresses"][0]["reason"], "hard");
    // The same day, another campaign: who does not exist is left out at the plan and at the sending.
    let other = [
        "send",
        "letter.txt",
        "--to",
        "list.csv",
        "--subject",
        "Tea",
        "--key",
        "spring-2",
        "--apply",
    ];
    let report = output(&run(&host, &other).expect_code(3));
    assert_eq!((&report["suppressed"], &report["sent"]), (&1.into(), &3.into()));
    let status = output(&run(&host, &["status", "spring-2", "--state", "suppressed"]).expect_code(0));
    assert_eq!(status["deliveries"][0]["address"], "r0001@shop.example");
    assert_eq!(server.misdeeds(), Vec::<String>::new());
}

#[test]
fn what_was_lost_after_the_dot_is_undecided_until_somebody_settles_it() {
    let server = with_faults(&[
        SmtpFault {
            kept: true,
            ..SmtpFault::close(".")
        }
        .for_recipient("r0001@"),
        SmtpFault::close("DATA").for_recipient("r0002@"),
    ]);
    let host = host(&server, "connections = 1\n");
    let line = list(&host, 5);
    let report = output(&run(&host, &line).expect_code(3));
    assert_eq!(
        (&report["sent"], &report["undecided"], &report["deferred"]),
        (&3.into(), &1.into(), &1.into())
    );
    run(&host, &line).expect_code(3);
    let got = recipients(&server.taken());
    assert_eq!(
        got.iter().filter(|to| to.starts_with("r0001@")).count(),
        1,
        "{got:?}"
    );
    run(&host, &["resolve", "spring-1", "r0000@shop.example", "failed"]).expect_code(73);
    run(&host, &["resolve", "spring-1", "nobody@shop.example", "sent"]).expect_code(66);
    run(&host, &["resolve", "spring-1", "R0001@shop.example", "sent"]).expect_code(0);
    let status = output(&run(&host, &["status", "spring-1"]).expect_code(0));
    assert_eq!(
        (&status["counts"]["sent"], &status["counts"]["undecided"]),
        (&4.into(), &Value::Null)
    );
}

#[test]
fn three_refusals_of_the_letter_end_the_run() {
    let server = with_faults(&[SmtpFault::answer(".", "554 5.7.1 spam")]);
    let host = host(&server, "connections = 1\n");
    let line = list(&host, 9);
    let ended = run(&host, &line).expect_code(69);
    let status = output(&run(&host, &["status", "spring-1"]).expect_code(0));
    assert_eq!(
        (&status["counts"]["failed"], &status["counts"]["planned"]),
        (&3.into(), &6.into())
    );
    assert_eq!(
        output(&run(&host, &["suppress", "list"]).expect_code(0))["count"],
        0
    );
    assert!(ended.stderr.contains("refuses the letter"), "{}", ended.stderr);
}

#[test]
fn nothing_is_sent_in_the_clear_or_into_a_tampered_connection() {
    let send = [
        "send",
        "--to",
        "ina@quillmoss.example",
        "--subject",
        "x",
        "--body",
        "y",
    ];
    let plain = SmtpServer::start(SmtpRules {
        starttls: false,
        ..SmtpRules::default()
    });
    let refused = run(&host(&plain, ""), &send).expect_code(69);
    assert!(refused.stderr.contains("STARTTLS"), "{}", refused.stderr);
    assert_eq!((plain.count(), plain.logins()), (0, 0));
    // Somebody between puts an answer behind the one to STARTTLS.
    let tampered = with_faults(&[SmtpFault::answer("STARTTLS", "250-evil\r\n250 AUTH PLAIN")]);
    run(&host(&tampered, ""), &send).expect_code(75);
    assert_eq!((tampered.count(), tampered.logins()), (0, 0));
    // A certificate that nobody vouches for.
    let server = SmtpServer::start(SmtpRules::default());
    let untrusted = host(&server, "");
    plain.write_authority(&untrusted.root().join("authority.pem"));
    run(&untrusted, &send).expect_code(75);
    let wrong = host(&server, "").env("SMTP_PASSWORD", "wrong-word");
    run(&wrong, &send).expect_code(77);
    assert_eq!(server.count(), 0);
    // On this host, when the operator says so, and without a login.
    let open = SmtpServer::start(SmtpRules {
        starttls: false,
        login_needed: false,
        ..SmtpRules::default()
    });
    run(&host(&open, "tls = \"none\"\n"), &send).expect_code(0);
    assert_eq!((open.count(), open.logins()), (1, 0));
}

#[test]
fn killed_again_and_again_nobody_gets_it_twice() {
    let server = SmtpServer::start(SmtpRules {
        delay: Duration::from_millis(1),
        ..SmtpRules::default()
    });
    let host = host(&server, "connections = 4\n");
    let line = list(&host, 400);
    let kills = 5;
    for round in 1..=kills {
        let started = host.start(&tool(), &line, b"");
        // Until it has sent something in this round, by the server's own count.
        let goal = server.count() + 20 * round;
        for _ in 0..3_000 {
            if server.count() >= goal.min(390) {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        started.signal("KILL");
        started.finish();
    }
    let last = run(&host, &line);
    let report = output(&last);
    let undecided = report["undecided"].as_u64().unwrap();
    assert!(undecided <= kills as u64 * 4, "{report}");
    let got = recipients(&server.taken());
    let once: HashSet<&String> = got.iter().collect();
    assert_eq!(got.len(), once.len(), "somebody got it twice");
    let status = output(&run(&host, &["status", "spring-1", "--state", "undecided"]).expect_code(0));
    assert_eq!(
        status["counts"]["sent"].as_u64().unwrap() + undecided,
        400,
        "{status}"
    );
    assert_eq!(status["counts"]["planned"], Value::Null);
    assert!(got.len() as u64 + undecided >= 400);
    assert_eq!(server.misdeeds(), Vec::<String>::new());
}

#[test]
fn hostile_rows_are_named_and_a_variable_that_is_not_there_too() {
    let server = SmtpServer::start(SmtpRules::default());
    let host = host(&server, "");
    host.file(
        "list.json",
        std::fs::read(format!("{FIXTURES}/header-injection/recipients.json")).unwrap(),
    );
    let line = [
        "send",
        "--to",
        "list.json",
        "--subject",
        "x",
        "--body",
        "Hi {{ name }}",
        "--key",
        "k",
        "--apply",
        "--skip-invalid",
    ];
    run(&host, &line).expect_code(0);
    for taken in server.taken() {
        let text = String::from_utf8(taken.source).unwrap();
        let head = text.split("\r\n\r\n").next().unwrap().to_lowercase();
        assert!(!head.contains("bcc") && !head.contains("evil"), "{head}");
    }
    assert_eq!((server.count(), server.misdeeds()), (2, Vec::new()));
    host.file("two.csv", "email,name,city\na@x.example,A,Bonn\nb@x.example,B\n");
    let line = [
        "send",
        "--to",
        "two.csv",
        "--subject",
        "x",
        "--body",
        "{{ town }}",
        "--key",
        "k2",
        "--apply",
    ];
    let refused = run(&host, &line).expect_code(2);
    assert!(
        refused.stderr.contains("line 2") && refused.stderr.contains("undefined"),
        "{}",
        refused.stderr
    );
    // A subject that a row makes into two lines.
    host.file(
        "evil.json",
        r#"[{"email": "a@x.example", "title": "A\r\nBcc: b@x.example"}]"#,
    );
    let line = [
        "send",
        "--to",
        "evil.json",
        "--subject",
        "{{ title }}",
        "--body",
        "x",
        "--key",
        "k3",
        "--apply",
    ];
    run(&host, &line).expect_code(2);
    assert_eq!(server.count(), 2);
}

#[test]
fn mjml_takes_nothing_from_outside_and_no_value_acts() {
    let server = SmtpServer::start(SmtpRules::default());
    let host = host(&server, "");
    host.copy_in(&PathBuf::from(format!("{FIXTURES}/mjml-traps")))
        .unwrap();
    let data: Value =
        serde_json::from_slice(&std::fs::read(format!("{FIXTURES}/mjml-traps/data.json")).unwrap()).unwrap();
    let with = |url: &str| {
        let mut row = data.clone();
        row["email"] = "ina@quillmoss.example".into();
        row["url"] = url.into();
        host.file("rows.json", serde_json::json!([row]).to_string());
    };
    let line = [
        "plan",
        "mail/letter.mjml",
        "--to",
        "rows.json",
        "--subject",
        "For {{ first_name }}",
        "--key",
        "k",
        "-o",
        "out",
        "--inline",
        "logo=mail/letter.mjml",
    ];
    with("https://quillmoss.example/");
    let refused = run(&host, &line).expect_code(2);
    assert!(refused.stderr.contains("leaves the folder"), "{}", refused.stderr);
    let letter = std::fs::read_to_string(host.path("mail/letter.mjml")).unwrap();
    host.file(
        "mail/letter.mjml",
        letter.replace("<mj-include path=\"../outside.mjml\" />", ""),
    );
    with("javascript:alert(1)");
    let refused = run(&host, &line).expect_code(2);
    assert!(refused.stderr.contains("`href`"), "{}", refused.stderr);
    assert!(!host.path("out").exists());
    with("https://quillmoss.example/");
    let report = output(&run(&host, &line).expect_code(0));
    assert!(
        report["warnings"].to_string().contains("scripts were taken out"),
        "{report}"
    );
    let raw = std::fs::read(host.path("out/0001-ina@quillmoss.example.eml")).unwrap();
    let message = MessageParser::default().parse(&raw).unwrap();
    let name = data["first_name"].as_str().unwrap();
    assert_eq!(message.subject(), Some(format!("For {name}").as_str()));
    let (html, text) = (message.body_html(0).unwrap(), message.body_text(0).unwrap());
    assert!(
        html.contains("&lt;b&gt;Ина &amp; &quot;Co&quot;&lt;") && !html.contains("<b>Ина"),
        "{html}"
    );
    assert!(
        html.contains("?a=1&amp;b=a%20b%26c\"") && !html.contains("<script") && html.contains("<br"),
        "{html}"
    );
    assert!(!html.contains("PRIVATE"), "{html}");
    assert!(
        text.contains(name) && text.contains("second line") && text.contains("a%20b%26c>"),
        "{text}"
    );
    let seen = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap()
        .to_owned();
    assert!(seen.ends_with("tea is back"), "{text}");
    assert_eq!(server.connections(), 0);
}

#[test]
fn bulk_mail_is_signed_with_its_links_and_a_link_is_good_for_one() {
    let server = SmtpServer::start(SmtpRules::default());
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519)
        .unwrap()
        .serialize_pem();
    let more = "unsubscribe_url = \"https://quillmoss.example/off\"\n[tools.email_sender.settings.dkim]\ndomain = \"quillmoss.example\"\nselector = \"s1\"\n";
    let host = host(&server, more)
        .env("DKIM_PRIVATE_KEY", key)
        .env("UNSUBSCRIBE_SECRET", "0123456789abcdef");
    let line = list(&host, 2);
    run(&host, &line).expect_code(0);
    assert_eq!((server.count(), server.misdeeds()), (2, Vec::new()));
    let text = String::from_utf8(server.taken()[0].source.clone()).unwrap();
    assert!(
        text.starts_with("DKIM-Signature: v=1; a=ed25519-sha256;"),
        "{text}"
    );
    assert!(
        text.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"),
        "{text}"
    );
    let link = text.split("\r\nList-Unsubscribe: <").nth(1).unwrap();
    let link = link.split('>').next().unwrap();
    let checked = output(&run(&host, &["unsubscribe_link", link]).expect_code(0));
    assert_eq!(checked["key"], "spring-1");
    assert!(checked["address"].as_str().unwrap().ends_with("@shop.example"));
    run(
        &host,
        &["unsubscribe_link", &link.replace("c=spring-1", "c=spring-2")],
    )
    .expect_code(2);
}

#[test]
fn who_wants_nothing_gets_nothing_whatever_a_list_says() {
    let server = SmtpServer::start(SmtpRules::default());
    let host = host(&server, "");
    run(
        &host,
        &[
            "suppress",
            "add",
            "INA@quillmoss.example",
            "--reason",
            "unsubscribed",
        ],
    )
    .expect_code(0);
    let send = [
        "send",
        "--to",
        "ina@quillmoss.example",
        "--subject",
        "x",
        "--body",
        "y",
    ];
    run(&host, &send).expect_code(77);
    host.file(
        "gone.csv",
        "email\nina@quillmoss.example\nmax@quillmoss.example\nwrong\n",
    );
    let imported = output(&run(&host, &["suppress", "import", "gone.csv"]).expect_code(3));
    assert_eq!(
        (&imported["changed"], &imported["count"], &imported["invalid"]),
        (&1.into(), &2.into(), &1.into())
    );
    host.file("bounce.eml", include_bytes!("../examples/bounce.eml"));
    let bounced = output(&run(&host, &["bounce", "bounce.eml"]).expect_code(0));
    assert_eq!(
        (&bounced["suppressed"], &bounced["recipients"][0]["hard"]),
        (&0.into(), &true.into())
    );
    run(
        &host,
        &["suppress", "remove", "ina@quillmoss.example", "--dry-run"],
    )
    .expect_code(0);
    run(&host, &send).expect_code(77);
    run(&host, &["suppress", "remove", "ina@quillmoss.example"]).expect_code(0);
    run(&host, &["suppress", "remove", "ina@quillmoss.example"]).expect_code(66);
    run(&host, &send).expect_code(0);
    assert_eq!(server.count(), 1);
}

#[test]
fn letters_outside_ascii_before_the_at_need_a_server_that_takes_them() {
    let send = [
        "send",
        "--to",
        "инна@quillmoss.example",
        "--subject",
        "x",
        "--body",
        "y",
        "--smtputf8",
    ];
    let without = SmtpServer::start(SmtpRules::default());
    let refused = run(&host(&without, ""), &send).expect_code(69);
    assert!(refused.stderr.contains("SMTPUTF8"), "{}", refused.stderr);
    run(&host(&without, ""), &send[..7]).expect_code(2);
    let with = SmtpServer::start(SmtpRules {
        smtputf8: true,
        ..SmtpRules::default()
    });
    run(&host(&with, ""), &send).expect_code(0);
    assert_eq!(recipients(&with.taken()), ["инна@quillmoss.example"]);
    assert_eq!((without.count(), with.misdeeds()), (0, Vec::new()));
}
