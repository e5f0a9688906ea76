//! The steps of a run: the CSS is gathered, minified, compared or held against pages, and delivered.

use app_core::{Context, ToolError, ToolResult};
use serde_json::Value;
use web::{Location, aside, charset::UTF_8};

use crate::{
    Output,
    collect::{self, Collected, Options},
    compare,
    fetch::Source,
    input::Input,
    metrics, minify, usage,
};

pub fn as_json(metrics: &metrics::Metrics) -> ToolResult<Value> {
    serde_json::to_value(metrics).map_err(|e| ToolError::internal(format!("metrics do not serialise: {e}")))
}

/// Puts the resulting CSS where it was asked for.
pub fn deliver(
    input: &Input,
    ctx: &Context,
    collected: Collected,
    result: Option<String>,
    output: &mut Output,
) -> ToolResult<()> {
    if let Some(css) = &result {
        output.length_characters = css.chars().count();
    }
    if let Some(path) = &input.output {
        let css = result.unwrap_or(collected.text.css);
        ctx.write(path, "text/css", "output", css.as_bytes())?;
        output.file = Some(path.clone());
    } else {
        output.css = result;
    }
    Ok(())
}

/// The minified CSS; what is odd in it is told with sheet and line.
pub async fn minified(collected: &Collected, ctx: &Context) -> ToolResult<String> {
    let text = collected.text.clone();
    let minified = aside(move || minify::minify(&text)).await?;
    for warning in minified.warnings {
        let place = warning.place.and_then(|(sheet, line)| {
            let name = &collected.sheets.get(sheet)?.name;
            Some(format!("`{name}:{line}`: "))
        });
        let fate = if warning.kept {
            "kept, though browsers may not know it"
        } else {
            "left out while minifying"
        };
        ctx.warn(format!("{}{fate}: {}", place.unwrap_or_default(), warning.text));
    }
    Ok(minified.css)
}

/// The target's name and all its CSS.
pub async fn gather(input: &Input, source: &Source<'_>, options: Options) -> ToolResult<(String, Collected)> {
    let location = match &input.target {
        Some(target) => source.target(target, input.root.as_deref())?,
        None if input.html.is_some() => Location::Text,
        None => {
            return Err(ToolError::invalid("target", "`target` or `html` is required")
                .hint("give an address or a file, for example `css_analyzer page.html`"));
        }
    };
    let collected = match &input.html {
        // A text that was given is in no encoding any more; what it refers to is read as UTF-8 unless it says otherwise.
        Some(html) => collect::page(source, html.clone(), location.clone(), UTF_8, options).await?,
        None => collect::collect(source, &location, options).await?,
    };
    Ok((location.name(), collected))
}

pub async fn difference(
    input: &Input,
    source: &Source<'_>,
    options: Options,
    before: &Collected,
) -> ToolResult<compare::Difference> {
    let Some(against) = &input.against else {
        return Err(ToolError::invalid(
            "against",
            "`against` is required with mode `diff`",
        ));
    };
    let location = source.target(against, input.root.as_deref())?;
    let after = collect::collect(source, &location, options).await?.text.css;
    let before = before.text.css.clone();
    aside(move || {
        let old = as_json(&metrics::measure(&before, false)?)?;
        let new = as_json(&metrics::measure(&after, false)?)?;
        compare::compare((&before, &old), (&after, &new))
    })
    .await
}

pub async fn unused(input: &Input, source: &Source<'_>, collected: &Collected) -> ToolResult<usage::Usage> {
    let mut texts: Vec<String> = collected.html.iter().cloned().collect();
    for page in &input.pages {
        source.ctx().check_cancelled()?;
        let location = source.target(page, input.root.as_deref())?;
        texts.push(source.read_target(&location).await?.text);
    }
    if texts.is_empty() {
        return Err(
            ToolError::invalid("pages", "mode `unused` needs a page to look at")
                .hint("give the page as target, or pages with `--pages`"),
        );
    }
    let css = collected.text.css.clone();
    aside(move || {
        for text in &texts {
            web::html::check_depth(text, "the page")?;
        }
        let pages: Vec<_> = texts
            .iter()
            .map(|text| scraper::Html::parse_document(text))
            .collect();
        usage::usage(&css, &pages)
    })
    .await
}
