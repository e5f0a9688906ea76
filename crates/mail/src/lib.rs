//! What tools need to send mail, and to be able to say what was sent.
//!
//! [`address`] and [`header`] are types that cannot hold a line break; [`letter`] makes the bytes of a message of them,
//! and [`scan`] looks at those bytes once more, as a server will, before they are sent. [`recipients`] reads lists.
//! [`smtp`] is the connection. [`book`] is who got what, on disk before a byte leaves, in the outbox of the host;
//! [`suppression`] is who gets nothing any more. [`dkim`], [`unsubscribe`] and [`bounce`] are what bulk mail needs.
//!
//! It renders no templates: what a letter says is its caller's work.

pub mod address;
pub mod book;
pub mod bounce;
pub mod dkim;
mod encoding;
pub mod header;
pub mod letter;
pub mod parameter;
pub mod recipients;
pub mod scan;
pub mod smtp;
pub mod suppression;
mod table;
pub mod unsubscribe;

pub use address::{Address, AddressError, Mailbox, Rules};
pub use book::{Book, CampaignKey};
pub use header::{HeaderError, HeaderText};
pub use letter::{Attachment, Letter};
pub use recipients::{Recipient, Recipients, Skipped};
pub use suppression::{Reason, Suppressions};
