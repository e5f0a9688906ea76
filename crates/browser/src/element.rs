//! Elements of a page, found by CSS selector through open shadow roots.

use std::time::Duration;

use app_core::{ErrorKind, ToolError, ToolResult};
use serde_json::{Value, json};

use crate::{Page, failed};

/// Time for one search.
const SEARCH: Duration = Duration::from_secs(15);

/// A part of a page, in CSS pixels from its top left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Rect {
    /// Grown to whole pixels of the device. What is a hair beyond a pixel's edge is taken to lie on it.
    #[must_use]
    pub fn on_pixels(self, scale: f64) -> Self {
        let down = |value: f64| (value * scale + 0.01).floor() / scale;
        let up = |value: f64| (value * scale - 0.01).ceil() / scale;
        let (x, y) = (down(self.x), down(self.y));
        Self {
            x,
            y,
            width: up(self.x + self.width) - x,
            height: up(self.y + self.height) - y,
        }
    }
}

/// An element that can be seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Element {
    /// Where it is.
    pub place: Rect,
}

/// Why there is no picture of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing matches.
    NoMatch,
    /// It is not shown.
    NotShown,
    /// It has no width or no height.
    NoSize,
}

impl Trouble {
    /// As an error that names the selector.
    pub fn into_error(self, selector: &str) -> ToolError {
        let (code, what) = match self {
            Self::NoMatch => ("no_match", "matches nothing on the page"),
            Self::NotShown => ("not_shown", "is not shown"),
            Self::NoSize => ("no_size", "has no size"),
        };
        failed(ErrorKind::NotFound, code, format!("`{selector}` {what}")).field("selector")
    }
}

impl Page {
    /// How many elements a selector finds. Fails with `invalid_input` where it is none.
    pub async fn count(&self, selector: &str) -> ToolResult<u64> {
        let found = self.search(selector, None).await?;
        Ok(found["count"].as_u64().unwrap_or(0))
    }

    /// The element at `index` among those that a selector finds, scrolled into view.
    pub async fn element(&self, selector: &str, index: u64) -> ToolResult<Result<Element, Trouble>> {
        let found = self.search(selector, Some(index)).await?;
        if found["count"].as_u64().unwrap_or(0) <= index {
            return Ok(Err(Trouble::NoMatch));
        }
        if found["shown"] != true {
            return Ok(Err(Trouble::NotShown));
        }
        let side = |name: &str| found[name].as_f64().unwrap_or(0.0);
        let place = Rect {
            x: side("x"),
            y: side("y"),
            width: side("width"),
            height: side("height"),
        };
        if place.width <= 0.0 || place.height <= 0.0 {
            return Ok(Err(Trouble::NoSize));
        }
        Ok(Ok(Element { place }))
    }

    async fn search(&self, selector: &str, index: Option<u64>) -> ToolResult<Value> {
        let search = include_str!("script/find.js");
        let expression = format!("({})({}, {})", search.trim(), json!(selector), json!(index));
        self.ask(&expression, SEARCH).await.map_err(|error| {
            if error.code == "script_failed" {
                ToolError::invalid("selector", format!("`{selector}` is no CSS selector"))
            } else {
                error
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_grows_to_whole_pixels_of_the_device() {
        let part = |x, width| Rect {
            x,
            y: 0.0,
            width,
            height: 10.0,
        };
        let grown = part(1.25, 10.0).on_pixels(1.0);
        assert_eq!((grown.x, grown.width), (1.0, 11.0));
        let grown = part(1.5, 10.0).on_pixels(2.0);
        assert_eq!((grown.x, grown.width), (1.5, 10.0));
        let grown = part(0.0, 59.999_999).on_pixels(1.0);
        assert_eq!((grown.x, grown.width, grown.height), (0.0, 60.0, 10.0));
    }
}
