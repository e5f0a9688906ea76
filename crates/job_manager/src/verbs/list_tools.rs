//! `list_tools`: what can be started.

use app_core::contract::{Definition, ToolResult};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    manager::JobManager,
    wire::{ToolEntry, ToolList, ToolSummary},
};

impl JobManager {
    /// Every tool, by name: the binaries that describe themselves, and the scripts that stand in for missing ones.
    pub async fn list_tools(&self) -> ToolResult<Vec<ToolEntry>> {
        self.registry().list().await
    }

    /// The same in short, with a revision that changes whenever anything about any tool does.
    pub async fn tool_list(&self) -> ToolResult<ToolList> {
        let mut digest = Sha256::new();
        let mut tools = Vec::new();
        for entry in self.registry().list().await? {
            let Definition {
                name,
                family,
                summary,
                effects,
                gate,
                ..
            } = &entry.definition;
            // The whole definition: a schema that changed is a change.
            digest.update(serde_json::to_vec(&(&entry.definition, entry.route)).unwrap_or_default());
            tools.push(ToolSummary {
                name: name.clone(),
                family: family.clone(),
                summary: summary.clone(),
                effects: effects.clone(),
                gate: *gate,
                route: entry.route,
                actions: actions(&entry.definition),
            });
        }
        let revision = hex::encode(&digest.finalize()[..8]);
        Ok(ToolList { revision, tools })
    }

    /// One tool.
    pub async fn tool(&self, name: &str) -> ToolResult<ToolEntry> {
        let resolved = self.registry().resolve(name).await?;
        Ok(ToolEntry {
            definition: resolved.definition,
            route: resolved.route,
            path: resolved.path,
        })
    }
}

/// The actions of a tool whose input is one of several: the constant that each variant has.
fn actions(definition: &Definition) -> Vec<String> {
    let variants = definition
        .input_schema
        .as_value()
        .get("oneOf")
        .and_then(Value::as_array);
    let constant = |variant: &Value| {
        let mut properties = variant.get("properties")?.as_object()?.values();
        properties.find_map(|p| p.get("const")?.as_str().map(str::to_owned))
    };
    variants.into_iter().flatten().filter_map(constant).collect()
}
