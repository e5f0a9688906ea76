//! Elements that are left blank.

use std::time::Duration;

use app_core::{ToolError, ToolResult};
use browser::Page;
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(5);

/// In open shadow roots too, each of which needs a style sheet of its own.
const HIDE: &str = "(selectors => {
  const roots = [document];
  for (let at = 0; at < roots.length; at += 1) for (const element of roots[at].querySelectorAll('*')) if (element.shadowRoot) roots.push(element.shadowRoot);
  return selectors.map(selector => {
    let count = 0;
    for (const root of roots) {
      try { count += root.querySelectorAll(selector).length } catch { return -1 }
    }
    for (const root of roots) {
      const style = document.createElement('style');
      style.textContent = selector + '{ visibility: hidden !important }';
      (root.head || root.documentElement || root).append(style);
    }
    return count;
  });
})";

/// Hides them. A selector that finds nothing goes to `warnings`.
pub async fn hide(page: &Page, selectors: &[String], warnings: &mut Vec<String>) -> ToolResult<()> {
    let counts = page.ask(&format!("{HIDE}({})", json!(selectors)), LIMIT).await?;
    for (selector, count) in selectors.iter().zip(counts.as_array().into_iter().flatten()) {
        match count.as_i64() {
            Some(-1) | None => {
                return Err(ToolError::invalid(
                    "hide",
                    format!("`{selector}` is no CSS selector"),
                ));
            }
            Some(0) => warnings.push(format!("`{selector}` of `hide` matches nothing")),
            Some(_) => {}
        }
    }
    Ok(())
}
