//! Calls of the replaced script's functions: `slug`, `links`, `crawl`.

use app_core::ToolError;
use serde_json::{Value, json};

use crate::Output;

/// Seconds that the script waited before each product page.
const OLD_DELAY: u32 = 5;

fn function(call: &Value) -> &str {
    let named = call.get("function").or_else(|| call.get("fn"));
    named.and_then(Value::as_str).unwrap_or("crawl")
}

/// Turns an old call into this tool's input; file names need no run.
pub fn from_legacy(call: &Value) -> Result<Value, Value> {
    let url = call.get("url").and_then(Value::as_str);
    match function(call) {
        "slug" => {
            let names = call.get("inputs").and_then(Value::as_array).into_iter().flatten();
            let slugs: Vec<String> = names
                .filter_map(Value::as_str)
                .map(structured::slug::slug)
                .collect();
            Err(json!(slugs))
        }
        "links" => match url {
            Some(url) => Ok(json!({"action": "links", "url": url})),
            None => Err(json!({"status": "error", "message": "url is required"})),
        },
        _ => {
            let mut input = json!({"action": "crawl", "discover": "links", "delay": OLD_DELAY});
            // Without one the settings name the shop.
            if let Some(url) = url {
                input["url"] = url.into();
            }
            Ok(input)
        }
    }
}

/// The old answer to an old call.
pub fn to_legacy(call: &Value, outcome: Result<&Output, &ToolError>) -> Value {
    match (function(call), outcome) {
        ("links", Ok(Output::Links(found))) => {
            let mut links = found.links.clone();
            links.sort();
            let message = match &found.list {
                Some(list) => format!("Found 'our-products' page: {list}"),
                None => "Could not find the 'our-products' page link.".to_owned(),
            };
            json!({"links": {"ok": links}, "messages": [message]})
        }
        ("crawl", Ok(Output::Crawl(crawled))) => crawl(crawled.fetched, &crawled.shop),
        // The script said so and ended well.
        ("crawl", Err(error)) if error.code == "no_products" => {
            let output = error.output.as_deref().unwrap_or(&Value::Null);
            let fetched = output["fetched"].as_u64().unwrap_or(0) as usize;
            crawl(fetched, output["shop"].as_str().unwrap_or_default())
        }
        (_, Err(error)) => json!({"error": error.code, "message": error.message}),
        (_, Ok(_)) => Value::Null,
    }
}

fn crawl(pages: usize, shop: &str) -> Value {
    let mut messages = vec![format!("Starting crawl of {shop} to find product pages...")];
    if pages == 0 {
        messages.push("No product links found. Exiting.".to_owned());
    }
    json!({"result": {"ok": null}, "sleeps": vec![OLD_DELAY; pages], "llm_calls": [], "messages": messages})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_functions_are_understood() {
        let slugs =
            from_legacy(&json!({"function": "slug", "inputs": ["../../etc/passwd", "-x-"]})).unwrap_err();
        assert_eq!(slugs, json!(["etcpasswd", "-x-"]));
        let crawl = from_legacy(&json!({"fn": "crawl", "url": "https://shop.example/"})).unwrap();
        assert_eq!(
            (crawl["discover"].as_str(), crawl["delay"].as_u64()),
            (Some("links"), Some(5))
        );
        assert!(from_legacy(&json!({"fn": "links"})).is_err());
    }
}
