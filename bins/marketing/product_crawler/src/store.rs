//! What is kept between crawls, in the state folder: what each page said when it was fetched last (so that it need not
//! be sent again), the file name of every product, and the last crawl of each folder to compare with.

use std::{collections::HashMap, path::PathBuf};

use app_core::{
    Context, ErrorKind, ToolError, ToolResult,
    state::{self, database::database_error},
};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use structured::Product;

use crate::fetch::Validators;

const MIGRATIONS: &[&str] = &["
CREATE TABLE pages (url TEXT PRIMARY KEY, reader TEXT NOT NULL, etag TEXT, modified TEXT, result TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE names (folder TEXT NOT NULL, url TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (folder, url)) WITHOUT ROWID;
CREATE TABLE last_crawl (folder TEXT NOT NULL, url TEXT NOT NULL, sold TEXT NOT NULL, PRIMARY KEY (folder, url)) WITHOUT ROWID;
"];

/// What a page turned out to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageResult {
    /// HTTP status.
    pub status: u16,
    /// When it was fetched.
    pub fetched_at: String,
    /// The product that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Box<Product>>,
    /// Where it leads, when it is a redirect within the shop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leads_to: Option<String>,
    /// Other products on it.
    #[serde(default)]
    pub others: usize,
    /// JSON-LD scripts that could not be read at all.
    #[serde(default)]
    pub unreadable: usize,
    /// What was noticed on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What is compared between two crawls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sold {
    /// Name.
    pub name: String,
    /// Price as people read it.
    pub price: Option<String>,
    /// Availability.
    pub availability: Vec<String>,
}

impl Sold {
    /// Of a product.
    pub fn of(product: &Product) -> Self {
        Self {
            name: product.name.clone(),
            price: product.price.as_ref().map(ToString::to_string),
            availability: product.availability.clone(),
        }
    }
}

/// The store.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
    /// The reader of pages, by its version: what another one made of a page is read anew.
    reader: String,
    /// A run that only plans leaves everything as it is.
    read_only: bool,
}

impl Store {
    /// Opens the store of this host.
    pub fn open(ctx: &Context) -> ToolResult<Self> {
        let path = ctx.state_dir()?.join("product_crawler.sqlite3");
        Ok(Self {
            connection: state::open(&path, MIGRATIONS)?,
            path,
            reader: ctx.definition().version.clone(),
            read_only: ctx.dry_run(),
        })
    }

    fn failed(&self, error: &rusqlite::Error) -> ToolError {
        database_error(&self.path, error)
    }

    fn decoded<T: serde::de::DeserializeOwned>(&self, text: &str) -> ToolResult<T> {
        serde_json::from_str(text).map_err(|error| {
            ToolError::new(
                ErrorKind::Conflict,
                format!("`{}` holds what it should not: {error}", self.path.display()),
            )
        })
    }

    /// What the page said last, with what to ask by whether it changed.
    pub fn page(&self, url: &str) -> ToolResult<Option<(Validators, PageResult)>> {
        let row = self
            .connection
            .query_row(
                "SELECT etag, modified, result FROM pages WHERE url = ? AND reader = ?",
                [url, &self.reader],
                |row| {
                    let validators = Validators {
                        etag: row.get(0)?,
                        modified: row.get(1)?,
                    };
                    Ok((validators, row.get::<_, String>(2)?))
                },
            )
            .optional()
            .map_err(|error| self.failed(&error))?;
        row.map(|(validators, text)| Ok((validators, self.decoded(&text)?)))
            .transpose()
    }

    /// Keeps what a page said.
    pub fn keep(&self, url: &str, validators: &Validators, result: &PageResult) -> ToolResult<()> {
        let text = serde_json::to_string(result).map_err(|e| ToolError::internal(format!("page: {e}")))?;
        self.connection
            .execute(
                "INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?, ?)",
                params![url, self.reader, validators.etag, validators.modified, text],
            )
            .map(drop)
            .map_err(|error| self.failed(&error))
    }

    /// File names of the products in a folder, by address.
    pub fn names(&self, folder: &str) -> ToolResult<Vec<(String, String)>> {
        self.pairs("SELECT url, name FROM names WHERE folder = ?", folder)
    }

    /// Keeps a file name.
    pub fn keep_name(&self, folder: &str, url: &str, name: &str) -> ToolResult<()> {
        if self.read_only {
            return Ok(());
        }
        self.connection
            .execute(
                "INSERT OR IGNORE INTO names VALUES (?, ?, ?)",
                [folder, url, name],
            )
            .map(drop)
            .map_err(|error| self.failed(&error))
    }

    /// What the last crawl into a folder found, by address.
    pub fn last(&self, folder: &str) -> ToolResult<HashMap<String, Sold>> {
        let rows = self.pairs("SELECT url, sold FROM last_crawl WHERE folder = ?", folder)?;
        rows.into_iter()
            .map(|(url, text)| Ok((url, self.decoded(&text)?)))
            .collect()
    }

    /// Takes the place of the last crawl: what was found now, and without what is gone.
    pub fn keep_last(&mut self, folder: &str, found: &[(String, Sold)], gone: &[String]) -> ToolResult<()> {
        if self.read_only {
            return Ok(());
        }
        let path = self.path.clone();
        let mut write = || -> rusqlite::Result<()> {
            let transaction = self.connection.transaction()?;
            for url in gone {
                transaction.execute(
                    "DELETE FROM last_crawl WHERE folder = ? AND url = ?",
                    [folder, url],
                )?;
            }
            for (url, sold) in found {
                let text = serde_json::to_string(sold).unwrap_or_default();
                transaction.execute(
                    "INSERT OR REPLACE INTO last_crawl VALUES (?, ?, ?)",
                    [folder, url, &text],
                )?;
            }
            transaction.commit()
        };
        write().map_err(|error| database_error(&path, &error))
    }

    fn pairs(&self, sql: &str, folder: &str) -> ToolResult<Vec<(String, String)>> {
        let read = || -> rusqlite::Result<Vec<(String, String)>> {
            let mut statement = self.connection.prepare(sql)?;
            let rows = statement.query_map([folder], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        };
        read().map_err(|error| self.failed(&error))
    }
}
