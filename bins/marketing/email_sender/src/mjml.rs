//! MJML to HTML, with files of the letter's own folder only.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use mrml::prelude::{
    parser::{
        ParserOptions,
        loader::{IncludeLoader, IncludeLoaderError},
    },
    render::RenderOptions,
};

/// Most files that a letter takes in, and the largest of them.
const MOST_FILES: u32 = 100;
const LARGEST: u64 = 1 << 20;

/// Reads files that lie in one folder or below it, whatever leads there.
#[derive(Debug)]
struct Rooted {
    root: PathBuf,
    files: Arc<AtomicU32>,
}

impl IncludeLoader for Rooted {
    fn resolve(&self, path: &str) -> Result<String, IncludeLoaderError> {
        let outside = || {
            IncludeLoaderError::new(path, ErrorKind::PermissionDenied)
                .with_message("it leaves the folder of the letter")
        };
        if self.files.fetch_add(1, Ordering::Relaxed) >= MOST_FILES {
            return Err(IncludeLoaderError::new(path, ErrorKind::InvalidData)
                .with_message("too many files are taken in"));
        }
        let missing = |error: &std::io::Error| IncludeLoaderError::new(path, error.kind());
        let file = self.root.join(path).canonicalize().map_err(|e| missing(&e))?;
        if !file.starts_with(&self.root) {
            return Err(outside());
        }
        let large = file.metadata().map_err(|e| missing(&e))?.len() > LARGEST;
        if large {
            return Err(
                IncludeLoaderError::new(path, ErrorKind::InvalidData).with_message("it is larger than 1 MiB")
            );
        }
        std::fs::read_to_string(&file).map_err(|e| missing(&e))
    }
}

/// The HTML of a letter whose file lies in `folder`, and what a reader of the report should know.
pub(crate) fn html(source: &str, folder: &Path) -> Result<(String, Vec<String>), String> {
    let root = folder
        .canonicalize()
        .map_err(|error| format!("the folder of the letter: {error}"))?;
    let options = ParserOptions {
        include_loader: Box::new(Rooted {
            root,
            files: Arc::default(),
        }),
    };
    let parsed = mrml::parse_with_options(source, &options).map_err(|error| told(&error))?;
    let mut warnings: Vec<String> = parsed
        .warnings
        .iter()
        .map(|warning| match warning.kind.as_str() {
            "inline-style-unsupported" => {
                "`mj-style inline` is not applied to elements; it stands in the head".to_owned()
            }
            other => format!("MJML: {other}"),
        })
        .collect();
    warnings.sort();
    warnings.dedup();
    let html = parsed
        .element
        .render(&RenderOptions::default())
        .map_err(|error| told(&error))?;
    Ok((html, warnings))
}

/// A failure with its causes: why a file was not taken in stands there.
fn told(error: &dyn std::error::Error) -> String {
    let mut words = format!("MJML: {error}");
    let mut cause = error.source();
    while let Some(next) = cause {
        words.push_str(&format!(": {next}"));
        cause = next.source();
    }
    words
}
