//! Paired differences with their intervals: a row a contrast.

mod words;

use super::{
    MARGIN, SMALL, TEXT, WIDTH, axis,
    canvas::{Anchor, Canvas, Text},
    ink::Ink,
    label,
    legend::legend,
    mark::Mark,
    scale::{Scale, drawable},
    unit::Unit,
    width::width,
};
use crate::{
    Figure,
    compare::{ComparedMetric, ComparedSuite, Comparison, Contrast, Range},
};

const ROW: f64 = 24.0;
const HEADING: f64 = 26.0;

/// Rows of one drawing: more are spread over several, by suite.
const MOST_ROWS: usize = 40;

/// The narrowest that the plot itself may be.
const NARROWEST: f64 = 170.0;

/// A suite's headline contrasts.
#[derive(Clone, Copy)]
struct Block<'c> {
    suite: &'c ComparedSuite,
    metric: &'c ComparedMetric,
}

/// One drawing, or several, for each unit in which differences are told.
pub fn figures(comparison: &Comparison) -> Vec<Figure> {
    let mut by_unit: Vec<(Unit, Vec<Block<'_>>)> = Vec::new();
    for (suite, metric) in comparison.headlines() {
        if metric.contrasts.is_empty() {
            continue;
        }
        let (unit, block) = (Unit::of(metric), Block { suite, metric });
        match by_unit.iter_mut().find(|(known, _)| *known == unit) {
            Some((_, blocks)) => blocks.push(block),
            None => by_unit.push((unit, vec![block])),
        }
    }
    let mut figures = Vec::new();
    for (unit, blocks) in by_unit {
        for blocks in spread(&blocks) {
            let id = format!("evalh-forest-{}", figures.len() + 1);
            figures.push(
                Forest {
                    comparison,
                    unit: &unit,
                    blocks,
                }
                .figure(&id),
            );
        }
    }
    figures
}

/// The blocks in stretches of at most [`MOST_ROWS`] rows, or of one block.
fn spread<'b, 'c>(blocks: &'b [Block<'c>]) -> Vec<&'b [Block<'c>]> {
    let (mut found, mut from, mut rows) = (Vec::new(), 0, 0);
    for (place, block) in blocks.iter().enumerate() {
        let more = block.metric.contrasts.len();
        if place > from && rows + more > MOST_ROWS {
            found.push(&blocks[from..place]);
            (from, rows) = (place, 0);
        }
        rows += more;
    }
    found.push(&blocks[from..]);
    found
}

struct Forest<'c> {
    comparison: &'c Comparison,
    unit: &'c Unit,
    blocks: &'c [Block<'c>],
}

impl Forest<'_> {
    fn figure(&self, id: &str) -> Figure {
        let title = self.title();
        let (canvas, height) = self.drawn();
        Figure {
            svg: canvas.finish(id, height, &title, &self.description()),
            title,
            caption: self.caption(),
        }
    }

    fn contrasts(&self) -> impl Iterator<Item = (&ComparedSuite, &ComparedMetric, &Contrast)> {
        self.blocks.iter().flat_map(|block| {
            let of_block = block.metric.contrasts.iter();
            of_block.map(|contrast| (block.suite, block.metric, contrast))
        })
    }

    fn drawn(&self) -> (Canvas, f64) {
        let mut canvas = Canvas::default();
        let values: Vec<String> = self
            .contrasts()
            .map(|(_, metric, contrast)| words::value_text(metric, contrast))
            .collect();
        let value_width = widest(values.iter().map(|text| width(text, SMALL)), 210.0);
        let label_most = WIDTH - 2.0 * MARGIN - 24.0 - value_width - NARROWEST;
        let label_width = widest(
            self.contrasts().map(|(_, _, contrast)| {
                let (a, b) = self.names(contrast);
                width(&label::difference(a, b, TEXT, label_most), TEXT)
            }),
            label_most,
        );
        let left = MARGIN + label_width + 12.0;
        let right = WIDTH - MARGIN - value_width - 12.0;
        let scale = Scale::over(self.extent(), left + 4.0, right - 4.0);

        let rows = values.len() as f64;
        let top = MARGIN;
        let bottom = top + rows * ROW + self.blocks.len() as f64 * HEADING + 4.0;
        axis::labels(&mut canvas, &scale, bottom + 13.0);

        let mut y = top;
        let mut values = values.iter();
        for block in self.blocks {
            canvas.text(
                Text {
                    is_bold: true,
                    ..Text::cell(MARGIN, y + 12.5, Anchor::Start, TEXT, WIDTH - 2.0 * MARGIN)
                },
                &label::clipped(&block.heading(), TEXT, WIDTH - 2.0 * MARGIN),
            );
            y += HEADING;
            // not under the headings, which reach over the plot
            let end = y + block.metric.contrasts.len() as f64 * ROW + 4.0;
            axis::grid(&mut canvas, &scale, y, end);
            canvas.line((scale.at(0.0), y), (scale.at(0.0), end), Ink::Muted, 1.5);
            for contrast in &block.metric.contrasts {
                let middle = y + ROW / 2.0;
                let text = values.next().map_or("", String::as_str);
                canvas.named(
                    &self.spoken(block.suite, block.metric, contrast),
                    |canvas| {
                        let (a, b) = self.names(contrast);
                        let name = label::difference(a, b, TEXT, label_most);
                        canvas.text(
                            Text::cell(MARGIN, middle, Anchor::Start, TEXT, label_width),
                            &name,
                        );
                        let wide =
                            Text::cell(WIDTH - MARGIN, middle, Anchor::End, SMALL, value_width);
                        canvas.text(wide, text);
                        self.row(canvas, &scale, middle, contrast);
                    },
                );
                y += ROW;
            }
        }
        axis::sides(
            &mut canvas,
            &scale,
            bottom + axis::LABELS + 12.0,
            self.unit.lower_is_better(),
        );
        let height = bottom + axis::LABELS + 30.0;
        let used = legend(&mut canvas, &self.meanings(), height);
        (canvas, height + used - 4.0)
    }

    fn row(&self, canvas: &mut Canvas, scale: &Scale, y: f64, contrast: &Contrast) {
        let mark = Mark::Finding(contrast.finding);
        if let Some((low, high)) = self.ends(contrast.interval) {
            canvas.line((scale.at(low), y), (scale.at(high), y), mark.ink(), 3.0);
        }
        if let Some((low, high)) = self.ends(contrast.clustered) {
            let y = y + 7.0;
            canvas.line((scale.at(low), y), (scale.at(high), y), mark.ink(), 1.0);
            for end in [low, high] {
                canvas.line(
                    (scale.at(end), y - 2.5),
                    (scale.at(end), y + 2.5),
                    mark.ink(),
                    1.0,
                );
            }
        }
        if let Some(value) = drawable(self.unit.shown(contrast.value)) {
            mark.draw(canvas, (scale.at(value), y), 5.0);
        }
    }

    /// Everything that the axis must show: zero too.
    fn extent(&self) -> Vec<f64> {
        let mut values = vec![0.0];
        for (_, _, contrast) in self.contrasts() {
            values.push(self.unit.shown(contrast.value));
            for (low, high) in [contrast.interval, contrast.clustered]
                .into_iter()
                .filter_map(|range| self.ends(range))
            {
                values.extend([low, high]);
            }
        }
        values
    }

    fn ends(&self, range: Option<Range>) -> Option<(f64, f64)> {
        let range = range?;
        let low = drawable(self.unit.shown(range.low))?;
        let high = drawable(self.unit.shown(range.high))?;
        Some((low, high))
    }

    fn names(&self, contrast: &Contrast) -> (&str, &str) {
        let name = |place: usize| {
            let variant = self.comparison.variants.get(place);
            variant.map_or("?", |variant| variant.name.as_str())
        };
        (name(contrast.variant), name(contrast.other))
    }
}

fn widest(widths: impl Iterator<Item = f64>, most: f64) -> f64 {
    widths.fold(0.0, f64::max).min(most)
}
