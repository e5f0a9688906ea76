//! What tools need to fetch and read web pages: the HTTP client with its rules, and a guard for HTML parsers.

pub mod html;
pub mod http;

pub use http::{Http, HttpMethod, HttpOptions, Response};
