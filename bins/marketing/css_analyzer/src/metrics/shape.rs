//! The metrics of a sheet, named and nested as `@projectwallace/css-analyzer` 9 does, so that results compare
//! key by key. Sizes are in UTF-16 units, as there.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    counts::{ContextTally, DefinedUsed, Part, Series, Share, Spread, Tally},
    weight::Specificity,
};

/// All metrics of one sheet.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Metrics {
    /// The sheet as a whole.
    pub stylesheet: Stylesheet,
    /// At-rules.
    pub atrules: AtRules,
    /// Style rules.
    pub rules: Rules,
    /// Selectors.
    pub selectors: Selectors,
    /// Declarations.
    pub declarations: Declarations,
    /// Properties.
    pub properties: Properties,
    /// Values.
    pub values: Values,
}

/// The sheet as a whole.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stylesheet {
    /// At-rules, selectors, declarations and keyframe selectors together.
    pub source_lines_of_code: usize,
    /// Lines.
    pub lines_of_code: usize,
    /// UTF-16 units.
    pub size: usize,
    /// Sum of the complexity of at-rules, selectors, declarations, properties and values.
    pub complexity: u64,
    /// Comments.
    pub comments: Comments,
    /// Data URLs.
    pub embedded_content: Embedded,
}

/// Comments.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Comments {
    /// How many.
    pub total: usize,
    /// UTF-16 units with their marks.
    pub size: usize,
}

/// Data URLs.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Embedded {
    /// UTF-16 units and share of the sheet.
    pub size: Part,
    /// By media type.
    pub types: EmbeddedTypes,
}

/// Data URLs by media type.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EmbeddedTypes {
    /// How many.
    pub total: usize,
    /// Different media types.
    pub total_unique: usize,
    /// Different types per data URL.
    pub uniqueness_ratio: f64,
    /// Each media type.
    pub unique: BTreeMap<String, EmbeddedType>,
}

/// One media type of data URLs.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct EmbeddedType {
    /// How many.
    pub count: usize,
    /// UTF-16 units.
    pub size: usize,
}

/// At-rules.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct AtRules {
    /// Every at-rule by its name without vendor prefix.
    #[serde(flatten)]
    pub all: Tally,
    pub fontface: FontFaces,
    pub import: Tally,
    pub media: Media,
    pub charset: Tally,
    pub supports: Supports,
    pub keyframes: Keyframes,
    pub container: Container,
    pub layer: Layer,
    pub property: Tally,
    pub function: Tally,
    pub scope: Tally,
    pub complexity: Spread,
    pub nesting: Series,
}

/// `@font-face` rules, each with its descriptors.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FontFaces {
    pub total: usize,
    pub total_unique: usize,
    pub unique: Vec<BTreeMap<String, String>>,
    pub uniqueness_ratio: f64,
}

/// `@media`.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Media {
    #[serde(flatten)]
    pub all: Tally,
    pub browserhacks: Tally,
    pub features: Tally,
}

/// `@supports`.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Supports {
    #[serde(flatten)]
    pub all: Tally,
    pub browserhacks: Tally,
}

/// `@keyframes`, and which animations are defined and used.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Keyframes {
    #[serde(flatten)]
    pub all: Tally,
    #[serde(flatten)]
    pub names: DefinedUsed,
    pub prefixed: Share,
}

/// `@container`.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Container {
    #[serde(flatten)]
    pub all: Tally,
    pub names: ContainerNames,
}

/// Container names.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct ContainerNames {
    #[serde(flatten)]
    pub all: Tally,
    #[serde(flatten)]
    pub names: DefinedUsed,
}

/// `@layer`, and layers of `@import`.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Layer {
    #[serde(flatten)]
    pub all: Tally,
    #[serde(flatten)]
    pub names: DefinedUsed,
}

/// Style rules; keyframes do not count.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Rules {
    /// How many.
    pub total: usize,
    /// Without declarations and nested rules.
    pub empty: Part,
    /// Selectors and declarations per rule.
    pub sizes: Series,
    /// Depth of each rule.
    pub nesting: Series,
    /// Selectors per rule.
    pub selectors: Series,
    /// Declarations per rule.
    pub declarations: Series,
}

/// Selectors; those of keyframes are counted apart.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Selectors {
    pub total: usize,
    pub total_unique: usize,
    pub uniqueness_ratio: f64,
    pub specificity: SpecificityMetrics,
    pub complexity: Series,
    pub nesting: Series,
    pub id: Share,
    pub pseudo_classes: Tally,
    pub pseudo_elements: Tally,
    pub accessibility: Share,
    pub attributes: Tally,
    pub custom_elements: Tally,
    pub keyframes: Tally,
    pub prefixed: Share,
    pub combinators: Tally,
}

/// Specificity as `[ids, classes, types]`.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct SpecificityMetrics {
    pub min: Specificity,
    pub max: Specificity,
    pub sum: Specificity,
    pub mean: [f64; 3],
    pub mode: [f64; 3],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<Specificity>>,
    #[serde(flatten)]
    pub all: Tally,
}

/// Declarations.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Declarations {
    pub total: usize,
    pub total_unique: usize,
    pub uniqueness_ratio: f64,
    pub importants: Importants,
    pub complexity: Spread,
    pub nesting: Series,
}

/// `!important`.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Importants {
    pub total: usize,
    pub ratio: f64,
    pub in_keyframes: Part,
}

/// Properties.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Properties {
    #[serde(flatten)]
    pub all: Tally,
    pub prefixed: Share,
    pub custom: CustomProperties,
    pub shorthands: Share,
    pub browserhacks: Share,
    pub complexity: Spread,
    pub anchor_names: DefinedUsed,
}

/// Custom properties.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct CustomProperties {
    #[serde(flatten)]
    pub all: Share,
    #[serde(flatten)]
    pub names: DefinedUsed,
    pub importants: Share,
}

/// Values.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Values {
    pub colors: Colors,
    pub gradients: Tally,
    pub font_families: Tally,
    pub font_sizes: Tally,
    pub line_heights: Tally,
    pub zindexes: Tally,
    pub text_shadows: Tally,
    pub box_shadows: Tally,
    pub border_radiuses: ContextTally,
    pub animations: Animations,
    pub prefixes: Tally,
    pub browserhacks: Tally,
    pub units: ContextTally,
    pub complexity: Spread,
    pub keywords: Tally,
    pub resets: Tally,
    pub displays: Tally,
}

/// Colours, and how they are written.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Colors {
    #[serde(flatten)]
    pub all: ContextTally,
    pub formats: Tally,
}

/// Animations and transitions.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Animations {
    pub durations: Tally,
    pub timing_functions: Tally,
    pub names: Tally,
}
