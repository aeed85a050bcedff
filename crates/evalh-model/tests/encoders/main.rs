//! Encoders against the reference implementation.

mod behaviour;
mod classifier;
mod codes;
mod parity;
mod reference;
mod refusals;
mod source;
mod training;
