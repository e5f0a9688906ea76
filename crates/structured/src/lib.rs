//! What shops say to machines, read the way it is written: JSON-LD, Microdata, RDFa and OpenGraph as products with
//! evidence for every field, prices, robots.txt, sitemaps, and file names for products.
//!
//! Pure: nothing here reads a file, a clock or the network.

pub mod entities;
pub mod evidence;
pub mod json;
pub mod jsonld;
pub mod microdata;
pub mod node;
pub mod opengraph;
pub mod page;
pub mod price;
pub mod product;
pub mod rdfa;
pub mod robots;
pub mod sitemap;
pub mod slug;
pub mod visible;
pub mod walk;

pub use evidence::{Conflict, Evidence, Source};
pub use page::{Page, extract};
pub use product::{Price, Product, Variant};
