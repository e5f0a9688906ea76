//! The letter of a run: its templates and files, read once, and what it says to one recipient.

use std::path::{Path, PathBuf};

use app_core::{Context, ToolError, ToolResult, files::sha256};
use mail::{
    Attachment, HeaderText, Recipient,
    letter::{ContentId, MediaType},
    parameter::FileName,
};
use minijinja::{Environment, Value, value::Serde};
use scraper::Html;

use crate::{html, input::Sending, mjml, template};

/// Largest template, and most bytes of files that go with a letter.
const LARGEST: u64 = 1 << 20;
const MOST_BYTES: usize = 25 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Mjml,
    Html,
    Text,
}

/// What is sent, before it knows to whom.
pub(crate) struct Draft {
    environment: Environment<'static>,
    kind: Kind,
    folder: PathBuf,
    literal: Option<(String, String)>,
    own_text: bool,
    pub(crate) attachments: Vec<Attachment>,
    /// SHA-256 of all that it is made of.
    pub(crate) digest: String,
}

/// What a letter says to one recipient.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) subject: HeaderText,
    pub(crate) text: String,
    pub(crate) html: Option<String>,
    pub(crate) warnings: Vec<String>,
}

impl Draft {
    /// Reads it. `beside` is what else makes it another letter: who writes, where answers go.
    pub(crate) fn read(input: &Sending, beside: &str, ctx: &Context) -> ToolResult<Self> {
        let source = |path: &Path| -> ToolResult<String> {
            let bytes = ctx.read(path, LARGEST)?;
            String::from_utf8(bytes)
                .map_err(|_| ToolError::invalid("letter", format!("`{}` is not UTF-8", path.display())))
        };
        let (kind, body) = match (&input.letter, &input.body) {
            (Some(_), Some(_)) => {
                return Err(ToolError::invalid(
                    "body",
                    "a letter is a file or a `body`, not both",
                ));
            }
            (Some(path), None) => (kind_of(path)?, source(path)?),
            (None, Some(body)) => (Kind::Text, body.clone()),
            (None, None) => {
                return Err(
                    ToolError::invalid("letter", "there is no letter").hint("name a file, or give --body")
                );
            }
        };
        let subject = input.subject.clone().unwrap_or_default();
        let text = input.plain_text.as_deref().map(source).transpose()?;
        if text.is_some() && kind == Kind::Text {
            return Err(ToolError::invalid("plain_text", "the letter is a text already"));
        }
        let attachments = attachments(input, ctx)?;
        let mut parts = vec![
            beside.to_owned(),
            subject.clone(),
            body.clone(),
            text.clone().unwrap_or_default(),
        ];
        for file in &attachments {
            let id = file.content_id.as_ref().map_or("", ContentId::as_str);
            parts.push(format!("{} {id} {}", file.name.as_str(), sha256(&file.bytes)));
        }
        let digest = sha256(serde_json::to_string(&parts).unwrap_or_default().as_bytes());
        let folder = input
            .letter
            .as_deref()
            .and_then(Path::parent)
            .filter(|p| !p.as_os_str().is_empty());
        let mut draft = Self {
            environment: template::environment(),
            kind,
            folder: folder.unwrap_or_else(|| Path::new(".")).to_owned(),
            literal: None,
            own_text: text.is_some(),
            attachments,
            digest,
        };
        if input.literal {
            // Wrong in every row: told at once.
            header(&subject)?;
            draft.literal = Some((subject, body));
            return Ok(draft);
        }
        let name = if kind == Kind::Text { "text" } else { "letter" };
        let body = if kind == Kind::Text {
            body
        } else {
            template::with_encoded_links(&body)
        };
        let add =
            |environment: &mut Environment<'static>, name: &'static str, field: &str, source: String| {
                environment.add_template_owned(name, source).map_err(|error| {
                    ToolError::invalid(field, format!("the template is wrong: {}", told(&error)))
                })
            };
        add(&mut draft.environment, name, "letter", body)?;
        add(&mut draft.environment, "subject", "subject", subject)?;
        if let Some(text) = text {
            add(&mut draft.environment, "text", "plain_text", text)?;
        }
        Ok(draft)
    }

    /// What it says to this recipient. Fails with what is wrong, without a field.
    pub(crate) fn say(&self, to: &Recipient, unsubscribe: Option<&str>) -> ToolResult<Said> {
        if let Some((subject, body)) = &self.literal {
            return Ok(Said {
                subject: header(subject)?,
                text: body.clone(),
                html: None,
                warnings: Vec::new(),
            });
        }
        let data = data(to, unsubscribe);
        let render = |name: &str| -> ToolResult<String> {
            let template = self.environment.get_template(name);
            let rendered = template.and_then(|template| template.render(&data));
            rendered.map_err(|error| ToolError::invalid(name, told(&error)))
        };
        let subject = header(&render("subject")?)?;
        if self.kind == Kind::Text {
            let text = checked_text(render("text")?)?;
            return Ok(Said {
                subject,
                text,
                html: None,
                warnings: Vec::new(),
            });
        }
        let mut page = render("letter")?;
        let mut warnings = Vec::new();
        if self.kind == Kind::Mjml {
            let wrong = |what: String| ToolError::invalid("letter", what);
            (page, warnings) = mjml::html(&page, &self.folder).map_err(wrong)?;
        }
        let (page, scripts) = html::without_scripts(&page);
        if scripts > 0 {
            warnings.push(format!("{scripts} scripts were taken out of the letter"));
        }
        let page = checked_text(page)?;
        let parsed = Html::parse_document(&page);
        if let Some(fault) = html::fault(&parsed) {
            return Err(ToolError::invalid("letter", fault));
        }
        let text = if self.own_text {
            checked_text(render("text")?)?
        } else {
            html::text_of(&parsed)
        };
        Ok(Said {
            subject,
            text,
            html: Some(page),
            warnings,
        })
    }
}

fn kind_of(path: &Path) -> ToolResult<Kind> {
    let end = path
        .extension()
        .and_then(|end| end.to_str())
        .unwrap_or_default()
        .to_lowercase();
    match end.as_str() {
        "mjml" => Ok(Kind::Mjml),
        "html" | "htm" => Ok(Kind::Html),
        "txt" | "text" | "md" => Ok(Kind::Text),
        _ => Err(ToolError::invalid("letter", "a letter is .mjml, .html or .txt")),
    }
}

/// Empty, it is that of the replaced tool.
fn header(subject: &str) -> ToolResult<HeaderText> {
    let subject = if subject.trim().is_empty() {
        "No Subject"
    } else {
        subject
    };
    HeaderText::new(subject).map_err(|error| ToolError::invalid("subject", error.to_string()))
}

fn checked_text(text: String) -> ToolResult<String> {
    if text.contains('\0') {
        return Err(ToolError::invalid("letter", "a NUL in the letter"));
    }
    Ok(text)
}

/// A failure of a template without lines of its source, which may hold anything.
fn told(error: &minijinja::Error) -> String {
    let line = error
        .line()
        .map(|line| format!(" (line {line})"))
        .unwrap_or_default();
    format!("{}{line}", error.kind())
        + &error
            .detail()
            .map(|detail| format!(": {detail}"))
            .unwrap_or_default()
}

/// The row, and beside it what every row has.
fn data(to: &Recipient, unsubscribe: Option<&str>) -> Value {
    let mut data = to.data.clone();
    data.insert("row".to_owned(), serde_json::Value::Object(to.data.clone()));
    data.insert("email".to_owned(), to.mailbox.address.to_string().into());
    let name = to.mailbox.name.as_str();
    if !name.is_empty() {
        data.insert("name".to_owned(), name.into());
    }
    if let Some(link) = unsubscribe {
        data.insert("unsubscribe_url".to_owned(), link.into());
    }
    Value::from(Serde(data))
}

fn attachments(input: &Sending, ctx: &Context) -> ToolResult<Vec<Attachment>> {
    let mut all = Vec::new();
    let mut take = |path: &Path, field: &str, content_id: Option<ContentId>| -> ToolResult<()> {
        let name = FileName::new(&path.to_string_lossy())
            .map_err(|error| ToolError::invalid(field, error.to_string()))?;
        let media_type = MediaType::new(mime_guess::from_path(path).first_or_octet_stream().essence_str());
        let bytes = ctx.read(path, MOST_BYTES as u64)?;
        all.push(Attachment {
            name,
            media_type,
            content_id,
            bytes,
        });
        Ok(())
    };
    for path in &input.attach {
        take(path, "attach", None)?;
    }
    for named in &input.inline {
        let wrong = || ToolError::invalid("inline", "a picture of the letter is NAME=FILE");
        let (id, path) = named.split_once('=').ok_or_else(wrong)?;
        take(
            Path::new(path),
            "inline",
            Some(ContentId::new(id).ok_or_else(wrong)?),
        )?;
    }
    let bytes: usize = all.iter().map(|file| file.bytes.len()).sum();
    if bytes > MOST_BYTES {
        return Err(ToolError::invalid(
            "attach",
            format!("the files have {bytes} bytes; {MOST_BYTES} are the most"),
        ));
    }
    Ok(all)
}
