//! Scores of layers: a row a layer, as long as its score.

use super::{
    MARGIN, SMALL, TEXT, WIDTH, axis,
    canvas::{Anchor, Canvas, Text},
    ink::Ink,
    scale::{Scale, drawable},
    width::width,
};
use crate::{Figure, number::spans};
use evalh_record::training::LayerSelection;

const ROW: f64 = 16.0;

/// The drawing of a probe; `at` is its place among the drawings of its kind.
pub fn layers(at: usize, name: &str, selection: &LayerSelection) -> Figure {
    let count = selection.scores.len();
    let selected = &selection.layers_to_transform;
    let label_width = width(&count.saturating_sub(1).to_string(), TEXT) + width("\u{2605} ", TEXT);
    let left = MARGIN + label_width + 8.0;
    let values = selection.scores.iter().copied().chain([0.0]);
    let scale = Scale::over(values, left, WIDTH - MARGIN);
    let top = MARGIN;
    let bottom = top + count as f64 * ROW;
    let mut canvas = Canvas::default();
    axis::below(&mut canvas, &scale, top, bottom);
    for (layer, score) in selection.scores.iter().enumerate() {
        let is_selected = selected.contains(&layer);
        let ink = if is_selected {
            Ink::Selective
        } else {
            Ink::Base
        };
        let y = top + (layer as f64 + 0.5) * ROW;
        let mark = if is_selected { "\u{2605} " } else { "" };
        let state = if is_selected { ", selected" } else { "" };
        canvas.named(&format!("layer {layer}: {score:.4e}{state}"), |canvas| {
            let label = format!("{mark}{layer}");
            canvas.text(
                Text::cell(left - 6.0, y, Anchor::End, SMALL, label_width),
                &label,
            );
            if let Some(score) = drawable(*score) {
                canvas.line((scale.at(0.0), y), (scale.at(score), y), ink, ROW - 5.0);
            }
        });
    }
    let title = format!("{name}: scores of layers by {}", selection.method);
    let told = format!(
        "{} of {count} layers are selected: {}.",
        selected.len(),
        spans(selected)
    );
    Figure {
        svg: canvas.finish(
            &format!("evalh-layers-{}", at + 1),
            bottom + axis::LABELS + 6.0,
            &title,
            &told,
        ),
        caption: format!(
            "A bar a layer, as long as its score; a star marks the selected ones. {told}"
        ),
        title,
    }
}
