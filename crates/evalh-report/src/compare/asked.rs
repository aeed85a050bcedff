//! How a suite was asked, in one line.

use crate::number::{count_of, counted};
use evalh_record::SuiteSettings;

/// `the first 20 items (--limit), 5 shots, greedy, at most 512 new tokens`.
pub(crate) fn asked(suite: &SuiteSettings) -> String {
    let mut parts = vec![counted(suite.items, "item")];
    if let Some(limit) = suite.limit {
        parts[0] = match suite.tasks.len() {
            1 => format!("the first {} items (--limit)", count_of(suite.items as u64)),
            _ => format!(
                "{} items (--limit {limit} a task)",
                count_of(suite.items as u64)
            ),
        };
    }
    if suite.shots > 0 {
        parts.push(counted(suite.shots, "shot"));
    }
    if suite.samples > 1 {
        parts.push(format!("{} samples an item", suite.samples));
    }
    match suite.sampling {
        Some(sampling) if sampling.temperature == 0.0 => parts.push("greedy".to_owned()),
        Some(sampling) => parts.push(format!(
            "temperature {}, top-p {}, seed {}",
            sampling.temperature, sampling.top_p, sampling.seed
        )),
        None => {}
    }
    if let Some(tokens) = suite.max_new_tokens {
        parts.push(format!("at most {} new tokens", count_of(tokens as u64)));
    }
    parts.join(", ")
}
