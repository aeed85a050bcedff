//! Axes with their grid.

use super::{
    SMALL, WIDTH,
    canvas::{Anchor, Canvas, Text},
    ink::Ink,
    scale::Scale,
    width::width,
};

/// Height of a line of tick labels.
pub const LABELS: f64 = 18.0;

/// A horizontal axis below a plot that reaches from `top` to `bottom`: grid lines and what is written under them, down to
/// `bottom + LABELS`.
pub fn below(canvas: &mut Canvas, scale: &Scale, top: f64, bottom: f64) {
    grid(canvas, scale, top, bottom);
    labels(canvas, scale, bottom + 13.0);
}

/// The grid lines of a horizontal axis.
pub fn grid(canvas: &mut Canvas, scale: &Scale, top: f64, bottom: f64) {
    for (value, _) in fitting(scale) {
        let x = scale.at(value);
        canvas.line((x, top), (x, bottom), Ink::Grid, 1.0);
    }
}

/// What is written at the grid lines, on the baseline `y`.
pub fn labels(canvas: &mut Canvas, scale: &Scale, y: f64) {
    for (value, text) in fitting(scale) {
        let x = inside(scale.at(value), &text);
        label(canvas, x, y, Anchor::Middle, &text);
    }
}

/// A vertical axis at the left of a plot that reaches from `left` to `right`.
pub fn beside(canvas: &mut Canvas, scale: &Scale, left: f64, right: f64) {
    let (from, to) = scale.ends();
    let wanted = ((to - from).abs() / 45.0).clamp(2.0, 8.0) as usize;
    for (value, text) in scale.ticks(wanted) {
        let y = scale.at(value);
        canvas.line((left, y), (right, y), Ink::Grid, 1.0);
        let most = left - 10.0;
        canvas.text(
            Text {
                most,
                ..passing(left - 6.0, y + 4.0, Anchor::End)
            },
            &text,
        );
    }
}

/// Says in the corners under a horizontal axis on which side of zero a difference is better.
pub fn sides(canvas: &mut Canvas, scale: &Scale, y: f64, lower_is_better: bool) {
    let (from, to) = scale.ends();
    let (left, right) = if lower_is_better {
        ("\u{2190} better", "worse \u{2192}")
    } else {
        ("\u{2190} worse", "better \u{2192}")
    };
    label(canvas, from, y, Anchor::Start, left);
    label(canvas, to, y, Anchor::End, right);
}

/// A word said in passing.
pub fn label(canvas: &mut Canvas, x: f64, y: f64, anchor: Anchor, text: &str) {
    canvas.text(passing(x, y, anchor), text);
}

fn passing(x: f64, y: f64, anchor: Anchor) -> Text {
    Text {
        x,
        y,
        size: SMALL,
        anchor,
        ink: Ink::Muted,
        is_bold: false,
        most: f64::INFINITY,
    }
}

/// As many ticks as leave room between what is written at them.
fn fitting(scale: &Scale) -> Vec<(f64, String)> {
    let (from, to) = scale.ends();
    let wanted = ((to - from).abs() / 40.0).clamp(2.0, 8.0) as usize;
    for wanted in (2..=wanted).rev() {
        let ticks = scale.ticks(wanted);
        let has_room = ticks.windows(2).all(|pair| {
            let apart = scale.at(pair[1].0) - scale.at(pair[0].0);
            apart > 8.0 + f64::midpoint(width(&pair[0].1, SMALL), width(&pair[1].1, SMALL))
        });
        if has_room {
            return ticks;
        }
    }
    scale.ticks(1).into_iter().take(1).collect()
}

/// The middle of a text that would best stand at `x`, so that all of it is on the drawing.
fn inside(x: f64, text: &str) -> f64 {
    let half = width(text, SMALL) / 2.0 + 1.0;
    x.max(half).min(WIDTH - half)
}
