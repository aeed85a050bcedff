//! A run: what is answered, scored and recorded, and in which order.

pub mod adapters;
pub mod book;
pub mod model;
pub mod open;
pub mod session;
pub mod suites;
pub mod variants;
