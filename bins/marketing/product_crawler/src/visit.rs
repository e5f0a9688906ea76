//! One page: from the answer of the shop to what it says.

use app_core::{Context, ToolResult};
use structured::{Page, walk::checked};
use url::Url;
use web::{Response, aside, charset};

use crate::{
    fetch::{Validators, is_inside},
    shop::leads_to,
    store::PageResult,
};

/// What an answer means.
#[derive(Debug)]
pub enum Meaning {
    /// The page as it is now, and what to ask by next time.
    Read(Box<PageResult>, Validators),
    /// Nothing is here any more.
    Gone(u16),
    /// The product is elsewhere in the shop.
    Moved(u16, Url),
    /// Not for us: why.
    Left(String),
    /// It should have been a page and is none that can be read: why.
    Failed(String),
}

/// Reads an answer that is no 304.
pub async fn read(answer: &Response, url: &Url, home: &Url, ctx: &Context) -> ToolResult<Meaning> {
    if let Some(to) = leads_to(answer) {
        return Ok(match checked(to.as_str(), None, home, is_inside) {
            Ok(to) => Meaning::Moved(answer.status, to),
            Err(why) => Meaning::Left(format!("leads to {why}")),
        });
    }
    match answer.status {
        200..=299 => {}
        404 | 410 => return Ok(Meaning::Gone(answer.status)),
        status => return Ok(Meaning::Failed(format!("answered {status}"))),
    }
    let media_type = answer.media_type();
    if !matches!(media_type.as_str(), "" | "text/html" | "application/xhtml+xml") {
        return Ok(Meaning::Left(format!("not a web page but `{media_type}`")));
    }
    let stated = answer.header("content-type").and_then(charset::of_content_type);
    let page = match page(&answer.body, stated, Some(url.clone())).await {
        Ok(page) => page,
        Err(why) => return Ok(Meaning::Failed(why)),
    };
    let text = |name: &str| answer.header(name).map(str::to_owned);
    let validators = Validators {
        etag: text("etag"),
        modified: text("last-modified"),
    };
    let result = PageResult {
        status: answer.status,
        fetched_at: ctx.now().to_string(),
        others: page.others.len(),
        unreadable: page
            .scripts
            .iter()
            .filter(|script| is_broken(script.unreadable.as_deref()))
            .count(),
        notes: page.notes,
        product: page.product.map(Box::new),
        leads_to: None,
    };
    Ok(Meaning::Read(Box::new(result), validators))
}

/// An empty script says nothing, and so loses nothing.
fn is_broken(unreadable: Option<&str>) -> bool {
    unreadable.is_some_and(|why| why != "empty")
}

/// The products of a page, in its encoding. The error says why it is not read.
pub async fn page(
    bytes: &[u8],
    stated: Option<&'static charset::Encoding>,
    url: Option<Url>,
) -> Result<Page, String> {
    let decoded = charset::page(bytes, stated, None);
    let guessed = decoded.guessed;
    let read = aside(move || {
        let name = url.as_ref().map_or_else(|| "the page".to_owned(), web::shown);
        web::html::check_depth(&decoded.text, &name).map_err(|error| error.message)?;
        Ok::<_, String>(structured::extract(&decoded.text, url.as_ref()))
    });
    let mut page = read.await?;
    if guessed {
        page.notes
            .push("no encoding stated and not UTF-8: read as windows-1252".to_owned());
    }
    Ok(page)
}
