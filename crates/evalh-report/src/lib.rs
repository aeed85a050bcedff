//! Run records to Markdown and terminal tables.
//!
//! Everything is computed from a [`Record`](evalh_record::Record): a report can be made again at any time, and two
//! reports of one record are the same bytes.

pub mod aligned;
pub mod compare;
mod counts;
mod figure;
mod markdown;
mod number;
mod parts;
mod plot;
mod terminal;
mod warnings;

pub use aligned::Style;
pub use compare::{OldComparison, comparisons};
pub use figure::Figure;
pub use markdown::{Align, Table, escaped, markdown};
pub use plot::figures;
pub use terminal::terminal;
pub use warnings::{Warning, warnings};
