//! What the tool needs: the options, their defaults, and the rules that follow from them.

use std::path::PathBuf;

use app_core::{ToolError, ToolResult};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::embed::{Kind, Rules};

const fn default_resource_bytes() -> u64 {
    50_000_000
}

const fn default_load_bytes() -> u64 {
    500_000_000
}

const fn default_requests() -> u64 {
    5_000
}

const fn default_output_bytes() -> u64 {
    200_000_000
}

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Input {
    /// Page: an http(s) address, a file, or a folder with an `index.html`
    #[garde(length(min = 1))]
    #[schemars(extend("x-cli" = {"positional": 1, "path": "any", "aliases": ["path", "url"]}))]
    pub target: String,
    /// File for the bundled page; without it the page is part of the result
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "o", "aliases": ["out"], "path": "out"}))]
    pub output: Option<PathBuf>,
    /// Kinds to embed; all when not given
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<Kind>,
    /// Kinds not to embed
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<Kind>,
    /// Remove what is excluded instead of leaving its address in the page; with scripts, handlers and `javascript:`
    /// addresses go too
    #[serde(default)]
    pub drop_excluded: bool,
    /// Domains that resources may come from, with their subdomains; all when not given
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_domains: Vec<String>,
    /// Domains that resources may not come from, with their subdomains
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny_domains: Vec<String>,
    /// Most bytes per kind as `kind=bytes`, or `total=bytes`; what exceeds it is not embedded
    #[garde(length(max = 20))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budget: Vec<String>,
    /// Add a content security policy that forbids every request and form, and remove refreshes; scripts of the page can
    /// still lead to another page, unless they are excluded and dropped
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "I"}))]
    pub isolate: bool,
    /// Read files only, no network
    #[serde(default)]
    pub offline: bool,
    /// End with exit code 3 when something is not embedded that was not excluded
    #[serde(default)]
    pub strict: bool,
    /// Folder that local files must lie in; the folder of the page by default
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"path": "dir"}))]
    pub root: Option<PathBuf>,
    /// Largest single resource in bytes
    #[garde(range(min = 1))]
    #[serde(default = "default_resource_bytes")]
    pub max_resource_bytes: u64,
    /// Most bytes loaded in all
    #[garde(range(min = 1))]
    #[serde(default = "default_load_bytes")]
    pub max_load_bytes: u64,
    /// Most resources loaded
    #[garde(range(min = 1))]
    #[serde(default = "default_requests")]
    pub max_requests: u64,
    /// Most bytes put into the page; what exceeds it is not embedded, and the exit code is 3
    #[garde(range(min = 1))]
    #[serde(default = "default_output_bytes")]
    pub max_output_bytes: u64,
}

impl Input {
    /// What these options let be embedded.
    pub fn rules(&self) -> ToolResult<Rules> {
        let wanted = if self.include.is_empty() {
            Kind::ALL.to_vec()
        } else {
            self.include.clone()
        };
        let kinds = wanted
            .into_iter()
            .filter(|kind| !self.exclude.contains(kind))
            .collect();
        let mut rules = Rules {
            kinds,
            allow: self.allow_domains.clone(),
            deny: self.deny_domains.clone(),
            output: self.max_output_bytes,
            ..Rules::default()
        };
        for (at, entry) in self.budget.iter().enumerate() {
            let field = format!("budget[{at}]");
            let wrong = || {
                let kinds = Kind::ALL.map(Kind::as_str).join(", ");
                ToolError::invalid(&field, format!("`{entry}` is not `kind=bytes`")).hint(format!(
                    "kinds: total, {kinds}; for example `--budget images=500000`"
                ))
            };
            let (name, bytes) = entry.split_once('=').ok_or_else(wrong)?;
            let bytes: u64 = bytes.trim().parse().map_err(|_| wrong())?;
            if name.trim() == "total" {
                rules.total = Some(bytes);
            } else {
                let kind = Kind::ALL
                    .into_iter()
                    .find(|kind| kind.as_str() == name.trim())
                    .ok_or_else(wrong)?;
                rules.budgets.insert(kind, bytes);
            }
        }
        Ok(rules)
    }
}
