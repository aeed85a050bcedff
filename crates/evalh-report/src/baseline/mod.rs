//! The scores of a run by item, small enough to commit: what a later run is held against without the old run's folder.
//!
//! A baseline is a JSON file of schema [`BASELINE_SCHEMA`]: the run's [`Settings`](evalh_record::Settings) (hashes of
//! data, checkpoints and adapters, every setting that can change a score), its result rows, and for every task of every
//! suite the score of each item by each metric that rests on items' scores. It holds no text of a benchmark and no answer;
//! which items were asked is one hash a task.

mod bits;
mod collect;
mod error;
mod file;
mod form;
mod guard;
mod lookup;
mod show;
mod text;
mod values;

pub(crate) use collect::is_of_items;
pub use error::{BaselineError, BaselineResult};
pub use form::{BASELINE_SCHEMA, Baseline, ItemScores, SuiteItems, TaskItems};
pub use guard::comparable;
pub(crate) use guard::moment;
pub use show::show;
pub(crate) use values::Series;
pub use values::{Losses, Values};
