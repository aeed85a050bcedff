//! Contrasts over several models and seeds.

use super::{
    Against, ComparedMetric, ComparedSuite, Range, Replicate, Replicated, Role, variants::Member,
};
use evalh_stats::{cohens_d, mean, t_test, win_rate};
use std::collections::BTreeMap;

/// The headline contrasts of each suite, by role and what it is set against, where there are two or more.
pub(super) fn replicated(
    suites: &[ComparedSuite],
    members: &[Member],
    confidence: f64,
) -> Vec<Replicated> {
    let mut found = Vec::new();
    for suite in suites {
        let Some(metric) = suite.headline() else {
            continue;
        };
        let mut groups: BTreeMap<(Role, String, Against), Vec<Replicate>> = BTreeMap::new();
        for contrast in &metric.contrasts {
            let facts = &members[contrast.variant].facts;
            let name = stem(&facts.name_in_run).to_owned();
            let key = (facts.role, name, contrast.against);
            groups.entry(key).or_default().push(Replicate {
                variant: contrast.variant,
                other: contrast.other,
                model: facts.model.clone(),
                value: contrast.value,
            });
        }
        for ((role, name, against), each) in groups {
            if each.len() > 1 {
                found.extend(summed_up(
                    suite,
                    metric,
                    (role, name, against),
                    each,
                    confidence,
                ));
            }
        }
    }
    found
}

/// A name without what tells seeds apart: `selective` of `selective-2`, `selective_s1`, `selective-seed3`.
pub(super) fn stem(name: &str) -> &str {
    let digits = without_number(name);
    if digits.len() == name.len() {
        return name;
    }
    let stem = digits
        .strip_suffix("seed")
        .or_else(|| digits.strip_suffix("-s"))
        .or_else(|| digits.strip_suffix("_s"))
        .unwrap_or(digits)
        .trim_end_matches(['-', '_']);
    if stem.is_empty() { name } else { stem }
}

/// The number at the end of a name, which tells seeds apart; empty where there is none.
pub(super) fn seed(name: &str) -> &str {
    &name[without_number(name).len()..]
}

fn without_number(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit())
}

fn summed_up(
    suite: &ComparedSuite,
    metric: &ComparedMetric,
    (role, name, against): (Role, String, Against),
    each: Vec<Replicate>,
    confidence: f64,
) -> Option<Replicated> {
    let mut models: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for replicate in &each {
        models
            .entry(&replicate.model)
            .or_default()
            .push(replicate.value);
    }
    // Seeds of one model are not independent of each other: a model counts once, where there are several.
    let values: Vec<f64> = if models.len() > 1 {
        let means = models.values().filter_map(|seeds| mean(seeds));
        means.map(|mean| mean.value).collect()
    } else {
        each.iter().map(|replicate| replicate.value).collect()
    };
    let estimate = mean(&values)?;
    let test = t_test(&values).filter(|test| test.p.is_finite() && test.stderr > 0.0);
    let sign = if metric.lower_is_better { -1.0 } else { 1.0 };
    let better: Vec<f64> = each.iter().map(|of| of.value * sign).collect();
    let wins = win_rate(&better)?;
    Some(Replicated {
        suite: suite.name.clone(),
        metric: metric.metric.clone(),
        is_share: metric.is_share,
        name,
        role,
        against,
        mean: estimate.value,
        sd: estimate
            .stderr
            .map(|stderr| stderr * (values.len() as f64).sqrt()),
        interval: test.map(|test| {
            let interval = test.interval(confidence);
            Range {
                low: interval.low,
                high: interval.high,
            }
        }),
        t: test.map(|test| test.t),
        df: test.map(|test| test.df),
        p: test.map(|test| test.p),
        d: test.and_then(|_| cohens_d(&values)),
        models: models.len(),
        wins: wins.wins as usize,
        ties: wins.ties as usize,
        losses: wins.losses as usize,
        each,
    })
}

#[cfg(test)]
mod tests {
    use super::stem;

    #[test]
    fn seeds_are_told_apart_by_numbers_at_the_end() {
        let names = [
            "selective-2",
            "selective_s1",
            "selective-seed3",
            "selective12",
            "selective",
        ];
        assert!(names.iter().all(|name| stem(name) == "selective"));
        assert_eq!(stem("cka"), "cka");
        assert_eq!(stem("7"), "7");
        assert_eq!(stem("tasks-1"), "tasks");
    }
}
