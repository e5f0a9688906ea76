//! The program from outside: pages and sites in, a page and a list of what is not in it out.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod browser;
mod limits;
mod pages;
mod secrets;

use std::path::Path;

use serde_json::Value;
use testkit::{Finished, Sandbox};

/// A picture of one pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\0\0\0\x0cIDATx\x9cc\xf8\xcf\xc0\0\0\x03\x01\x01\0\xc9\xfe\x92\xef\0\0\0\0IEND\xaeB`\x82";

/// How a picture begins in a bundle.
const DATA: &str = "data:image/png;base64,iVBORw0KGgo";

fn sandbox(files: &[(&str, &[u8])]) -> Sandbox {
    let sandbox = Sandbox::new().unwrap().env("ONEJOB_ALLOW_PRIVATE", "1");
    for (name, bytes) in files {
        sandbox.file(name, bytes);
    }
    sandbox
}

fn run(sandbox: &Sandbox, args: &[&str]) -> Finished {
    sandbox.run(Path::new(env!("CARGO_BIN_EXE_html_bundler")), args)
}

/// The result of bundling `site`, with the page in it.
fn bundled(files: &[(&str, &[u8])], flags: &[&str]) -> Value {
    let sandbox = sandbox(files);
    let args = [&["site", "--json"], flags].concat();
    run(&sandbox, &args).expect_code(0).json()
}

fn html(output: &Value) -> &str {
    output["html"].as_str().unwrap()
}

/// Addresses that are not embedded, with their reasons.
fn left_out(output: &Value) -> Vec<(String, String)> {
    let list = output["not_embedded"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    list.iter()
        .map(|left| (text(&left["address"]), text(&left["reason"])))
        .collect()
}

/// Addresses that are embedded.
fn embedded(output: &Value) -> Vec<String> {
    let list = output["embedded"].as_array().unwrap();
    list.iter()
        .map(|one| one["address"].as_str().unwrap().to_owned())
        .collect()
}
