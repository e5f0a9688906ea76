//! The action that sends.

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use mail::{Book, Suppressions, book::DeliveryState};

use crate::{
    deliver::{Sender, Stop},
    input::Sending,
    output::{Output, Report},
    plan::Job,
    settings::Settings,
};

pub(crate) async fn send(input: &Sending, ctx: &Context) -> ToolResult<Output> {
    if input.output.is_some() || input.check_server {
        return Err(ToolError::invalid(
            "output",
            "letters are written, and the server is looked at, by `plan`",
        ));
    }
    let settings = Settings::of(ctx)?;
    let server = settings.server(ctx)?;
    let (job, mut report) = Job::prepare(input, settings, ctx)?;
    if let (false, Some(one)) = (job.list, job.recipients.all.first())
        && !job.settings.allows(&one.mailbox.address)
    {
        return Err(ToolError::new(ErrorKind::Unauthorised, "the settings do not allow this recipient")
            .code("recipient_not_allowed")
            .field("to")
            .hint("put the address or its domain into `allow` under [tools.email_sender.settings], or send to a list with --apply"));
    }
    if ctx.dry_run() {
        for recipient in job.foresee(&mut report, ctx)? {
            ctx.may("send_mail", &target(&job, &recipient.mailbox.address.key()), "");
        }
        return ended(report, None, input.skip_invalid);
    }
    if report.invalid > 0 && !input.skip_invalid {
        let rows: Vec<String> = job
            .recipients
            .invalid()
            .take(20)
            .map(|row| row.line.to_string())
            .collect();
        return Err(ToolError::invalid(
            "to",
            format!(
                "{} rows of the list are no addresses (lines {})",
                report.invalid,
                rows.join(", ")
            ),
        )
        .code("invalid_rows")
        .hint("nothing was sent; mend them, or leave them out with --skip-invalid")
        .with_output(&Output::Send(Box::new(report))));
    }
    let state = ctx.state_dir()?;
    let book = Book::open(state, job.settings.between())?;
    let suppressions = Suppressions::open(state)?;
    let lane = format!("{}:{}", server.host, server.port);
    let addresses = job
        .recipients
        .all
        .iter()
        .map(|recipient| &recipient.mailbox.address);
    book.plan(&job.key, &job.draft.digest, &lane, addresses, ctx.now())?;
    let stop = Sender::new(&job, &server, &book, suppressions, ctx)
        .run(&mut report)
        .await?;
    ctx.count_items(report.sent);
    if !job.list && stop.is_none() {
        return one(report);
    }
    ended(report, stop, input.skip_invalid)
}

/// What a plan calls a delivery.
pub(crate) fn target(job: &Job, address: &str) -> String {
    format!("{}/{address} letter {}", job.key, &job.draft.digest[..16])
}

fn ended(report: Report, stop: Option<Stop>, skip_invalid: bool) -> ToolResult<Output> {
    let bad = report.failed + report.deferred + report.undecided + report.left;
    let invalid = if skip_invalid { 0 } else { report.invalid };
    let planned = report.planned;
    let output = Output::Send(Box::new(report));
    match stop {
        Some(Stop::Cancelled) => Err(ToolError::cancelled().with_output(&output)),
        Some(Stop::Failed(error)) => Err((*error).with_output(&output)),
        None if invalid > 0 => Err(ToolError::partial(format!("{invalid} rows of the list are no addresses"), &output)
            .code("invalid_rows")),
        None if bad > 0 && !planned => Err(ToolError::partial("not everybody has the letter", &output)
            .code("not_all_sent")
            .hint("run it again with the same key for those who were deferred; settle the undecided with `resolve`")),
        None => Ok(output),
    }
}

/// One letter: its end is the end of the run.
fn one(report: Report) -> ToolResult<Output> {
    let said = report.problems.first().map(|p| (p.state, p.said.clone()));
    let (suppressed, earlier) = (report.suppressed, report.earlier);
    let output = Output::Send(Box::new(report));
    let error = match said {
        Some((DeliveryState::Failed, said)) => ToolError::new(ErrorKind::ProviderRejected, said)
            .code("refused")
            .from_source("smtp"),
        Some((DeliveryState::Planned, said)) => ToolError::new(ErrorKind::ProviderUnavailable, said)
            .code("deferred")
            .from_source("smtp"),
        // Not an error that anything tries again by itself.
        Some((_, said)) => ToolError::partial(
            format!("nobody knows whether the server has the letter: {said}"),
            &output,
        )
        .code("undecided")
        .hint("look at the server's log, and settle it with `resolve`"),
        None if suppressed > 0 => ToolError::new(
            ErrorKind::Unauthorised,
            "the address is on the list of those who get nothing any more",
        )
        .code("suppressed"),
        None if earlier > 0 => return Ok(output),
        None => return Ok(output),
    };
    Err(error.with_output(&output))
}
