//! Looking through lines of JSON fast: where each begins, and what its texts contain.
//!
//! A [`Scanner`] reads lines of the known shapes without allocating and says of each which [`Facts`] hold: what could
//! make some rule fire. Most lines are acquitted by them, at the speed of memory; what is left is for a parser. A
//! [`LineIndex`] says where in a file a line begins.
//!
//! Nothing is owned here beyond the scratch space of a scanner. Deliberately absent: any knowledge of base models and
//! rules, any parser of values, any thread.

mod block;
mod escape;
mod facts;
mod index;
mod line;
mod text;
mod words;

pub use escape::{hash_text, hash_turn, unescape};
pub use facts::{Digest, Facts, Limits};
pub use index::{Fingerprint, LineIndex, lines};
pub use line::{Form, Line, Padded, Scanner, Span, Speaker};
pub use words::Words;
