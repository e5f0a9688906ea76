//! Everything that is known before a letter is sent, and the action that stops there.

use std::collections::HashMap;

use app_core::{Context, ToolError, ToolResult};
use jiff::Timestamp;
use mail::{
    Book, CampaignKey, Letter, Mailbox, Recipient, Recipients, Rules, Suppressions, book::DeliveryState,
    dkim::Signer, recipients::Reading, smtp::Session, unsubscribe::Links,
};

use crate::{
    input::{Sending, is_list},
    letter::{Draft, Said},
    output::{NAMED, Output, Report},
    settings::Settings,
};

/// Largest list.
const LARGEST_LIST: u64 = 256 << 20;

/// Most rows with mistakes that are told one by one.
const MOST_MISTAKES: usize = 20;

/// A letter, and to whom.
pub(crate) struct Job {
    pub(crate) settings: Settings,
    pub(crate) key: CampaignKey,
    pub(crate) from: Mailbox,
    pub(crate) reply_to: Option<Mailbox>,
    pub(crate) draft: Draft,
    pub(crate) list: bool,
    pub(crate) recipients: Recipients,
    pub(crate) signer: Option<Signer>,
    pub(crate) links: Option<Links>,
}

impl Job {
    /// Reads all of it, and tries the letter on every row.
    pub(crate) fn prepare(input: &Sending, settings: Settings, ctx: &Context) -> ToolResult<(Self, Report)> {
        let to = input
            .to
            .as_deref()
            .map(str::trim)
            .filter(|to| !to.is_empty())
            .ok_or_else(|| {
                ToolError::invalid("to", "Recipient 'to' email is required.").code("recipient_required")
            })?;
        let list = is_list(to);
        let rules = Rules {
            local_domains: input.allow_local,
            utf8: input.smtputf8,
        };
        let recipients = if list {
            let reading = Reading {
                rules,
                column: input.column.as_deref(),
                encoding: input.encoding.as_deref(),
            };
            Recipients::read(&ctx.read(to, LARGEST_LIST).map_err(|e| e.field("to"))?, reading)?
        } else {
            Recipients::one(to, input.name.as_deref().unwrap_or_default(), rules)
        };
        if let (false, Some(wrong)) = (list, recipients.skipped.first()) {
            return Err(ToolError::invalid(
                wrong.field.clone().unwrap_or_default(),
                wrong.message.clone(),
            ));
        }
        let key = match &input.key {
            Some(key) => CampaignKey::new(key)?,
            None if list => {
                return Err(ToolError::invalid(
                    "key",
                    "a list needs a --key, so that nobody gets the letter twice",
                ));
            }
            None => CampaignKey::new(&ctx.new_id("m_"))?,
        };
        let from = settings.sender(input.from.as_deref(), ctx)?;
        let reply_to = input
            .reply_to
            .as_deref()
            .map(|text| Mailbox::parse(text, rules))
            .transpose();
        let reply_to = reply_to.map_err(|error| ToolError::invalid("reply_to", error.to_string()))?;
        let answers = reply_to
            .as_ref()
            .map(|m| m.address.to_string())
            .unwrap_or_default();
        let beside = format!("{} {} {answers}", from.name.as_str(), from.address);
        let job = Self {
            draft: Draft::read(input, &beside, ctx)?,
            signer: settings.signer(ctx)?,
            links: settings.links(ctx)?,
            settings,
            key,
            from,
            reply_to,
            list,
            recipients,
        };
        let report = job.tried(ctx)?;
        Ok((job, report))
    }

    /// The letter, tried on every row. Fails with all rows in which something is wrong.
    fn tried(&self, ctx: &Context) -> ToolResult<Report> {
        let skipped = &self.recipients.skipped;
        let mut report = Report {
            key: self.key.to_string(),
            read_as: self.recipients.read_as.clone(),
            recipients: self.recipients.all.len() as u64,
            skipped: skipped.len() as u64,
            invalid: self.recipients.invalid().count() as u64,
            skipped_rows: skipped.iter().take(NAMED).cloned().collect(),
            ..Report::default()
        };
        let (mut mistakes, mut wrong) = (Vec::new(), 0_u64);
        let bar = ctx.progress("check", "letters", Some(report.recipients));
        for recipient in &self.recipients.all {
            ctx.check_cancelled()?;
            match self.bytes(recipient, ctx.now()) {
                Ok((_, said)) => {
                    for warning in said.warnings {
                        if !report.warnings.contains(&warning) && report.warnings.len() < NAMED {
                            report.warnings.push(warning);
                        }
                    }
                }
                Err(error) => {
                    wrong += 1;
                    if mistakes.len() < MOST_MISTAKES {
                        let field = error.field_paths.first().cloned().unwrap_or_default();
                        let row = if self.list {
                            format!("line {}: ", recipient.line)
                        } else {
                            String::new()
                        };
                        mistakes.push((field, format!("{row}{}", error.message)));
                    }
                }
            }
            bar.inc(1);
        }
        if let Some((field, first)) = mistakes.first().cloned() {
            let more = if wrong > 1 {
                format!(" (and {} more rows)", wrong - 1)
            } else {
                String::new()
            };
            return Err(ToolError::invalid(field, format!("{first}{more}"))
                .mistakes(mistakes)
                .code("letter_wrong"));
        }
        if self.list {
            self.warn_of_bulk(&mut report);
        }
        Ok(report)
    }

    fn warn_of_bulk(&self, report: &mut Report) {
        let warnings = &mut report.warnings;
        warnings.push(
            "no preflight was made: SPF, DKIM, DMARC and PTR of the sender's domain were not looked at"
                .to_owned(),
        );
        if self.links.is_none() {
            warnings.push(
                "the letter has no link for unsubscribing: `unsubscribe_url` of the settings".to_owned(),
            );
        }
        match &self.signer {
            None => warnings.push("the letter is not signed here: `dkim` of the settings".to_owned()),
            Some(signer) if signer.domain() != self.from.address.domain() => {
                warnings.push("the signature is of another domain than the sender's".to_owned());
            }
            Some(_) => {}
        }
    }

    /// The bytes for one recipient.
    pub(crate) fn bytes(&self, to: &Recipient, now: Timestamp) -> ToolResult<(Vec<u8>, Said)> {
        let address = &to.mailbox.address;
        let links = self.links.as_ref().filter(|_| self.list);
        let link = links.map(|links| links.link(&self.key, address));
        let said = self.draft.say(to, link.as_deref())?;
        let unsubscribe = links.map(|links| links.header(&self.key, address, self.signer.is_some()));
        // The same in every run, so that a server can tell a letter that it has already.
        let id = app_core::files::sha256(
            format!("{}\n{}\n{}", self.key, address.key(), self.draft.digest).as_bytes(),
        );
        let letter = Letter {
            from: &self.from,
            to: &to.mailbox,
            reply_to: self.reply_to.as_ref(),
            subject: &said.subject,
            date: now,
            id: &id[..32],
            text: &said.text,
            html: said.html.as_deref(),
            unsubscribe: unsubscribe.as_ref(),
            attachments: &self.draft.attachments,
        };
        let bytes = letter
            .bytes()
            .map_err(|error| ToolError::invalid("letter", error.to_string()))?;
        let bytes = match &self.signer {
            Some(signer) => signer.signed(&bytes, now)?,
            None => bytes,
        };
        Ok((bytes, said))
    }

    /// Counts what would happen. Returns the recipients that would get a letter.
    pub(crate) fn foresee(&self, report: &mut Report, ctx: &Context) -> ToolResult<Vec<&Recipient>> {
        let state = ctx.state_dir()?;
        let mut known: HashMap<String, DeliveryState> = HashMap::new();
        // A plan leaves no store behind.
        if state.join("outbox.sqlite3").exists() {
            Book::open(state, self.settings.between())?.each(&self.key, |entry| {
                known.insert(entry.address, entry.state);
            })?;
        }
        let suppressions = state
            .join("outreach.db")
            .exists()
            .then(|| Suppressions::open(state))
            .transpose()?;
        let mut open = Vec::new();
        for recipient in &self.recipients.all {
            let address = &recipient.mailbox.address;
            let reason = suppressions
                .as_ref()
                .map(|list| list.reason(address))
                .transpose()?
                .flatten();
            match known.get(&address.key()) {
                None | Some(DeliveryState::Planned) if reason.is_some() => report.suppressed += 1,
                None | Some(DeliveryState::Planned) => open.push(recipient),
                Some(DeliveryState::Undecided | DeliveryState::Sending) => report.undecided += 1,
                Some(DeliveryState::Suppressed) => report.suppressed += 1,
                Some(_) => report.earlier += 1,
            }
        }
        report.planned = true;
        report.sent = open.len() as u64;
        Ok(open)
    }
}

/// The action: nothing is sent.
pub(crate) async fn plan(input: &Sending, ctx: &Context) -> ToolResult<Output> {
    let settings = Settings::of(ctx)?;
    // As the replaced tool did: the server first, the recipient afterwards.
    let server = input.check_server.then(|| settings.server(ctx)).transpose()?;
    let (job, mut report) = Job::prepare(input, settings, ctx)?;
    let open = job.foresee(&mut report, ctx)?;
    if let Some(folder) = &input.output {
        for (index, recipient) in open.iter().enumerate() {
            ctx.check_cancelled()?;
            let name = file_name(index + 1, &recipient.mailbox.address.key());
            let path = folder.join(name);
            let (bytes, _) = job.bytes(recipient, ctx.now())?;
            ctx.write(&path, "message/rfc822", "letter", &bytes)?;
            if report.files.len() < NAMED {
                report.files.push(path);
            }
        }
    }
    if let Some(server) = server {
        Session::open(&server).await?.close().await;
    }
    ctx.count_items(open.len() as u64);
    let invalid = report.invalid;
    let output = Output::Plan(Box::new(report));
    if invalid > 0 && !input.skip_invalid {
        return Err(
            ToolError::partial(format!("{invalid} rows of the list are no addresses"), &output)
                .code("invalid_rows")
                .hint("mend them, or leave them out with --skip-invalid"),
        );
    }
    Ok(output)
}

/// `0001-ina@shop.example.eml`, of characters that every file system takes.
fn file_name(number: usize, address: &str) -> String {
    let fits = |c: char| c.is_alphanumeric() || "@._+-".contains(c);
    let address: String = address
        .chars()
        .map(|c| if fits(c) { c } else { '_' })
        .take(120)
        .collect();
    format!("{number:04}-{address}.eml")
}
