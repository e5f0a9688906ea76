//! Writes the bundled page, or puts it into the result, and tells what is not in it.

use app_core::{Context, Source, ToolError, ToolResult};

use crate::{
    Output,
    embed::{Books, LeftOut},
    input::Input,
};

/// Warnings about single resources; the result lists all of them.
const MAX_WARNINGS: usize = 100;

/// Warns of what is not embedded.
pub fn warn(ctx: &Context, books: &Books) {
    let failed = || books.left_out.iter().filter(|left| embed_failed(left));
    for left in failed().take(MAX_WARNINGS) {
        let address = shorten(&left.address);
        ctx.warn(format!("not embedded: `{address}`: {}", left.reason));
    }
    let more = failed().count().saturating_sub(MAX_WARNINGS);
    if more > 0 {
        ctx.warn(format!(
            "not embedded: {more} more, see `not_embedded` of the result"
        ));
    }
}

/// Writes the page, or puts it into the result. A page that a limit has cut short is a partial success.
pub fn deliver(
    ctx: &Context,
    input: &Input,
    bundled: String,
    mut output: Output,
    limit: Option<String>,
) -> ToolResult<Output> {
    for entry in &output.embedded {
        *output.bytes_by_kind.entry(entry.kind).or_default() += entry.bytes * entry.uses;
    }
    match &input.output {
        Some(path) => {
            let mut file = ctx
                .create(path, "text/html", "output")?
                .made_from(Source::named(&output.target));
            std::io::Write::write_all(&mut file, bundled.as_bytes())
                .map_err(|e| ToolError::file("write", path, &e))?;
            file.commit()?;
        }
        None => output.html = Some(bundled),
    }
    if let Some(limit) = limit {
        let message = format!("the page is cut short: {limit}");
        return Err(ToolError::partial(message, &output)
            .code("limit_reached")
            .hint("exclude a kind, or raise `--max-output-bytes` or `--max-requests`"));
    }
    let mut failed = output
        .not_embedded
        .iter()
        .filter(|left| embed_failed(left))
        .peekable();
    if let (true, Some(first)) = (input.strict, failed.peek()) {
        let first = shorten(&first.address);
        let count = failed.count();
        let message = format!("{count} resources are not embedded, the first is `{first}`");
        return Err(ToolError::partial(message, &output).code("not_embedded"));
    }
    Ok(output)
}

/// What was not asked for is no surprise; everything else is.
fn embed_failed(left: &LeftOut) -> bool {
    !left.reason.ends_with("are excluded")
}

pub fn shorten(address: &str) -> String {
    if address.chars().count() <= 120 {
        address.to_owned()
    } else {
        address.chars().take(119).chain(['…']).collect()
    }
}
