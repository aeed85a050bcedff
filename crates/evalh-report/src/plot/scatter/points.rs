//! The variants of a suite with what they cost.

use crate::{
    compare::{ComparedMetric, Comparison, Costs, Scored, Variant},
    plot::scale::drawable,
};

/// What a variant costs, as an axis.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    /// Its name in titles.
    pub name: &'static str,
    /// What the axis says.
    pub axis: &'static str,
    /// Its value.
    of: fn(&Costs) -> Option<f64>,
}

/// In the order in which they are taken where as many variants have one as another.
const MEASURES: [Measure; 3] = [
    Measure {
        name: "decode tokens per second",
        axis: "generated tokens a second (right is faster)",
        of: |costs| costs.decode_tokens_per_second,
    },
    Measure {
        name: "prefill tokens per second",
        axis: "prompt tokens a second (right is faster)",
        of: |costs| costs.prefill_tokens_per_second,
    },
    Measure {
        name: "CPU seconds",
        axis: "CPU seconds (left is faster)",
        of: |costs| costs.cpu_seconds,
    },
];

/// A variant with its score and its cost.
pub struct Point<'c> {
    /// The variant.
    pub variant: &'c Variant,
    /// The score.
    pub score: &'c Scored,
    /// The cost.
    pub cost: f64,
}

/// The measure that most variants have, the first of several such, with these variants; `None` where fewer than two have any.
pub fn points<'c>(
    comparison: &'c Comparison,
    metric: &'c ComparedMetric,
) -> Option<(Measure, Vec<Point<'c>>)> {
    let by = |measure: Measure| {
        let scores = metric.scores.iter();
        let points = scores.filter_map(|score| {
            let costs = comparison
                .costs
                .iter()
                .find(|costs| costs.variant == score.variant)?;
            Some(Point {
                variant: comparison.variants.get(score.variant)?,
                cost: (measure.of)(costs).and_then(drawable)?,
                score: drawable(score.value).map(|_| score)?,
            })
        });
        (measure, points.collect::<Vec<_>>())
    };
    let found = MEASURES.map(by);
    let most = found.iter().map(|(_, points)| points.len()).max()?;
    let chosen = found.into_iter().find(|(_, points)| points.len() == most);
    chosen.filter(|_| most >= 2)
}
