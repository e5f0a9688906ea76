//! The scaffold of the migration, which goes when the last script is gone.
//!
//! It lets a tool be called as the script that it replaces ([`OldCalls`], [`main`]) and keeps what was shown of each
//! tool before its script may go ([`evidence`]). ARCHITECTURE.md lists what else belongs to this wing and what to
//! delete with it; nothing outside the wing depends on it but the `main.rs` of tools that answer old calls.

pub mod evidence;
mod old_calls;

pub use old_calls::{OldCalls, main, python_true};
