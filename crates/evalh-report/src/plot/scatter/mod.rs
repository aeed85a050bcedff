//! Speed against quality: a mark a variant.

mod points;

use super::{
    MARGIN, SMALL, TEXT, WIDTH, axis,
    canvas::{Anchor, Canvas, Text},
    confidence,
    ink::Ink,
    label::clipped,
    mark::Mark,
    place::{self, Area},
    scale::{Scale, drawable},
    unit::{self, Unit},
    width::width,
};
use crate::{
    Figure,
    compare::{ComparedMetric, ComparedSuite, Comparison},
};
use points::{Measure, Point, points};

/// Height of a line of labels.
const LINE: f64 = 17.0;

/// The widest that a label may be.
const WIDEST: f64 = 150.0;

const LEFT: f64 = 58.0;
const TOP: f64 = 30.0;

/// One drawing for each suite that two or more variants with a measured cost answered.
pub fn figures(comparison: &Comparison) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (suite, metric) in comparison.headlines() {
        let Some((measure, points)) = points(comparison, metric) else {
            continue;
        };
        let id = format!("evalh-speed-{}", figures.len() + 1);
        let scatter = Scatter {
            comparison,
            suite,
            metric,
            unit: Unit::of(metric),
            measure,
            points,
        };
        figures.push(scatter.figure(&id));
    }
    figures
}

struct Scatter<'c> {
    comparison: &'c Comparison,
    suite: &'c ComparedSuite,
    metric: &'c ComparedMetric,
    unit: Unit,
    measure: Measure,
    points: Vec<Point<'c>>,
}

impl Scatter<'_> {
    fn figure(&self, id: &str) -> Figure {
        let title = format!(
            "{}: {} against {}",
            self.suite.name, self.metric.metric, self.measure.name
        );
        let rows: Vec<String> = self.points.iter().map(|point| self.spoken(point)).collect();
        let (canvas, height) = self.drawn();
        Figure {
            svg: canvas.finish(id, height, &title, &format!("{}.", rows.join("; "))),
            caption: self.caption(),
            title,
        }
    }

    fn drawn(&self) -> (Canvas, f64) {
        let names: Vec<String> = (self.points.iter())
            .map(|point| clipped(&point.variant.name, TEXT, WIDEST))
            .collect();
        let widths: Vec<f64> = names.iter().map(|name| width(name, TEXT)).collect();
        let high = 230_f64.max(names.len() as f64 * LINE + 10.0);
        let bottom = TOP + high;

        let mut right = WIDTH - MARGIN;
        let mut places = self.places(right, bottom);
        let bounds = Area {
            x: LEFT + 2.0,
            y: TOP,
            wide: right - LEFT - 4.0,
            high,
        };
        let marks: Vec<_> = places.iter().copied().zip(widths.iter().copied()).collect();
        let found = place::beside(&marks, LINE - 2.0, &self.taken(&places, bottom), &bounds);
        if found.is_none() {
            right -= widths.iter().fold(0.0, |a, &b| f64::max(a, b)) + 40.0;
            places = self.places(right, bottom);
        }

        let mut canvas = Canvas::default();
        self.axes(&mut canvas, right, bottom);
        for (point, &place) in self.points.iter().zip(&places) {
            canvas.named(&self.spoken(point), |canvas| {
                self.mark(canvas, point, place, bottom);
            });
        }
        match found {
            Some(boxes) => {
                for ((area, mark), name) in boxes.iter().zip(&places).zip(&names) {
                    canvas.text(beside(area, *mark), name);
                }
            }
            None => column(&mut canvas, &names, &places, right, bottom),
        }
        (canvas, bottom + axis::LABELS + 24.0)
    }

    fn axes(&self, canvas: &mut Canvas, right: f64, bottom: f64) {
        let (x, y) = (self.costs(right), self.scores(bottom));
        axis::below(canvas, &x, TOP, bottom);
        axis::beside(canvas, &y, LEFT, right);
        if let Some(at) = self.chance(&y) {
            canvas.dashed((LEFT, at), (right, at), Ink::Text);
            let end = WIDTH - MARGIN;
            canvas.dashed((end - 66.0, 13.0), (end - 44.0, 13.0), Ink::Text);
            axis::label(canvas, end, 17.0, Anchor::End, "chance");
        }
        let better = if self.metric.lower_is_better {
            "lower"
        } else {
            "higher"
        };
        let unit = match &self.unit {
            Unit::Share => ", percent",
            Unit::Plain { .. } => "",
        };
        let title = format!("{}{unit} \u{b7} {better} is better", self.metric.metric);
        axis::label(
            canvas,
            MARGIN,
            17.0,
            Anchor::Start,
            &clipped(&title, SMALL, WIDTH - 2.0 * MARGIN - 80.0),
        );
        axis::label(
            canvas,
            f64::midpoint(LEFT, right),
            bottom + axis::LABELS + 14.0,
            Anchor::Middle,
            self.measure.axis,
        );
    }

    fn mark(&self, canvas: &mut Canvas, point: &Point<'_>, (x, y): (f64, f64), bottom: f64) {
        let mark = Mark::Role(point.variant.role);
        if let Some((low, high)) = self.ends(point) {
            let scale = self.scores(bottom);
            let (low, high) = (scale.at(low), scale.at(high));
            canvas.line((x, low), (x, high), mark.ink(), 1.5);
            for end in [low, high] {
                canvas.line((x - 3.0, end), (x + 3.0, end), mark.ink(), 1.5);
            }
        }
        mark.draw(canvas, (x, y), 6.0);
    }

    fn places(&self, right: f64, bottom: f64) -> Vec<(f64, f64)> {
        let (x, y) = (self.costs(right), self.scores(bottom));
        let place =
            |point: &Point<'_>| (x.at(point.cost), y.at(self.unit.shown(point.score.value)));
        self.points.iter().map(place).collect()
    }

    /// The height of what guessing gives, where the scale shows it.
    fn chance(&self, scale: &Scale) -> Option<f64> {
        let chance = self.unit.shown(self.metric.chance?);
        scale.shows(chance).then(|| scale.at(chance))
    }

    /// What no label may cover: marks, intervals, and the line of chance.
    fn taken(&self, places: &[(f64, f64)], bottom: f64) -> Vec<Area> {
        let scale = self.scores(bottom);
        let mut taken = Vec::new();
        for (point, &(x, y)) in self.points.iter().zip(places) {
            taken.push(Area {
                x: x - 7.0,
                y: y - 7.0,
                wide: 14.0,
                high: 14.0,
            });
            if let Some((low, high)) = self.ends(point) {
                let (low, high) = (scale.at(low), scale.at(high));
                taken.push(Area {
                    x: x - 3.0,
                    y: high,
                    wide: 6.0,
                    high: low - high,
                });
            }
        }
        taken.extend(self.chance(&scale).map(|y| Area {
            x: LEFT,
            y: y - 1.0,
            wide: WIDTH - LEFT,
            high: 2.0,
        }));
        taken
    }

    fn ends(&self, point: &Point<'_>) -> Option<(f64, f64)> {
        let range = point.score.interval?;
        Some((
            drawable(self.unit.shown(range.low))?,
            drawable(self.unit.shown(range.high))?,
        ))
    }

    fn costs(&self, right: f64) -> Scale {
        let costs = self.points.iter().map(|point| point.cost);
        Scale::over(costs, LEFT + 10.0, right - 10.0).within(0.0, f64::INFINITY)
    }

    fn scores(&self, bottom: f64) -> Scale {
        let mut values = Vec::new();
        for point in &self.points {
            values.push(self.unit.shown(point.score.value));
            values.extend(
                self.ends(point)
                    .into_iter()
                    .flat_map(|(low, high)| [low, high]),
            );
        }
        Scale::over(values, bottom - 6.0, TOP + 6.0)
    }

    fn spoken(&self, point: &Point<'_>) -> String {
        let show = |value| unit::value(&self.metric.metric, value);
        let interval = point.score.interval.map_or_else(String::new, |range| {
            format!(" [{}, {}]", show(range.low), show(range.high))
        });
        let rate = if point.cost < 100.0 {
            format!("{:.1}", point.cost)
        } else {
            format!("{:.0}", point.cost)
        };
        format!(
            "{}: {}{interval}, {rate} {}",
            point.variant.name,
            show(point.score.value),
            self.measure.name
        )
    }

    fn caption(&self) -> String {
        let shared = self.comparison.costs.iter().any(|costs| costs.beside > 1);
        let shared = if shared {
            " Variants that were answered side by side shared the passes through the weights, so their speeds are of each one's part."
        } else {
            ""
        };
        format!(
            "Score with its {} interval against {} over all suites of the run.{shared}",
            confidence(self.comparison),
            self.measure.name
        )
    }
}

/// Labels in a column right of the plot, each with a line to its mark.
fn column(canvas: &mut Canvas, names: &[String], places: &[(f64, f64)], right: f64, bottom: f64) {
    let wished: Vec<f64> = places.iter().map(|&(_, y)| y).collect();
    let heights = place::in_column(&wished, LINE, TOP, bottom);
    for ((name, &(x, y)), &at) in names.iter().zip(places).zip(&heights) {
        canvas.line((x + 7.0, y), (right + 26.0, at), Ink::Muted, 0.7);
        canvas.text(
            Text::cell(right + 30.0, at, Anchor::Start, TEXT, WIDEST),
            name,
        );
    }
}

/// A label in its area, held at the side that is next to its mark, whatever the renderer's font is.
fn beside(area: &Area, (x, _): (f64, f64)) -> Text {
    let text = Text::cell(
        area.x,
        area.y + LINE / 2.0 - 1.0,
        Anchor::Start,
        TEXT,
        WIDEST,
    );
    if area.x + area.wide <= x {
        Text {
            x: area.x + area.wide,
            anchor: Anchor::End,
            ..text
        }
    } else {
        text
    }
}
