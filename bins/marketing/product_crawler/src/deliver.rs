//! The files of a crawl: products.ndjson, a Markdown file for each product, crawl.json.

use std::{
    collections::HashSet,
    io::Write as _,
    path::{Path, PathBuf},
};

use app_core::{Context, ToolError, ToolResult};
use serde::Serialize;
use serde_json::Value;
use structured::{Product, slug::Names};

use crate::{markdown::markdown, store::Store};

/// Largest products.ndjson of an earlier crawl that is looked into for file names.
const MOST_NAMES: u64 = 512 << 20;

/// A line of products.ndjson.
#[derive(Serialize)]
struct Line<'a> {
    page: &'a str,
    file: String,
    fetched_at: &'a str,
    #[serde(flatten)]
    product: &'a Product,
}

/// The folder that a crawl writes to, and the names in it.
#[derive(Debug)]
pub struct Folder<'a> {
    ctx: &'a Context,
    path: PathBuf,
    /// The folder in the words of the store.
    pub key: String,
}

impl<'a> Folder<'a> {
    /// The folder at this path.
    pub fn new(ctx: &'a Context, path: &Path) -> ToolResult<Self> {
        let whole = std::path::absolute(path).map_err(|error| ToolError::file("find", path, &error))?;
        Ok(Self {
            ctx,
            path: path.to_owned(),
            key: whole.display().to_string(),
        })
    }

    /// The names of earlier crawls: from the store, and from products.ndjson where the folder came from another host. A
    /// Markdown file that no crawl wrote is left alone, and so is its name.
    fn names(&self, store: &Store, portable: bool) -> ToolResult<Names> {
        let mut known = store.names(&self.key)?;
        let mut urls: HashSet<String> = known.iter().map(|(url, _)| url.clone()).collect();
        let list = self.path.join("products.ndjson");
        if list.is_file() {
            let text = app_core::files::read_limited(&list, MOST_NAMES)?;
            for line in text.split(|byte| *byte == b'\n') {
                let Ok(line) = serde_json::from_slice::<Value>(line) else {
                    continue;
                };
                let file = line["file"].as_str().and_then(|file| file.strip_suffix(".md"));
                if let (Some(page), Some(name)) = (line["page"].as_str(), file)
                    && urls.insert(page.to_owned())
                {
                    known.push((page.to_owned(), name.to_owned()));
                }
            }
        }
        let mut names = Names::new(known, portable);
        for entry in std::fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let file = entry.file_name();
            if let Some(name) = file.to_str().and_then(|file| file.strip_suffix(".md")) {
                names.reserve(name);
            }
        }
        Ok(names)
    }

    /// Writes the products found on these pages; returns the name of each file.
    pub fn products(&self, store: &Store, pages: &[String], portable: bool) -> ToolResult<Vec<String>> {
        let mut names = self.names(store, portable)?;
        let missing = || ToolError::internal("a product that was found is not in the store");
        let mut list = self.ctx.create(
            self.path.join("products.ndjson"),
            "application/x-ndjson",
            "output",
        )?;
        let mut files = Vec::new();
        for page in pages {
            let (_, result) = store.page(page)?.ok_or_else(missing)?;
            let product = result.product.as_ref().ok_or_else(missing)?;
            let file = format!("{}.md", names.name(page, &product.name));
            let line = Line {
                page,
                file: file.clone(),
                fetched_at: &result.fetched_at,
                product,
            };
            let text =
                serde_json::to_string(&line).map_err(|e| ToolError::internal(format!("product: {e}")))?;
            writeln!(list, "{text}").map_err(|e| ToolError::file("write", list.target(), &e))?;
            files.push(file);
        }
        list.commit()?;
        for (page, file) in pages.iter().zip(&files) {
            self.ctx.check_cancelled()?;
            let (_, result) = store.page(page)?.ok_or_else(missing)?;
            let product = result.product.as_ref().ok_or_else(missing)?;
            let text = markdown(product, page);
            self.ctx
                .write(self.path.join(file), "text/markdown", "output", text.as_bytes())?;
            store.keep_name(&self.key, page, file.trim_end_matches(".md"))?;
        }
        Ok(files)
    }

    /// Writes the report of the crawl.
    pub fn report(&self, report: &impl Serialize) -> ToolResult<()> {
        let mut text =
            serde_json::to_vec_pretty(report).map_err(|e| ToolError::internal(format!("report: {e}")))?;
        text.push(b'\n');
        self.ctx
            .write(self.path.join("crawl.json"), "application/json", "report", &text)?;
        Ok(())
    }
}
