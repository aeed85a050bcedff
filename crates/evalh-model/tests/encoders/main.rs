//! Encoders against the reference implementation.

mod behaviour;
mod parity;
mod reference;
mod refusals;
mod source;
mod training;
