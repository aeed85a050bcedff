//! Scores by subject or task: a row each, with a mark for the base and for each kind of adapter.

mod rows;

use super::{
    MARGIN, SMALL, WIDTH, axis,
    canvas::{Anchor, Canvas, Text},
    ink::Ink,
    label::clipped,
    legend::legend,
    mark::Mark,
    scale::Scale,
    unit::{self, Unit},
    width::width,
};
use crate::{
    Figure,
    compare::{ComparedMetric, ComparedSuite, Comparison},
};
use evalh_record::Part;
use rows::{Row, Series};

const ROW: f64 = 18.0;

/// One drawing for each suite of several tasks, each unit of its headlines and each base.
pub fn figures(comparison: &Comparison) -> Vec<Figure> {
    let mut figures = Vec::new();
    for suite in &comparison.suites {
        let mut by_unit: Vec<(Unit, Vec<(&str, &ComparedMetric)>)> = Vec::new();
        for part in suite.parts.iter().filter(|part| part.part == Part::Task) {
            let Some(metric) = part.metrics.first() else {
                continue;
            };
            let (unit, task) = (Unit::of(metric), (part.name.as_str(), metric));
            match by_unit.iter_mut().find(|(known, _)| *known == unit) {
                Some((_, tasks)) => tasks.push(task),
                None => by_unit.push((unit, vec![task])),
            }
        }
        for (unit, tasks) in by_unit.iter().filter(|(_, tasks)| tasks.len() > 1) {
            let bases = comparison.variants.iter().enumerate();
            for (base, _) in bases.filter(|(_, variant)| variant.base.is_none()) {
                let subjects = Subjects {
                    comparison,
                    suite,
                    unit,
                    base,
                };
                let id = format!("evalh-tasks-{}", figures.len() + 1);
                figures.extend(subjects.figure(&id, tasks));
            }
        }
    }
    figures
}

struct Subjects<'c> {
    comparison: &'c Comparison,
    suite: &'c ComparedSuite,
    unit: &'c Unit,
    base: usize,
}

impl<'c> Subjects<'c> {
    fn figure(&self, id: &str, tasks: &[(&'c str, &'c ComparedMetric)]) -> Option<Figure> {
        let series = self.series();
        let rows = self.rows(&series, tasks);
        if rows.len() < 2 {
            return None;
        }
        let model = self.comparison.variants.get(self.base)?;
        let mut title = format!("{}: scores by task", self.suite.name);
        if self
            .comparison
            .variants
            .iter()
            .filter(|variant| variant.base.is_none())
            .count()
            > 1
        {
            title = format!("{title}, {}", model.name);
        }
        if let Unit::Plain { metric, .. } = self.unit {
            title = format!("{title} ({metric})");
        }
        let (canvas, height) = self.drawn(&series, &rows);
        Some(Figure {
            svg: canvas.finish(id, height, &title, &self.description(&series, &rows)),
            title,
            caption: caption(&series, &rows),
        })
    }

    fn drawn(&self, series: &[Series<'_>], rows: &[Row<'_>]) -> (Canvas, f64) {
        let mut canvas = Canvas::default();
        let entries: Vec<(Mark, String)> = series
            .iter()
            .map(|series| (Mark::Role(series.role), series.name()))
            .collect();
        let used = legend(&mut canvas, &entries, MARGIN + 8.0);
        let top = MARGIN + used + if rows.len() > 12 { 22.0 } else { 6.0 };
        let bottom = top + rows.len() as f64 * ROW;

        let label_width = rows
            .iter()
            .map(|row| width(&clipped(row.name, SMALL, 190.0), SMALL))
            .fold(0.0, f64::max);
        let left = MARGIN + label_width + 10.0;
        let values = rows
            .iter()
            .flat_map(|row| row.values.iter().flatten().chain(&row.chance).copied());
        let mut scale = Scale::over(values, left + 6.0, WIDTH - MARGIN - 6.0);
        if *self.unit == Unit::Share {
            scale = scale.within(-2.0, 102.0);
        }
        if rows.len() > 12 {
            axis::labels(&mut canvas, &scale, top - 5.0);
        }
        axis::below(&mut canvas, &scale, top, bottom);
        draw_chance(&mut canvas, rows, &scale, top);
        for (place, row) in rows.iter().enumerate() {
            let y = top + (place as f64 + 0.5) * ROW;
            canvas.named(&spoken(series, row), |canvas| {
                let at = Text {
                    x: left - 8.0,
                    y: y + 4.0,
                    size: SMALL,
                    anchor: Anchor::End,
                    ink: Ink::Text,
                    is_bold: false,
                    most: left - MARGIN - 8.0,
                };
                canvas.text(at, &clipped(row.name, SMALL, 190.0));
                marks(canvas, series, row, &scale, y);
            });
        }
        let under = bottom + axis::LABELS + 12.0;
        let (from, to) = scale.ends();
        let better = if self.unit.lower_is_better() {
            "lower is better"
        } else {
            "higher is better"
        };
        let title = format!("{} \u{b7} {better}", self.unit.name());
        axis::label(
            &mut canvas,
            f64::midpoint(from, to),
            under,
            Anchor::Middle,
            &title,
        );
        (canvas, under + MARGIN)
    }

    fn description(&self, series: &[Series<'_>], rows: &[Row<'_>]) -> String {
        let names: Vec<String> = series.iter().map(Series::name).collect();
        let (best, worst) = (rows.first(), rows.last());
        let told = [("First", best), ("Last", worst)].map(|(place, row)| {
            row.map_or_else(String::new, |row| {
                format!(" {place}: {}.", spoken(series, row))
            })
        });
        format!(
            "{} tasks of {}, each with the scores of {}.{}",
            rows.len(),
            self.suite.name,
            names.join(", "),
            told.concat()
        )
    }
}

fn marks(canvas: &mut Canvas, series: &[Series<'_>], row: &Row<'_>, scale: &Scale, y: f64) {
    let places: Vec<f64> = row
        .values
        .iter()
        .flatten()
        .map(|&value| scale.at(value))
        .collect();
    let low = places.iter().copied().fold(f64::INFINITY, f64::min);
    let high = places.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low < high {
        canvas.line((low, y), (high, y), Ink::Grid, 3.0);
    }
    for (series, value) in series.iter().zip(&row.values) {
        if let Some(value) = value {
            Mark::Role(series.role).draw(canvas, (scale.at(*value), y), 4.5);
        }
    }
}

fn spoken(series: &[Series<'_>], row: &Row<'_>) -> String {
    let values: Vec<String> = series
        .iter()
        .zip(&row.values)
        .filter_map(|(series, value)| {
            let value = (*value)?;
            let value = if row.metric.is_share {
                value / 100.0
            } else {
                value
            };
            Some(format!(
                "{} {}",
                series.name(),
                unit::value(&row.metric.metric, value)
            ))
        })
        .collect();
    format!("{}: {}", row.name, values.join(", "))
}

/// What guessing gives: one line where it is the same in all rows, else a piece in each.
fn draw_chance(canvas: &mut Canvas, rows: &[Row<'_>], scale: &Scale, top: f64) {
    let bottom = top + rows.len() as f64 * ROW;
    let first = rows.first().and_then(|row| row.chance);
    let is_one = rows.iter().all(|row| row.chance == first);
    if is_one {
        if let Some(chance) = first {
            let x = scale.at(chance);
            canvas.dashed((x, top), (x, bottom), Ink::Text);
        }
        return;
    }
    for (place, row) in rows.iter().enumerate() {
        if let Some(chance) = row.chance {
            let y = top + place as f64 * ROW;
            canvas.dashed(
                (scale.at(chance), y + 1.0),
                (scale.at(chance), y + ROW - 1.0),
                Ink::Text,
            );
        }
    }
}

fn caption(series: &[Series<'_>], rows: &[Row<'_>]) -> String {
    let chance = if rows.iter().any(|row| row.chance.is_some()) {
        " The dashed line is what guessing gives."
    } else {
        ""
    };
    let mean = if series.iter().any(|series| series.members.len() > 1) {
        " Several adapters of one kind are averaged."
    } else {
        ""
    };
    format!(
        "Headline score of each task, sorted by the base's.{chance}{mean} A task has few items: see the intervals in the table \
         before reading anything into one row."
    )
}
