//! Actions on what is kept: the delivery book, and the list of those who get nothing.

use std::time::Duration;

use app_core::{Context, ToolError, ToolResult, state::Principal};
use mail::{
    Address, Book, CampaignKey, Reason, Recipients, Rules, Suppressions, bounce, recipients::Reading,
};

use crate::{
    input::{Bounce, Change, Found, Link, Resolve, Status, Suppress},
    output::{Checked, Listed, Output, Standing, Taken},
    settings::Settings,
};

/// Largest report, and largest list to import.
const LARGEST_REPORT: u64 = 32 << 20;
const LARGEST_LIST: u64 = 256 << 20;

fn address(text: &str, field: &str) -> ToolResult<Address> {
    Address::parse(
        text,
        Rules {
            local_domains: true,
            utf8: true,
        },
    )
    .map_err(|error| ToolError::invalid(field, error.to_string()))
}

pub(crate) fn status(input: &Status, ctx: &Context) -> ToolResult<Output> {
    let key = CampaignKey::new(&input.key)?;
    let mut standing = Standing {
        key: key.to_string(),
        ..Standing::default()
    };
    Book::open(ctx.state_dir()?, Duration::ZERO)?.each(&key, |entry| {
        *standing.counts.entry(entry.state).or_default() += 1;
        let wanted = input.state.is_none_or(|state| state == entry.state);
        if wanted && standing.deliveries.len() < input.limit as usize {
            standing.deliveries.push(entry);
        }
    })?;
    Ok(Output::Status(standing))
}

pub(crate) fn resolve(input: &Resolve, ctx: &Context) -> ToolResult<Output> {
    let key = CampaignKey::new(&input.key)?;
    let address = address(&input.address, "address")?;
    let book = Book::open(ctx.state_dir()?, Duration::ZERO)?;
    let entry = book.get(&key, &address)?;
    let sent = input.outcome == Found::Sent;
    if !ctx.may(
        "resolve",
        &format!("{key}/{}", address.key()),
        if sent { "sent" } else { "failed" },
    ) {
        return Ok(Output::Resolve(entry));
    }
    book.resolve(&key, &address, sent, &Principal::os_user("cli"), ctx.now())
        .map(Output::Resolve)
}

pub(crate) fn suppress(input: &Suppress, ctx: &Context) -> ToolResult<Output> {
    let mut list = Suppressions::open(ctx.state_dir()?)?;
    let target = || {
        input
            .target
            .as_deref()
            .ok_or_else(|| ToolError::invalid("target", "which address, or which file?"))
    };
    let mut output = Listed::default();
    match input.change {
        Change::List => output.addresses = list.list(input.limit)?,
        Change::Add => {
            let address = address(target()?, "target")?;
            if ctx.may("suppress", &address.key(), input.reason.as_str()) {
                output.done = true;
                output.changed = u64::from(list.add(&address, input.reason, "suppress", ctx.now())?);
            }
        }
        Change::Remove => {
            let address = address(target()?, "target")?;
            if list.reason(&address)?.is_none() {
                return Err(ToolError::not_found(
                    "the address is not on the list of those who get nothing",
                ));
            }
            if ctx.may("unsuppress", &address.key(), "") {
                list.remove(&address)?;
                (output.done, output.changed) = (true, 1);
            }
        }
        Change::Import => {
            let file = target()?;
            let reading = Reading {
                rules: Rules {
                    local_domains: true,
                    utf8: true,
                },
                ..Reading::default()
            };
            let read = Recipients::read(&ctx.read(file, LARGEST_LIST)?, reading)?;
            output.invalid = read.invalid().count() as u64;
            let all: Vec<Address> = read.all.into_iter().map(|one| one.mailbox.address).collect();
            if ctx.may("suppress_all", file, &format!("{} addresses", all.len())) {
                output.done = true;
                output.changed = list.add_all(&all, input.reason, "import", ctx.now())?;
            }
        }
    }
    output.count = list.count()?;
    let invalid = output.invalid;
    let output = Output::Suppress(output);
    if invalid > 0 {
        return Err(
            ToolError::partial(format!("{invalid} rows of the file are no addresses"), &output)
                .code("invalid_rows"),
        );
    }
    Ok(output)
}

pub(crate) fn bounce(input: &Bounce, ctx: &Context) -> ToolResult<Output> {
    let report = bounce::read(&ctx.read(&input.file, LARGEST_REPORT)?)?;
    let list = Suppressions::open(ctx.state_dir()?)?;
    let mut taken = Taken {
        done: false,
        suppressed: 0,
        reason: Reason::Hard,
        message_id: report.message_id,
        recipients: report.recipients,
    };
    for one in taken.recipients.iter().filter(|one| one.hard) {
        let address = address(&one.address, "file")?;
        if ctx.may("suppress", &address.key(), "hard") {
            taken.done = true;
            taken.suppressed += u64::from(list.add(&address, Reason::Hard, "bounce", ctx.now())?);
        }
    }
    Ok(Output::Bounce(taken))
}

pub(crate) fn unsubscribe_link(input: &Link, ctx: &Context) -> ToolResult<Output> {
    let links = Settings::of(ctx)?.links(ctx)?.ok_or_else(|| {
        ToolError::config("there are no links for unsubscribing: `unsubscribe_url` is not set")
            .code("unsubscribe_settings")
    })?;
    let (key, address) = links.check(&input.link).ok_or_else(|| {
        ToolError::invalid("link", "the link is not ours, or was changed").code("link_forged")
    })?;
    Ok(Output::UnsubscribeLink(Checked { key, address }))
}
