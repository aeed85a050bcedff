//! Run records to Markdown and terminal tables.
//!
//! Everything is computed from a [`Record`](evalh_record::Record): a report can be made again at any time, and two
//! reports of one record are the same bytes.

pub mod aligned;
pub mod baseline;
pub mod compare;
mod counts;
pub mod gate;
mod markdown;
mod number;
mod parts;
mod terminal;
mod warnings;

pub use aligned::Style;
pub use compare::{OldComparison, comparisons};
pub use markdown::{Align, Table, escaped, markdown};
pub use terminal::terminal;
pub use warnings::{Warning, warnings};
