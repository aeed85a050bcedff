//! Run records to comparisons, and comparisons to Markdown, terminal tables and a self-contained HTML page.
//!
//! Everything is computed from [`Record`](evalh_record::Record)s: [`compare::compare`] makes a [`Comparison`] of them, which
//! every form of report shows. A report can be made again at any time, and two reports of the same records are the same
//! bytes.

pub mod aligned;
pub mod baseline;
mod bench;
pub mod compare;
mod counts;
pub mod experiment;
pub mod export;
mod figure;
pub mod gate;
mod markdown;
mod number;
pub mod page;
mod parts;
mod plot;
mod terminal;
mod verdict;
mod warnings;

pub use aligned::Style;
pub use bench::{BenchFile, BenchFileError};
pub use compare::Comparison;
pub use figure::Figure;
pub use markdown::{Align, Image, Table, escaped, markdown};
pub use plot::figures;
pub use terminal::terminal;
pub use verdict::{Verdict, verdicts};
pub use warnings::Warning;
