//! A message as bytes (RFC 5322, RFC 2045 to 2049): text, HTML, inline pictures, attachments.
//!
//! The same letter always gives the same bytes: boundaries come from what it says. Everything is ASCII in short lines,
//! but for addresses that need SMTPUTF8.

use app_core::files::sha256;
use jiff::Timestamp;

use crate::{
    address::Mailbox,
    encoding::{base64_lines, text},
    header::{Block, HeaderText},
    parameter::{FileName, disposition},
    scan::{ScanError, scan},
};

/// A file that goes with a letter.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// How a reader calls it.
    pub name: FileName,
    /// `type/subtype`.
    pub media_type: MediaType,
    /// What the HTML calls it: `cid:logo`. With one it is shown in the letter, without one it is attached.
    pub content_id: Option<ContentId>,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// `type/subtype` of known shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType(String);

impl MediaType {
    /// Takes a type. What is none counts as bytes of unknown kind; a message or a multipart, which may not be base64, too.
    pub fn new(text: &str) -> Self {
        let token = |part: &str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c))
        };
        let known = text
            .split_once('/')
            .is_some_and(|(kind, sub)| token(kind) && token(sub) && !matches!(kind, "message" | "multipart"));
        Self(if known { text } else { "application/octet-stream" }.to_owned())
    }
}

/// A name within a letter: letters, digits, `.`, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentId(String);

impl ContentId {
    /// `None` for any other name.
    pub fn new(text: &str) -> Option<Self> {
        let fits = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        (!text.is_empty() && text.len() <= 64 && text.chars().all(fits)).then(|| Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a letter says, to one recipient.
#[derive(Clone, Debug)]
pub struct Letter<'a> {
    /// Who writes.
    pub from: &'a Mailbox,
    /// Who gets it.
    pub to: &'a Mailbox,
    /// Where answers go.
    pub reply_to: Option<&'a Mailbox>,
    /// What it is about.
    pub subject: &'a HeaderText,
    /// When it was written.
    pub date: Timestamp,
    /// What tells it from all others, without the domain; see [`message_id`].
    pub id: &'a str,
    /// The text.
    pub text: &'a str,
    /// The same as HTML.
    pub html: Option<&'a str>,
    /// Where one takes oneself off the list.
    pub unsubscribe: Option<&'a Unsubscribe>,
    /// What goes with it.
    pub attachments: &'a [Attachment],
}

/// Ways off a list (RFC 2369, RFC 8058); made by [`crate::unsubscribe`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscribe {
    /// Address of a page, ASCII without spaces and angle brackets.
    pub(crate) url: String,
    /// Whether a POST to it takes one off at once. Counts only when signed.
    pub(crate) one_click: bool,
}

/// A part: its headers and lines.
struct Part {
    head: String,
    body: Vec<u8>,
}

impl Letter<'_> {
    /// The bytes, checked by [`scan`].
    pub fn bytes(&self) -> Result<Vec<u8>, ScanError> {
        let mut block = Block::default();
        let date = self.date.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
        block.made("Date", &date);
        block.mailbox("From", self.from);
        block.mailbox("To", self.to);
        if let Some(reply_to) = self.reply_to {
            block.mailbox("Reply-To", reply_to);
        }
        block.text("Subject", self.subject);
        let id = message_id(self.id, self.from.address.domain());
        block.made("Message-ID", &format!("<{id}>"));
        if let Some(unsubscribe) = self.unsubscribe {
            block.made("List-Unsubscribe", &format!("<{}>", unsubscribe.url));
            if unsubscribe.one_click {
                block.made("List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
            }
        }
        block.made("MIME-Version", "1.0");
        let (mut bytes, mut names) = block.finish();
        let body = self.body();
        for line in body.head.split("\r\n").filter(|line| !line.starts_with(' ')) {
            names.extend(
                ["Content-Type", "Content-Transfer-Encoding"]
                    .into_iter()
                    .filter(|name| line.starts_with(&format!("{name}:"))),
            );
        }
        bytes.extend_from_slice(body.head.as_bytes());
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&body.body);
        if !bytes.ends_with(b"\r\n") {
            bytes.extend_from_slice(b"\r\n");
        }
        let utf8 = self.to.address.needs_smtputf8() || self.from.address.needs_smtputf8();
        scan(&bytes, &names, utf8)?;
        Ok(bytes)
    }

    fn body(&self) -> Part {
        let (inline, attached): (Vec<_>, Vec<_>) =
            self.attachments.iter().partition(|one| one.content_id.is_some());
        let mut body = text_part("plain", self.text);
        if let Some(html) = self.html {
            let mut html = text_part("html", html);
            if !inline.is_empty() {
                let parts = std::iter::once(html).chain(inline.iter().map(|one| file_part(one)));
                html = self.multipart("related; type=\"text/html\"", parts.collect());
            }
            body = self.multipart("alternative", vec![body, html]);
        }
        // Without HTML nothing can show them: they are attached like the rest.
        let loose = if self.html.is_some() { Vec::new() } else { inline };
        let files: Vec<Part> = loose.into_iter().chain(attached).map(file_part).collect();
        if files.is_empty() {
            return body;
        }
        self.multipart("mixed", std::iter::once(body).chain(files).collect())
    }

    fn multipart(&self, kind: &str, parts: Vec<Part>) -> Part {
        let mut seed = format!("{kind}\n{}\n", self.id).into_bytes();
        for part in &parts {
            seed.extend_from_slice(sha256(&part.body).as_bytes());
        }
        // `=_` stands in no quoted-printable and in no base64 text.
        let boundary = format!("=_{}", &sha256(&seed)[..32]);
        let mut body = Vec::new();
        for part in parts {
            body.extend_from_slice(format!("--{boundary}\r\n{}\r\n", part.head).as_bytes());
            body.extend_from_slice(&part.body);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        Part {
            head: format!("Content-Type: multipart/{kind};\r\n boundary=\"{boundary}\"\r\n"),
            body,
        }
    }
}

/// `id@domain`, for a letter of this domain.
pub fn message_id(id: &str, domain: &str) -> String {
    format!("{id}@{domain}")
}

fn text_part(kind: &str, body: &str) -> Part {
    let (charset, encoding, body) = text(body);
    Part {
        head: format!(
            "Content-Type: text/{kind}; charset=\"{charset}\"\r\nContent-Transfer-Encoding: {encoding}\r\n"
        ),
        body,
    }
}

fn file_part(file: &Attachment) -> Part {
    let kind = if file.content_id.is_some() {
        "inline"
    } else {
        "attachment"
    };
    let id = file
        .content_id
        .as_ref()
        .map(|id| format!("Content-ID: <{}>\r\n", id.0))
        .unwrap_or_default();
    Part {
        head: format!(
            "Content-Type: {}\r\nContent-Disposition: {}\r\n{id}Content-Transfer-Encoding: base64\r\n",
            file.media_type.0,
            disposition(kind, &file.name)
        ),
        body: base64_lines(&file.bytes),
    }
}

#[cfg(test)]
#[path = "letter_tests.rs"]
mod tests;
