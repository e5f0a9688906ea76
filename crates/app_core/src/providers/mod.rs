//! Far sides, one cargo feature each; pictures lie in the crates `raster` and `vector`. No provider knows another, and none knows a tool.

#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "sql")]
pub mod sql;
