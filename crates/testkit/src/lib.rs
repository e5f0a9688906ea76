//! Test harness: fake far sides on loopback, isolated sandboxes, and the search for built tools.
//!
//! A dev-dependency of everything and a dependency of nothing but the `parity` binary.

#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "test support: a broken surrounding must fail the test at once, and far sides have a clock of their own"
)]

pub mod broken;
pub mod extremes;
#[cfg(feature = "telegram")]
pub mod golden;
pub mod images;
pub mod llm;
pub mod mariadb;
pub mod sandbox;
pub mod shop;
pub mod site;
#[cfg(feature = "mail")]
pub mod smtp;
pub mod socks;
#[cfg(feature = "telegram")]
pub mod telegram;
pub mod tools;

#[cfg(feature = "telegram")]
pub use golden::Golden;
pub use images::ImageServices;
pub use llm::FakeModel;
pub use mariadb::MariaDb;
pub use sandbox::{Finished, Sandbox};
pub use shop::{Goods, Shop};
pub use site::{Reply, Request, Route, Site};
#[cfg(feature = "mail")]
pub use smtp::{SmtpRules, SmtpServer};
pub use socks::Socks;
