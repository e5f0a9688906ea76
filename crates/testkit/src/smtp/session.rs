//! One connection: commands in, answers out.

use std::{
    io::{BufRead as _, BufReader, Read, Write},
    net::TcpStream,
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::{ServerConnection, StreamOwned};

use super::{Shared, SmtpFault, Taken};

/// Longest line of a message, without its end.
const LONGEST_LINE: usize = 998;

enum Next {
    End,
    Tls,
}

#[derive(Default)]
struct Envelope {
    from: Option<String>,
    to: Vec<String>,
    eight_bit: bool,
    utf8: bool,
}

/// A stream with what the session knows of it.
struct Line<'a, S: Read + Write> {
    stream: BufReader<S>,
    shared: &'a Shared,
    encrypted: bool,
    logged_in: bool,
    envelope: Envelope,
}

pub(super) fn serve(tcp: TcpStream, shared: &Shared) {
    let _ = tcp.set_nodelay(true);
    let mut plain = Line::new(tcp, shared, false);
    if plain.answer("220 testkit ESMTP").is_none() {
        return;
    }
    if let Some(Next::Tls) = plain.session()
        && let Ok(connection) = ServerConnection::new(shared.tls.clone())
    {
        let tcp = plain.stream.into_inner();
        let mut encrypted = Line::new(StreamOwned::new(connection, tcp), shared, true);
        encrypted.session();
    }
}

impl<'a, S: Read + Write> Line<'a, S> {
    fn new(stream: S, shared: &'a Shared, encrypted: bool) -> Self {
        Self {
            stream: BufReader::new(stream),
            shared,
            encrypted,
            logged_in: false,
            envelope: Envelope::default(),
        }
    }

    fn answer(&mut self, text: &str) -> Option<()> {
        if !self.shared.rules.delay.is_zero() {
            thread::sleep(self.shared.rules.delay);
        }
        let stream = self.stream.get_mut();
        stream.write_all(format!("{text}\r\n").as_bytes()).ok()?;
        stream.flush().ok()
    }

    fn misdeed(&self, what: &str) {
        self.shared.state().misdeeds.push(what.to_owned());
    }

    fn line(&mut self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        let read = (&mut self.stream)
            .take(1 << 20)
            .read_until(b'\n', &mut line)
            .ok()?;
        (read > 0).then_some(line)
    }

    fn session(&mut self) -> Option<Next> {
        loop {
            let line = self.line()?;
            if !line.ends_with(b"\r\n") {
                self.misdeed("a command that does not end with CRLF");
            }
            let command = String::from_utf8_lossy(&line).trim_end().to_owned();
            let verb = command
                .split([' ', ':'])
                .next()
                .unwrap_or_default()
                .to_ascii_uppercase();
            let who = if verb == "RCPT" {
                path(&command)
            } else {
                self.envelope.to.first().cloned().unwrap_or_default()
            };
            if verb != "STARTTLS"
                && let Some(fault) = self.shared.fault(&verb, &who)
            {
                self.answer(fault.answer?)?;
                continue;
            }
            match verb.as_str() {
                "EHLO" => self.hello()?,
                "STARTTLS" if self.shared.rules.starttls && !self.encrypted => {
                    let stray = self.shared.fault("STARTTLS", "").and_then(|fault| fault.answer);
                    let stray = stray.map(|text| format!("\r\n{text}")).unwrap_or_default();
                    self.answer(&format!("220 2.0.0 go ahead{stray}"))?;
                    return Some(Next::Tls);
                }
                "AUTH" => self.login(&command)?,
                "MAIL" => self.mail(&command)?,
                "RCPT" if self.envelope.from.is_none() => self.answer("503 5.5.1 MAIL first")?,
                "RCPT" => {
                    self.envelope.to.push(path(&command));
                    self.answer("250 2.1.5 ok")?;
                }
                "DATA" if self.envelope.to.is_empty() => self.answer("503 5.5.1 no recipient")?,
                "DATA" => {
                    self.answer("354 end with a dot")?;
                    self.message()?;
                }
                "RSET" => {
                    self.envelope = Envelope::default();
                    self.answer("250 2.0.0 ok")?;
                }
                "NOOP" => self.answer("250 2.0.0 ok")?,
                "QUIT" => {
                    self.answer("221 2.0.0 bye")?;
                    return Some(Next::End);
                }
                _ => self.answer("500 5.5.2 not known here")?,
            }
        }
    }

    fn hello(&mut self) -> Option<()> {
        let rules = &self.shared.rules;
        let mut lines = vec!["testkit", "8BITMIME", "ENHANCEDSTATUSCODES"];
        for (offered, word) in [
            (rules.pipelining, "PIPELINING"),
            (rules.smtputf8, "SMTPUTF8"),
            (rules.starttls && !self.encrypted, "STARTTLS"),
            (self.encrypted, "AUTH PLAIN LOGIN"),
        ] {
            if offered {
                lines.push(word);
            }
        }
        let last = lines.len() - 1;
        let all: Vec<String> = lines
            .iter()
            .enumerate()
            .map(|(index, word)| format!("250{}{word}", if index == last { ' ' } else { '-' }))
            .collect();
        self.answer(&all.join("\r\n"))
    }

    fn login(&mut self, command: &str) -> Option<()> {
        if !self.encrypted {
            self.misdeed("AUTH in the clear");
            return self.answer("538 5.7.11 encryption needed");
        }
        let mut words = command.split_whitespace().skip(1);
        let kind = words.next().unwrap_or_default().to_ascii_uppercase();
        let first = words.next().map(str::to_owned);
        let given = match kind.as_str() {
            "PLAIN" => {
                let code = self.asked(first, "334 ")?;
                let text = decoded(&code);
                let mut parts = text.split('\0').skip(1).map(str::to_owned);
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
            }
            "LOGIN" => {
                let user = self.asked(first, "334 VXNlcm5hbWU6")?;
                let password = self.asked(None, "334 UGFzc3dvcmQ6")?;
                (decoded(&user), decoded(&password))
            }
            _ => return self.answer("504 5.5.4 not known here"),
        };
        if given == self.shared.rules.login {
            self.logged_in = true;
            self.shared.state().logins += 1;
            return self.answer("235 2.7.0 welcome");
        }
        self.answer("535 5.7.8 Authentication credentials invalid")
    }

    fn asked(&mut self, given: Option<String>, question: &str) -> Option<String> {
        if let Some(given) = given {
            return Some(given);
        }
        self.answer(question)?;
        Some(String::from_utf8_lossy(&self.line()?).trim().to_owned())
    }

    fn mail(&mut self, command: &str) -> Option<()> {
        let rules = &self.shared.rules;
        if rules.login_needed && !self.logged_in {
            return self.answer("530 5.7.0 log in first");
        }
        let upper = command.to_ascii_uppercase();
        let utf8 = upper.contains(" SMTPUTF8");
        if utf8 && !rules.smtputf8 {
            return self.answer("555 5.5.4 SMTPUTF8 is not offered");
        }
        self.envelope = Envelope {
            from: Some(path(command)),
            eight_bit: upper.contains("BODY=8BITMIME") || utf8,
            utf8,
            to: Vec::new(),
        };
        self.answer("250 2.1.0 ok")
    }

    fn message(&mut self) -> Option<()> {
        let (mut source, mut wrong) = (Vec::new(), Vec::new());
        loop {
            let line = self.line()?;
            if line == b".\r\n" {
                break;
            }
            let Some(text) = line.strip_suffix(b"\r\n") else {
                wrong.push("a bare line feed");
                source.extend_from_slice(&line);
                continue;
            };
            if text.contains(&b'\r') {
                wrong.push("a bare carriage return");
            }
            if text.len() > LONGEST_LINE {
                wrong.push("a line of more than 998 octets");
            }
            if !text.is_ascii() && !self.envelope.eight_bit {
                wrong.push("8-bit octets that were not announced");
            }
            source.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        let envelope = std::mem::take(&mut self.envelope);
        if !envelope.utf8 && envelope.to.iter().any(|to| !to.is_ascii()) {
            wrong.push("a path outside ASCII without SMTPUTF8");
        }
        let head = head(&source);
        if head.contains("\nlist-unsubscribe-post:") && !signs_unsubscribing(&head) {
            wrong.push("one-click headers that are not signed");
        }
        let id = header(&head, "message-id");
        let fault = self
            .shared
            .fault(".", envelope.to.first().map_or("", String::as_str));
        if let Some(what) = wrong.first() {
            self.misdeed(what);
            return self.answer(&format!("554 5.6.0 {what}"));
        }
        let kept = fault.as_ref().is_none_or(|fault| fault.kept);
        if kept {
            let fresh = id.is_empty() || self.shared.state().ids.insert(id);
            if !fresh {
                self.misdeed("the same Message-ID twice");
                return self.answer("554 5.6.0 the same Message-ID twice");
            }
            self.shared.state().taken.push(Taken {
                from: envelope.from.unwrap_or_default(),
                to: envelope.to,
                source,
                encrypted: self.encrypted,
            });
        }
        match fault {
            None => {
                let number = self.shared.state().taken.len();
                self.answer(&format!("250 2.0.0 taken as {number}"))
            }
            Some(SmtpFault {
                answer: Some(answer), ..
            }) => self.answer(answer),
            Some(_) => None,
        }
    }
}

fn decoded(code: &str) -> String {
    String::from_utf8_lossy(&STANDARD.decode(code).unwrap_or_default()).into_owned()
}

/// `MAIL FROM:<a@b> SIZE=10` -> `a@b`
fn path(command: &str) -> String {
    let inner = command
        .split_once('<')
        .and_then(|(_, rest)| rest.rsplit_once('>'));
    inner.map_or_else(String::new, |(path, _)| path.to_owned())
}

/// The header block in lower case, with folded lines joined, each behind a line feed.
fn head(source: &[u8]) -> String {
    let text = String::from_utf8_lossy(source).to_lowercase();
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    format!(
        "\n{}",
        head.replace("\r\n ", " ")
            .replace("\r\n\t", " ")
            .replace("\r\n", "\n")
    )
}

fn header(head: &str, name: &str) -> String {
    let found = head
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    found.unwrap_or_default().trim().to_owned()
}

fn signs_unsubscribing(head: &str) -> bool {
    let signed = header(head, "dkim-signature").replace(' ', "");
    let names = signed
        .split(';')
        .find_map(|tag| tag.strip_prefix("h="))
        .unwrap_or_default()
        .to_owned();
    ["list-unsubscribe", "list-unsubscribe-post"]
        .iter()
        .all(|name| names.split(':').any(|signed| signed == *name))
}
