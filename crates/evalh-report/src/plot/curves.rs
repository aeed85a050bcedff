//! Losses over the time spent.

use super::{
    MARGIN, WIDTH, axis,
    canvas::{Anchor, Canvas},
    legend::legend,
    mark::Mark,
    scale::{Scale, drawable},
};
use crate::{
    Figure,
    compare::{Finding, Role},
};

const HEIGHT: f64 = 260.0;

/// Marks that tell lines apart: with more lines than these a drawing is cut in two.
const MARKS: [Mark; 6] = [
    Mark::Role(Role::Standard),
    Mark::Role(Role::Selective),
    Mark::Role(Role::Other),
    Mark::Finding(Finding::Better),
    Mark::Finding(Finding::Worse),
    Mark::Role(Role::Base),
];

/// The trainings of an arm: of each the points of its line, seconds and loss.
pub struct Curve<'c> {
    /// The arm's name.
    pub name: &'c str,
    /// A line a training.
    pub lines: Vec<&'c [(f64, f64)]>,
}

/// Losses of arms, in such a measure, over the time spent, as many drawings as it takes to tell them apart.
pub fn curves(arms: &[Curve<'_>], measure: &str) -> Vec<Figure> {
    let drawings = arms.chunks(MARKS.len()).enumerate();
    drawings
        .map(|(at, arms)| drawing(at, arms, measure))
        .collect()
}

fn drawing(at: usize, arms: &[Curve<'_>], measure: &str) -> Figure {
    let mut canvas = Canvas::default();
    let entries: Vec<(Mark, String)> = MARKS
        .into_iter()
        .zip(arms)
        .map(|(mark, arm)| (mark, arm.name.to_owned()))
        .collect();
    let top = MARGIN + legend(&mut canvas, &entries, MARGIN + 8.0) + 8.0;
    let (left, bottom) = (MARGIN + 46.0, top + HEIGHT);
    let points = || arms.iter().flat_map(|arm| &arm.lines).copied().flatten();
    let across = Scale::over(points().map(|(x, _)| *x).chain([0.0]), left, WIDTH - MARGIN);
    let up = Scale::over(points().map(|(_, y)| *y), bottom, top);
    axis::below(&mut canvas, &across, top, bottom);
    axis::beside(&mut canvas, &up, left, WIDTH - MARGIN);
    for (mark, arm) in MARKS.into_iter().zip(arms) {
        for line in &arm.lines {
            let there = line
                .iter()
                .filter_map(|(x, y)| Some((drawable(*x)?, drawable(*y)?)));
            let placed: Vec<(f64, f64)> = there.map(|(x, y)| (across.at(x), up.at(y))).collect();
            let Some(last) = placed.last().copied() else {
                continue;
            };
            canvas.named(arm.name, |canvas| {
                canvas.polyline(&placed, mark.ink(), 1.5);
                mark.draw(canvas, last, 4.0);
            });
        }
    }
    axis::label(
        &mut canvas,
        WIDTH - MARGIN,
        bottom + axis::LABELS + 12.0,
        Anchor::End,
        "seconds of training",
    );
    let title = "Training loss over the time spent".to_owned();
    let names: Vec<&str> = arms.iter().map(|arm| arm.name).collect();
    let caption = format!(
        "A line a training: the mean loss of its last 10 steps, in {measure}, over the wall time spent on it; a mark at its end."
    );
    Figure {
        svg: canvas.finish(
            &format!("evalh-curves-{}", at + 1),
            bottom + axis::LABELS + 20.0,
            &title,
            &format!("Losses of {}.", names.join(", ")),
        ),
        caption,
        title,
    }
}
