//! `quixbugs_detect`: tell a program with a bug from its fix, by the likelihood of "yes" and "no".

mod prompt;
mod suite;
mod task;

pub use suite::QuixBugsDetect;
