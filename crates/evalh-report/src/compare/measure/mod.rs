//! A metric as a function of items, so that items can be drawn anew.
//!
//! Records hold a metric's value over all items; a difference's interval needs it over other sets of items. Which function
//! it is follows from the samples: of the functions that the metric's name can stand for, the one that gives the recorded
//! value. Where none does, there is no interval, and none is made up.

mod labels;
mod means;
mod totals;

use super::answers::Items;
use evalh_record::{ResultRow, Sample};
use labels::Labels;
use means::means;
use std::collections::BTreeMap;
use totals::Totals;

/// A metric over a fixed list of items.
pub(super) enum Measure {
    /// The mean of one value an item.
    Mean(Vec<f64>),
    /// Their sum.
    Sum(Vec<f64>),
    /// A function of what is right and what was answered.
    Labels(Labels),
    /// A sum over a sum: a loss a token.
    Totals(Totals),
    /// The plain mean of the headlines of several tasks; `places` tells each item's task and its place there.
    Average {
        parts: Vec<Measure>,
        places: Vec<(usize, usize)>,
    },
}

/// How far a recomputed value may be from the recorded one, for sums in another order.
const ROUNDING: f64 = 1e-9;

/// Which function of items a metric is.
pub(super) enum Recipe {
    Mean(String),
    Sum(String),
    Labels(labels::Kind, String),
    Totals(totals::Kind),
    Average(BTreeMap<String, Recipe>),
}

/// A recorded row, and all items that it is over.
pub(super) type Recorded<'p, 'r> = (&'r ResultRow, &'p Items<'r>);

impl Recipe {
    /// The function that gives the recorded value for every variant; `None` where none does. `headlines` are the headline
    /// rows of a task with its items, of all variants.
    pub fn of<'r>(
        rows: &[Recorded<'_, 'r>],
        headlines: &dyn Fn(&str) -> Vec<(&'r ResultRow, Items<'r>)>,
    ) -> Option<Recipe> {
        let (first, items) = rows.first()?;
        let metric = first.metric.clone();
        let name = first.metric_name();
        let mut candidates: Vec<Recipe> = Vec::new();
        if name == "average" {
            candidates.extend(Recipe::average(items, headlines));
        } else if let Some(kind) = totals::Kind::of(name) {
            candidates.push(Recipe::Totals(kind));
        } else if let Some(kind) = labels::Kind::of(name) {
            let positives = labels::names(rows.iter().map(|(_, items)| *items));
            let most = if kind.has_positive() { usize::MAX } else { 1 };
            let positives = positives.into_iter().take(most);
            candidates.extend(positives.map(|label| Recipe::Labels(kind, label)));
        } else if name == "repaired" {
            candidates.push(Recipe::Sum("pass@any".to_owned()));
        } else {
            candidates.push(Recipe::Mean(metric));
        }
        let gives = |recipe: &Recipe, (row, items): &Recorded<'_, 'r>| {
            let whole = recipe.over(items).and_then(|measure| measure.whole());
            near(whole, row.value)
        };
        candidates
            .into_iter()
            .find(|recipe| rows.iter().all(|row| gives(recipe, row)))
    }

    /// The mean over tasks of each one's headline.
    fn average<'r>(
        items: &Items<'r>,
        headlines: &dyn Fn(&str) -> Vec<(&'r ResultRow, Items<'r>)>,
    ) -> Option<Recipe> {
        let mut tasks = BTreeMap::new();
        for task in items.values().filter_map(|samples| task(samples)) {
            if !tasks.contains_key(task) {
                let rows = headlines(task);
                let rows: Vec<_> = rows.iter().map(|(row, items)| (*row, items)).collect();
                tasks.insert(task.to_owned(), Recipe::of(&rows, &|_| Vec::new())?);
            }
        }
        Some(Recipe::Average(tasks))
    }

    /// The metric over these items; `None` where an answer does not hold what it needs.
    pub fn over(&self, items: &Items<'_>) -> Option<Measure> {
        match self {
            Recipe::Mean(metric) => means(items, metric).map(Measure::Mean),
            Recipe::Sum(metric) => means(items, metric).map(Measure::Sum),
            Recipe::Labels(kind, positive) => {
                Labels::of(*kind, positive, items).map(Measure::Labels)
            }
            Recipe::Totals(kind) => Totals::of(*kind, items).map(Measure::Totals),
            Recipe::Average(tasks) => {
                let mut parts: BTreeMap<&str, Items<'_>> = BTreeMap::new();
                let mut places = Vec::with_capacity(items.len());
                for (key, samples) in items {
                    let own = parts.entry(task(samples)?).or_default();
                    places.push((task(samples)?, own.len()));
                    own.insert(*key, samples.clone());
                }
                let names: Vec<&str> = parts.keys().copied().collect();
                let place = |(task, within): (&str, usize)| {
                    Some((names.iter().position(|name| *name == task)?, within))
                };
                let of_part = |(task, items): (&&str, &Items<'_>)| tasks.get(*task)?.over(items);
                Some(Measure::Average {
                    parts: parts.iter().map(of_part).collect::<Option<_>>()?,
                    places: places.into_iter().map(place).collect::<Option<_>>()?,
                })
            }
        }
    }
}

fn near(computed: Option<f64>, recorded: f64) -> bool {
    computed.is_some_and(|value| (value - recorded).abs() <= ROUNDING * recorded.abs().max(1.0))
}

fn task<'r>(samples: &[&'r Sample]) -> Option<&'r str> {
    samples.first().map(|sample| sample.task.as_str())
}

impl Measure {
    /// Items.
    pub fn items(&self) -> usize {
        match self {
            Measure::Mean(values) | Measure::Sum(values) => values.len(),
            Measure::Labels(labels) => labels.items(),
            Measure::Totals(totals) => totals.items(),
            Measure::Average { places, .. } => places.len(),
        }
    }

    /// The value over all items.
    pub fn whole(&self) -> Option<f64> {
        let all: Vec<usize> = (0..self.items()).collect();
        self.value(&all)
    }

    /// The value over the drawn items, by their places; an item may be drawn many times.
    pub fn value(&self, drawn: &[usize]) -> Option<f64> {
        match self {
            Measure::Mean(values) => {
                let sum: f64 = drawn.iter().map(|&place| values[place]).sum();
                (!drawn.is_empty()).then(|| sum / drawn.len() as f64)
            }
            Measure::Sum(values) => Some(drawn.iter().map(|&place| values[place]).sum()),
            Measure::Labels(labels) => labels.value(drawn),
            Measure::Totals(totals) => totals.value(drawn),
            Measure::Average { parts, places } => {
                let mut by_part = vec![Vec::new(); parts.len()];
                for &place in drawn {
                    let (part, within) = places[place];
                    by_part[part].push(within);
                }
                let values = parts.iter().zip(&by_part);
                let sum: Option<f64> = values.map(|(of, drawn)| of.value(drawn)).sum();
                sum.map(|sum| sum / parts.len() as f64)
            }
        }
    }

    /// One value an item, where the metric is their mean or their sum.
    pub fn per_item(&self) -> Option<&[f64]> {
        match self {
            Measure::Mean(values) | Measure::Sum(values) => Some(values),
            Measure::Labels(_) | Measure::Totals(_) | Measure::Average { .. } => None,
        }
    }

    /// What the mean of [`Measure::per_item`] is multiplied by to give the metric.
    pub fn scale(&self) -> f64 {
        match self {
            Measure::Sum(values) => values.len() as f64,
            _ => 1.0,
        }
    }
}
