//! From a record to its items' scores.

use super::{BASELINE_SCHEMA, Baseline, ItemScores, SuiteItems, TaskItems, values::Series};
use evalh_record::{Answer, Part, Record, ResultRow, Sample, SuiteSettings, sha256_bytes};
use evalh_stats::pass_at_k;
use std::collections::{BTreeMap, BTreeSet};

/// Metrics that are no means of items' scores, whatever their value happens to be.
const NOT_OF_ITEMS: [&str; 10] = [
    "average",
    "balanced_acc",
    "f1",
    "mcc",
    "pearson",
    "precision",
    "recall",
    "repaired",
    "spearman",
    "word_perplexity",
];

impl Baseline {
    /// The baseline of a run.
    pub fn of(record: &Record) -> Baseline {
        let settings = &record.manifest.settings;
        Baseline {
            schema: BASELINE_SCHEMA,
            settings: settings.clone(),
            results: record.results.clone(),
            suites: (settings.suites.iter())
                .map(|suite| SuiteItems {
                    suite: suite.name.clone(),
                    tasks: (suite.tasks.iter())
                        .map(|task| task_items(record, suite, &task.name))
                        .collect(),
                })
                .collect(),
        }
    }
}

/// Whether a metric is a mean of items' scores or, for losses, a ratio of their sums.
pub(crate) fn is_of_items(metric: &str) -> bool {
    let name = metric.split(',').next().unwrap_or(metric);
    !NOT_OF_ITEMS.contains(&name)
}

type Place<'r> = (usize, &'r str);

fn task_items(record: &Record, suite: &SuiteSettings, task: &str) -> TaskItems {
    let samples: Vec<&Sample> = (record.samples.iter())
        .filter(|sample| sample.suite == suite.name && sample.task == task)
        .collect();
    let places: BTreeSet<Place<'_>> = (samples.iter())
        .map(|sample| (sample.position, sample.item.as_str()))
        .collect();
    let mut ids = String::new();
    for (_, item) in &places {
        ids.push_str(item);
        ids.push('\n');
    }
    let mut scores = Vec::new();
    for variant in &record.manifest.settings.variants {
        let mut items: BTreeMap<Place<'_>, Vec<&Sample>> = BTreeMap::new();
        for sample in samples.iter().filter(|s| s.variant == variant.name) {
            let key = (sample.position, sample.item.as_str());
            items.entry(key).or_default().push(sample);
        }
        let complete = items.len() == places.len()
            && items.values().all(|of_item| of_item.len() == suite.samples);
        if items.is_empty() || !complete {
            continue;
        }
        let items: Vec<Vec<&Sample>> = items.into_values().collect();
        scores.extend(
            metrics(record, suite, task, &variant.name)
                .into_iter()
                .filter_map(|row| {
                    let series = series(&items, &row.metric)?;
                    // Of a suite of several tasks the whole's value cannot be checked here.
                    let own = row.part == Part::Task || suite.tasks.len() == 1;
                    (!own || series.is_value(row)).then(|| ItemScores {
                        variant: variant.name.clone(),
                        metric: row.metric.clone(),
                        values: series.packed(),
                    })
                }),
        );
    }
    TaskItems {
        task: task.to_owned(),
        items: places.len(),
        items_sha256: sha256_bytes(ids.as_bytes()),
        scores,
    }
}

/// A row of each metric that the task may have: its own rows; the whole's, where it has none.
fn metrics<'r>(
    record: &'r Record,
    suite: &SuiteSettings,
    task: &str,
    variant: &str,
) -> Vec<&'r ResultRow> {
    let of = |part: Part| {
        (record.results.iter())
            .filter(|row| {
                row.suite == suite.name
                    && row.variant == variant
                    && row.part == part
                    && (part == Part::Whole || row.task == task)
            })
            .collect::<Vec<_>>()
    };
    let own = of(Part::Task);
    if own.is_empty() { of(Part::Whole) } else { own }
}

/// One score an item; `None` where the metric does not rest on items' scores, or the samples do not hold what it needs.
fn series(items: &[Vec<&Sample>], metric: &str) -> Option<Series> {
    if !is_of_items(metric) {
        return None;
    }
    if let Some(k) = metric.strip_prefix("pass@") {
        let k = k.parse().ok()?;
        let values: Option<Vec<f64>> = (items.iter())
            .map(|samples| {
                let passed = samples.iter().filter(|s| s.score >= 1.0).count();
                pass_at_k(samples.len() as u64, passed as u64, k)
            })
            .collect();
        return Some(Series::of_scores(values?));
    }
    if matches!(metric, "nats_per_token" | "bits_per_byte") {
        return losses(items, metric == "bits_per_byte");
    }
    let in_scores = (items.iter().flatten()).any(|sample| sample.scores.contains_key(metric));
    let score = |sample: &&Sample| {
        let score = if in_scores {
            sample.scores.get(metric).copied()
        } else {
            Some(sample.score)
        };
        score.filter(|score| score.is_finite())
    };
    let values: Option<Vec<f64>> = (items.iter())
        .map(|samples| {
            let sum: f64 = samples.iter().map(score).sum::<Option<f64>>()?;
            Some(sum / samples.len() as f64)
        })
        .collect();
    Some(Series::of_scores(values?))
}

fn losses(items: &[Vec<&Sample>], bits: bool) -> Option<Series> {
    let (mut losses, mut lengths) = (Vec::new(), Vec::new());
    for samples in items {
        let (mut loss, mut length) = (0.0, 0.0);
        for sample in samples {
            let Answer::Loss(text) = &sample.answer else {
                return None;
            };
            if bits {
                loss -= text.log_prob / std::f64::consts::LN_2;
                length += text.bytes as f64;
            } else {
                loss -= text.log_prob;
                length += text.tokens as f64;
            }
        }
        losses.push(loss);
        lengths.push(length);
    }
    let series = Series::Losses(losses, lengths);
    series.value()?;
    Some(series)
}
