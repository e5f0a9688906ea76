//! Telegram provider: one account session, its lock and pacing, peers, history, and the export formats.
//!
//! A tool opens [`Telegram`] and sees [`model`]; the wire types of grammers stay behind this crate.
//! It is a crate of its own beside `app_core` because of its size: the other tools need not be built with it.

pub mod acting;
pub mod aliases;
mod archive;
pub mod auth;
pub mod bulk;
pub mod claims;
pub mod clean;
mod client;
mod convert;
mod dialogs;
pub mod export;
pub mod exporter;
pub mod facts;
mod failure;
pub mod files;
mod folders;
mod history;
pub mod import;
pub mod listing;
mod lock;
pub mod many;
mod media;
pub mod model;
mod pace;
pub mod peers;
mod proxy;
pub mod reactions;
mod settings;
pub mod storage;
mod transfer;
pub mod undo;

pub use acting::{Outgoing, Sent};
pub use aliases::AliasFile;
pub use client::{KEY_REVOKED, Telegram};
pub use dialogs::{Dialog, Standing};
pub use folders::Filed;
pub use history::{After, Changes, Mark, PAGE, Page, Pages, Search, Window};
pub use lock::Lock;
pub use pace::Pace;
pub use peers::{ByTitle, Chat};
pub use reactions::{Given, Reacted};
pub use settings::{Settings, declare};
pub use transfer::{Exported, Job, Range, moment};
