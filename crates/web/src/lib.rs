//! What tools need to fetch and read web pages: the HTTP client with its rules, encodings, what an address refers to,
//! the syntax of style sheets, and a guard for HTML parsers.

mod aside;
pub mod charset;
pub mod css;
#[cfg(feature = "html")]
pub mod html;
pub mod http;
mod location;
mod reader;

pub use app_core::address::{hide_secrets, shown, shown_text};
pub use aside::aside;
pub use http::{Http, HttpMethod, HttpOptions, Response};
pub use location::{Location, cleaned};
pub use reader::{Fetched, Reader};
