//! The syntax of style sheets, as far as several tools need it: tokens, addresses, and where a sheet ends.

mod closing;
mod escape;
pub mod lex;

pub use closing::closed;
pub use escape::{quoted, unescape, unquote};
