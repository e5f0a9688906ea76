//! Banners that ask for consent: found, and hidden or rejected if that is wished. Never accepted.

use std::time::Duration;

use app_core::ToolResult;
use browser::Page;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::input::Consent;

/// Time for it all.
const LIMIT: Duration = Duration::from_secs(5);

/// A banner that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Banner {
    /// Its id, label or kind of element.
    #[serde(rename = "banner")]
    pub name: String,
    /// `shown`, `hidden`, `rejected`, or why it could not be.
    pub done: String,
    /// The button that was pressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub button: Option<String>,
}

/// Looks for one and does what is wished. What could not be done goes to `warnings`.
pub async fn treat(page: &Page, wish: Consent, warnings: &mut Vec<String>) -> ToolResult<Option<Banner>> {
    let search = include_str!("consent.js").trim();
    let expression = format!("({search})({})", json!(wish));
    let found = match page.ask(&expression, LIMIT).await {
        Ok(found) => found,
        // Pressing a button may lead elsewhere, with our script half done.
        Err(error)
            if wish == Consent::Reject && matches!(error.code.as_str(), "browser_refused" | "page_busy") =>
        {
            warnings.push("the page was left while its banner was rejected".to_owned());
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let Some(name) = found["banner"].as_str() else {
        if wish != Consent::None {
            warnings.push("no banner that asks for consent was found".to_owned());
        }
        return Ok(None);
    };
    let button = found["button"].as_str().map(str::to_owned);
    let gone = found["gone"] == true;
    let done = match (wish, &button, gone) {
        (Consent::None, ..) => "shown",
        (Consent::Hide, _, true) => "hidden",
        (Consent::Hide, ..) => "could not be hidden",
        (Consent::Reject, Some(_), true) => "rejected",
        (Consent::Reject, Some(_), false) => "rejected, and still shown",
        (Consent::Reject, None, _) => "has no button to reject",
    };
    if !matches!(done, "shown" | "hidden" | "rejected") {
        warnings.push(format!("the banner `{name}` {done}"));
    }
    Ok(Some(Banner {
        name: name.to_owned(),
        done: done.to_owned(),
        button,
    }))
}
