//! Draws that others can repeat: Python's generator bit for bit, and what is drawn with it.

mod python;
mod stratified;

pub use python::PythonRandom;
pub use stratified::draw_stratified;
