//! Differences over several models and seeds: a row a model, a mark a replicate, and the mean with its interval below.

use super::{
    MARGIN, SMALL, TEXT, WIDTH, axis,
    canvas::{Anchor, Canvas, Text},
    confidence,
    ink::Ink,
    label::clipped,
    legend::legend,
    mark::Mark,
    scale::{Scale, drawable},
    unit,
    width::width,
};
use crate::{
    Figure,
    compare::{Against, Comparison, Replicated, Role},
};

const ROW: f64 = 26.0;

/// One drawing for each suite that has replicates.
pub fn figures(comparison: &Comparison) -> Vec<Figure> {
    let mut suites: Vec<(&str, Vec<&Replicated>)> = Vec::new();
    for replicated in &comparison.replicated {
        match suites
            .iter_mut()
            .find(|(suite, _)| *suite == replicated.suite)
        {
            Some((_, all)) => all.push(replicated),
            None => suites.push((&replicated.suite, vec![replicated])),
        }
    }
    let drawings = suites
        .into_iter()
        .filter(|(_, all)| all.iter().any(|of| !of.each.is_empty()));
    drawings
        .enumerate()
        .map(|(place, (suite, all))| {
            let id = format!("evalh-replicates-{}", place + 1);
            let lower_is_better = comparison
                .headlines()
                .any(|(known, metric)| known.name == suite && metric.lower_is_better);
            Replicates {
                comparison,
                suite,
                marks: marks(&all),
                all,
                lower_is_better,
            }
            .figure(&id)
        })
        .collect()
}

struct Replicates<'c> {
    comparison: &'c Comparison,
    suite: &'c str,
    /// The suite's, a role and what it is set against each.
    all: Vec<&'c Replicated>,
    /// The mark of each.
    marks: Vec<Mark>,
    lower_is_better: bool,
}

impl<'c> Replicates<'c> {
    fn figure(&self, id: &str) -> Figure {
        let title = format!("{}: differences by model and adapter", self.suite);
        let told: Vec<String> = self.all.iter().map(|of| spoken(of)).collect();
        let (canvas, height) = self.drawn();
        Figure {
            svg: canvas.finish(id, height, &title, &format!("{}.", told.join("; "))),
            caption: format!(
                "Each mark is the difference of one adapter from what it is set against, in {}; below, the mean with its {} interval \
                 (Student's t over models; over adapters where there is one model).",
                self.unit_name(),
                confidence(self.comparison)
            ),
            title,
        }
    }

    fn drawn(&self) -> (Canvas, f64) {
        let mut canvas = Canvas::default();
        let entries: Vec<(Mark, String)> = self
            .all
            .iter()
            .zip(&self.marks)
            .map(|(of, &mark)| (mark, contrast_name(of)))
            .collect();
        let used = legend(&mut canvas, &entries, MARGIN + 8.0);
        let top = MARGIN + used + 6.0;
        let models = self.models();
        let values: Vec<String> = self.all.iter().map(|of| mean_text(of)).collect();
        let value_width = values
            .iter()
            .map(|text| width(text, SMALL))
            .fold(0.0, f64::max)
            .min(190.0);
        let names = models
            .iter()
            .copied()
            .map(str::to_owned)
            .chain(self.all.iter().map(|of| mean_name(of)));
        let label_width = names
            .map(|name| width(&clipped(&name, TEXT, 165.0), TEXT))
            .fold(0.0, f64::max);
        let left = MARGIN + label_width + 12.0;
        let right = WIDTH - MARGIN - value_width - 12.0;
        let scale = Scale::over(self.extent(), left + 6.0, right - 6.0);
        let rule = top + models.len() as f64 * ROW;
        let bottom = rule + self.all.len() as f64 * ROW;

        axis::below(&mut canvas, &scale, top, bottom);
        canvas.line(
            (scale.at(0.0), top),
            (scale.at(0.0), bottom),
            Ink::Muted,
            1.5,
        );
        canvas.line((MARGIN, rule), (WIDTH - MARGIN, rule), Ink::Grid, 1.0);
        for (place, model) in models.iter().enumerate() {
            let y = top + (place as f64 + 0.5) * ROW;
            canvas.text(
                Text::cell(MARGIN, y, Anchor::Start, TEXT, label_width),
                &clipped(model, TEXT, 165.0),
            );
            self.dots(&mut canvas, model, &scale, y);
        }
        for (place, (of, value)) in self.all.iter().zip(&values).enumerate() {
            let mark = self.marks[place];
            let y = rule + (place as f64 + 0.5) * ROW;
            canvas.named(&spoken(of), |canvas| {
                let name = clipped(&mean_name(of), TEXT, 165.0);
                canvas.text(
                    Text::cell(MARGIN, y, Anchor::Start, TEXT, label_width),
                    &name,
                );
                canvas.text(
                    Text::cell(WIDTH - MARGIN, y, Anchor::End, SMALL, value_width),
                    value,
                );
                if let Some((low, high)) = ends(of) {
                    canvas.line((scale.at(low), y), (scale.at(high), y), mark.ink(), 3.0);
                }
                if let Some(mean) = drawable(shown(of, of.mean)) {
                    mark.draw(canvas, (scale.at(mean), y), 6.0);
                }
            });
        }
        axis::sides(
            &mut canvas,
            &scale,
            bottom + axis::LABELS + 12.0,
            self.lower_is_better,
        );
        (canvas, bottom + axis::LABELS + 20.0)
    }

    /// Marks of one model, those of each kind on a line of their own.
    fn dots(&self, canvas: &mut Canvas, model: &str, scale: &Scale, y: f64) {
        let kinds = self.all.len() as f64;
        for (place, of) in self.all.iter().enumerate() {
            let mark = self.marks[place];
            let offset = (place as f64 - (kinds - 1.0) / 2.0) * (ROW - 10.0) / kinds;
            for each in of.each.iter().filter(|each| each.model == model) {
                let Some(value) = drawable(shown(of, each.value)) else {
                    continue;
                };
                let name = self
                    .comparison
                    .variants
                    .get(each.variant)
                    .map_or("?", |variant| &variant.name);
                let told = format!(
                    "{model}: {name} {}",
                    unit::difference(&of.metric, each.value)
                );
                canvas.named(&told, |canvas| {
                    mark.draw(canvas, (scale.at(value), y + offset), 4.0);
                });
            }
        }
    }

    fn models(&self) -> Vec<&'c str> {
        let mut models: Vec<&str> = Vec::new();
        for each in self.all.iter().flat_map(|of| &of.each) {
            if !models.contains(&each.model.as_str()) {
                models.push(&each.model);
            }
        }
        models
    }

    fn extent(&self) -> Vec<f64> {
        let mut values = vec![0.0];
        for of in &self.all {
            values.push(shown(of, of.mean));
            values.extend(of.each.iter().map(|each| shown(of, each.value)));
            values.extend(ends(of).into_iter().flat_map(|(low, high)| [low, high]));
        }
        values
    }

    fn unit_name(&self) -> &str {
        match self.all.first() {
            Some(of) if !of.is_share => unit::bare(&of.metric),
            _ => "percentage points",
        }
    }
}

/// A mark for each kind: its role's where no earlier kind has that, as far as there are marks.
fn marks(all: &[&Replicated]) -> Vec<Mark> {
    let mut found: Vec<Mark> = Vec::with_capacity(all.len());
    for of in all {
        let own = match of.against {
            Against::Base => of.role,
            // of two adapters: no role's
            Against::Standard => Role::Other,
        };
        let roles = [
            own,
            Role::Standard,
            Role::Selective,
            Role::Other,
            Role::Base,
        ];
        let mut free = roles
            .map(Mark::Role)
            .into_iter()
            .filter(|mark| !found.contains(mark));
        let mark = free.next().unwrap_or(Mark::Role(own));
        found.push(mark);
    }
    found
}

fn contrast_name(of: &Replicated) -> String {
    let other = match of.against {
        Against::Base => "base",
        Against::Standard => "standard",
    };
    format!("{} \u{2212} {other}", of.name)
}

fn mean_name(of: &Replicated) -> String {
    format!("mean {}", contrast_name(of))
}

fn mean_text(of: &Replicated) -> String {
    let show = |value| unit::difference(&of.metric, value);
    match of.interval {
        Some(range) => format!(
            "{} [{}, {}]",
            show(of.mean),
            show(range.low),
            show(range.high)
        ),
        None => show(of.mean),
    }
}

fn spoken(of: &Replicated) -> String {
    format!(
        "{}: {}, mean over {} replicates of {} models; {} better, {} as good, {} worse",
        contrast_name(of),
        mean_text(of),
        of.each.len(),
        of.models,
        of.wins,
        of.ties,
        of.losses
    )
}

/// The ends of the mean's interval, where they can be drawn.
fn ends(of: &Replicated) -> Option<(f64, f64)> {
    let range = of.interval?;
    Some((
        drawable(shown(of, range.low))?,
        drawable(shown(of, range.high))?,
    ))
}

fn shown(of: &Replicated, value: f64) -> f64 {
    if of.is_share { value * 100.0 } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::example;

    #[test]
    fn kinds_of_one_role_have_marks_of_their_own() {
        let comparison = example::replicated();
        let standard = &comparison.replicated[0];
        let all = [
            standard,
            &comparison.replicated[1],
            standard,
            standard,
            standard,
        ];
        let roles = [
            Role::Standard,
            Role::Selective,
            Role::Other,
            Role::Base,
            Role::Standard,
        ];
        assert_eq!(marks(&all), roles.map(Mark::Role));
    }
}
