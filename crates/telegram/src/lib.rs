//! Telegram provider: one account session, its lock and pacing, peers, history, and the export formats.
//!
//! A tool sees [`model`] only; the wire types of grammers stay behind this crate.

pub mod export;
pub mod model;
