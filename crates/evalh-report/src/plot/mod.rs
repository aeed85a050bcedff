//! Drawings of a comparison, as SVG.
//!
//! They are laid out by hand and written by a small typed [`Canvas`](canvas::Canvas), not by `plotters`: a chart library
//! writes fixed colours and text without names, while these follow the theme of the page that they stand in, tell what
//! they show to a screen reader, and keep text legible at 400 px.
//!
//! A drawing works in both places that a report is read in. Inside HTML its text takes the page's colour
//! (`currentColor`), its ground is the page's, and the hues can be set by custom properties (`--plot-better`,
//! `--plot-worse`, `--plot-base`, `--plot-standard`, `--plot-selective`, `--plot-other`). As a file it brings its own
//! ground and follows `prefers-color-scheme`. A renderer without style sheets sees the light theme. The hues have a contrast
//! of 3 or more on white and on the dark ground, and every meaning has a shape as well as a hue.

mod axis;
mod canvas;
mod curves;
mod escape;
mod forest;
mod ink;
mod label;
mod layers;
mod legend;
mod mark;
mod place;
mod replicates;
mod scale;
mod scatter;
mod subjects;
mod unit;
mod width;

#[cfg(test)]
pub(crate) mod example;
#[cfg(test)]
mod tests;

pub use curves::{Curve, curves};
pub use layers::layers;

use crate::{Figure, compare::Comparison};

/// Width of every drawing, in its own units: pixels where it is shown at its own size.
const WIDTH: f64 = 520.0;

/// Free space at the left and right of a drawing.
const MARGIN: f64 = 8.0;

/// Size of names, in units.
const TEXT: f64 = 13.0;

/// Size of numbers and of what is said in passing.
const SMALL: f64 = 12.0;

/// All drawings that the comparison has the numbers for, in the order in which they are read: what changed, over models and
/// seeds, at what cost, in which tasks.
pub fn figures(comparison: &Comparison) -> Vec<Figure> {
    let mut found = forest::figures(comparison);
    found.extend(replicates::figures(comparison));
    found.extend(scatter::figures(comparison));
    found.extend(subjects::figures(comparison));
    found
}

/// `95 %`.
fn confidence(comparison: &Comparison) -> String {
    let percent = comparison.analysis.confidence * 100.0;
    let rounded = (percent * 100.0).round() / 100.0;
    format!("{rounded} %")
}
