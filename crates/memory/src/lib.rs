//! Documents that are remembered: stored once, found by words in any script, forgotten for good.
//!
//! One SQLite file of the state directory serves all programs of the host; a **collection** in it is what one of them
//! looks through. [`analysis`] makes terms of texts and questions alike, `postings` keeps which document has which term,
//! [`Memory`] stores, finds and forgets.
//!
//! ```no_run
//! # use memory::{Memory, NewDocument, Question, Wanted};
//! # fn f(dir: &std::path::Path, now: jiff::Timestamp) -> app_core::ToolResult<()> {
//! let mut memory = Memory::open(dir)?;
//! let document = serde_json::json!({"text": "Чайные коробки со скидкой"});
//! let new = NewDocument { document: document.as_object().cloned().unwrap_or_default(), ..NewDocument::default() };
//! memory.store("shop", &[new], now)?;
//! let wanted = Wanted { collection: "shop", limit: 5, conditions: &[], as_of: None, explain: false };
//! let found = memory.search(&Question::words("чайная коробка")?, &wanted)?;
//! assert_eq!(found.hits.len(), 1);
//! # Ok(()) }
//! ```

pub mod analysis;
mod document;
mod filter;
mod forget;
mod gold;
mod moment;
mod postings;
mod python_json;
mod question;
mod reading;
mod remains;
mod search;
mod snippet;
mod store;
mod verify;
mod writing;

pub use document::{Document, NewDocument, Origin, text_of};
pub use filter::Condition;
pub use forget::{Forgotten, Proof};
pub use gold::{GoldQuestion, Measured, Miss};
pub use moment::Span;
pub use python_json::id;
pub use question::Question;
pub use reading::Collection;
pub use search::{Found, Hit, Share, Wanted};
pub use snippet::Snippet;
pub use store::Memory;
pub use verify::{Sought, Verified};
pub use writing::{LARGEST, Stored};
