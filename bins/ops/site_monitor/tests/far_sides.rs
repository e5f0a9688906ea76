//! Certificates over real TLS, and alerts by Telegram and mail, all on loopback.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    path::Path,
    sync::{Arc, Mutex},
    thread,
};

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use testkit::{Finished, Reply, Route, Sandbox, Site};

fn run(sandbox: &Sandbox, args: &[&str]) -> Finished {
    sandbox.run(Path::new(env!("CARGO_BIN_EXE_site_monitor")), args)
}

/// Serves `hi` over TLS with a certificate for `localhost` that is valid from `from` to `to` days from now.
/// Returns the port and the certificate as PEM.
fn tls_site(from: i64, to: i64) -> (u16, String) {
    tls_answering("200 OK", from, to)
}

fn tls_answering(status: &'static str, from: i64, to: i64) -> (u16, String) {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let day = |days: i64| {
        let at = app_core::Clock::System.now() + jiff::SignedDuration::from_hours(24 * days);
        let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
        rcgen::date_time_ymd(i32::from(date.year()), date.month() as u8, date.day() as u8)
    };
    (params.not_before, params.not_after) = (day(from), day(to));
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = config.clone();
            thread::spawn(move || {
                let Ok(connection) = rustls::ServerConnection::new(config) else {
                    return;
                };
                let mut tls = rustls::StreamOwned::new(connection, stream);
                let mut request = [0; 4096];
                // A client that refuses the certificate ends the handshake here.
                if tls.read(&mut request).is_ok() {
                    let answer =
                        format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi");
                    let _ = tls.write_all(answer.as_bytes());
                    tls.conn.send_close_notify();
                    let _ = tls.flush();
                }
            });
        }
    });
    (port, certificate.pem())
}

#[test]
fn a_certificate_about_to_expire_is_a_warning_beside_a_healthy_site() {
    let (port, pem) = tls_site(-1, 10);
    let sandbox = Sandbox::new().unwrap();
    let ca = sandbox.file("ca.pem", pem);
    let sandbox = sandbox.env("SSL_CERT_FILE", ca.display().to_string());
    sandbox.file(
        "sites.yml",
        format!("sites:\n- url: https://localhost:{port}/\nfailure_threshold: 1\n"),
    );
    let round = run(&sandbox, &["check_all", "-c", "sites.yml"])
        .expect_code(0)
        .json();
    let days = round["sites"][0]["certificate_days"].as_f64().unwrap();
    assert!((8.0..=10.0).contains(&days), "{days}");
    assert!(round["sites"][0]["timings"]["tls_ms"].is_f64());
    assert_eq!(round["alerts"].as_array().unwrap().len(), 1);
    assert_eq!(round["alerts"][0]["condition"], "[CERTIFICATE_DAYS] > 14");
    assert_eq!(round["alerts"][0]["severity"], "warning");
}

/// Field case `cert_and_outage_together`.
#[test]
fn an_outage_and_a_certificate_are_two_incidents_and_neither_speaks_twice() {
    let (port, pem) = tls_answering("503 Service Unavailable", -1, 20);
    let sandbox = Sandbox::new().unwrap();
    let ca = sandbox.file("ca.pem", pem);
    let sandbox = sandbox.env("SSL_CERT_FILE", ca.display().to_string());
    sandbox.file(
        "sites.yml",
        format!(
            "sites:\n- {{url: \"https://localhost:{port}/\", timeout_secs: 2, conditions: [{{when: \"[CERTIFICATE_DAYS] > 21\", severity: warning}}, \"[STATUS] == 200\"]}}\nfailure_threshold: 1\nreminder_minutes: 1\n"
        ),
    );
    let told = |round: &serde_json::Value| -> Vec<(String, String, String)> {
        let word = |alert: &serde_json::Value, name: &str| alert[name].as_str().unwrap().to_owned();
        let alerts = round["alerts"].as_array().unwrap();
        alerts
            .iter()
            .map(|a| (word(a, "occasion"), word(a, "severity"), word(a, "condition")))
            .collect()
    };
    let round = |sandbox: &Sandbox| {
        run(sandbox, &["check_all", "-c", "sites.yml"])
            .expect_code(3)
            .json()
    };
    let first = round(&sandbox);
    let expected = [
        ("critical", "[STATUS] == 200"),
        ("warning", "[CERTIFICATE_DAYS] > 21"),
    ]
    .map(|(severity, condition)| ("failing".to_owned(), severity.to_owned(), condition.to_owned()));
    assert_eq!(told(&first), expected);
    for _ in 0..5 {
        assert_eq!(told(&round(&sandbox)), []);
    }
}

#[test]
fn an_expired_or_foreign_certificate_is_an_outage_in_the_tls_stage() {
    let (port, pem) = tls_site(-20, -3);
    let (foreign, _) = tls_site(-1, 90);
    let sandbox = Sandbox::new().unwrap();
    let ca = sandbox.file("ca.pem", pem);
    let sandbox = sandbox.env("SSL_CERT_FILE", ca.display().to_string());
    for port in [port, foreign] {
        let record = run(&sandbox, &["check", &format!("https://localhost:{port}/")])
            .expect_code(3)
            .json();
        assert_eq!(record["cause"], "tls", "{record}");
        assert_eq!(record["is_healthy"], false);
    }
}

#[test]
fn an_alert_reaches_telegram_and_the_token_reaches_no_log() {
    const TOKEN: &str = "4242:secret-bot-token";
    let answer = |status| Reply {
        status: Some(status),
        ..Reply::default()
    };
    let route = |method: &str, path: &str, status| Route {
        method: method.into(),
        path: path.into(),
        query: None,
        responses: vec![answer(status)],
    };
    let site = Site::routes(vec![
        route("GET", "/", 500),
        route("POST", &format!("/bot{TOKEN}/sendMessage"), 200),
    ])
    .unwrap();
    let sandbox = Sandbox::new()
        .unwrap()
        .env("TELEGRAM_BOT_TOKEN", TOKEN)
        .env("ONEJOB_LOG", "trace");
    let yaml = |api: &str| {
        format!(
            "sites:\n- {{url: '{}/', name: Shop}}\nfailure_threshold: 1\nalerts: {{telegram_chat: -1001, telegram_api: '{api}'}}\n",
            site.url()
        )
    };
    sandbox.file("sites.yml", yaml(&site.url()));
    run(&sandbox, &["check_all", "-c", "sites.yml"]).expect_code(3);
    let sent = site
        .requests()
        .into_iter()
        .find(|r| r.path.contains("sendMessage"))
        .unwrap();
    let body: serde_json::Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(
        (
            body["chat_id"].as_str(),
            body["text"].as_str().unwrap().starts_with("🚨 Shop fails")
        ),
        (Some("-1001"), true)
    );
    // Nobody listens there: the alert is reported as undelivered, without the address that holds the token.
    sandbox.file("other.yml", yaml("http://127.0.0.1:9"));
    let failed = run(&sandbox, &["check_all", "-c", "other.yml"]).expect_code(3);
    assert!(
        failed.stdout.contains("the Bot API cannot be reached"),
        "{}",
        failed.stdout
    );
    assert!(!failed.stdout.contains("secret-bot-token") && !failed.stderr.contains("secret-bot-token"));
}

#[test]
fn an_alert_is_handed_to_the_mail_server() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let mail = Arc::new(Mutex::new(String::new()));
    let kept = mail.clone();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut out = stream.try_clone().unwrap();
        out.write_all(b"220 test ESMTP\r\n").unwrap();
        let mut in_data = false;
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            kept.lock().unwrap().push_str(&format!("{line}\n"));
            let answer: &[u8] = match line.split(' ').next().unwrap_or_default() {
                "." if in_data => {
                    in_data = false;
                    b"250 queued\r\n"
                }
                _ if in_data => continue,
                "DATA" => {
                    in_data = true;
                    b"354 go on\r\n"
                }
                "QUIT" => b"221 bye\r\n",
                _ => b"250 ok\r\n",
            };
            if out.write_all(answer).is_err() || line == "QUIT" {
                break;
            }
        }
    });
    let sandbox = Sandbox::new()
        .unwrap()
        .env("SMTP_HOST", "127.0.0.1")
        .env("SMTP_PORT", port.to_string())
        .env("SMTP_USERNAME", "monitor@shop.example");
    sandbox.file(
        "sites.yml",
        "sites:\n- {url: 'http://127.0.0.1:9/', name: Shop}\nfailure_threshold: 1\nalerts: {email: [ops@shop.example]}\n",
    );
    let round = run(&sandbox, &["check_all", "-c", "sites.yml"])
        .expect_code(3)
        .json();
    assert_eq!(round["undelivered"], serde_json::json!([]));
    server.join().unwrap();
    let mail = mail.lock().unwrap().clone();
    assert!(
        mail.contains("RCPT TO:<ops@shop.example>") && mail.contains("Subject: [down] 1 alert"),
        "{mail}"
    );
}
