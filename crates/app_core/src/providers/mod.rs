//! Far sides and heavy libraries, one cargo feature each. No provider knows another, and none knows a tool.

#[cfg(feature = "image")]
pub mod image;
#[cfg(feature = "vector")]
pub mod vector;
