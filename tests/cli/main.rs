//! End-to-end tests of the binary: what a user types, sees, and finds on disk.

mod bad_input;
mod bench;
mod classifier;
mod classifier_experiment;
mod gpu;
mod help;
mod inspect;
mod judge;
mod lists;
mod reference;
mod resume;
mod run;
mod score;
mod suites;
mod support;
mod train;
mod variants;
mod verify;
