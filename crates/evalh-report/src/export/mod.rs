//! A comparison and a record for further work with other tools.
//!
//! | function | for |
//! | --- | --- |
//! | [`csv_files`] | spreadsheets, R, pandas: scores, differences, items won and lost, costs |
//! | [`json`] | programs: everything that the comparison holds |
//! | [`lm_eval`] | dashboards and scripts that read the results of lm-evaluation-harness |

pub(crate) mod cell;
mod comparison_csv;
mod lm_eval;

pub use comparison_csv::{contrasts_csv, costs_csv, flips_csv, scores_csv};
pub use lm_eval::{UnknownVariant, lm_eval};

use crate::Comparison;

/// The comparison as CSV: names of files and their text.
pub fn csv_files(comparison: &Comparison) -> [(&'static str, String); 4] {
    [
        ("scores.csv", scores_csv(comparison)),
        ("contrasts.csv", contrasts_csv(comparison)),
        ("flips.csv", flips_csv(comparison)),
        ("costs.csv", costs_csv(comparison)),
    ]
}

/// The whole comparison as JSON, indented and in the order of its fields. Numbers read back to the same bits; what is no
/// number is `null`.
pub fn json(comparison: &Comparison) -> String {
    match serde_json::to_string_pretty(comparison) {
        Ok(text) => text + "\n",
        // Serialising fails for maps whose keys are no strings only, and a comparison holds no map.
        Err(error) => unreachable!("{error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::example;

    #[test]
    fn json_reads_back() {
        let comparison = example::three();
        let text = json(&comparison);
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        let score = &read["suites"][0]["parts"][0]["metrics"][0]["scores"][2]["value"];
        let written = comparison.suites[0].parts[0].metrics[0].scores[2].value;
        assert_eq!(score.as_f64().map(f64::to_bits), Some(written.to_bits()));
        assert_eq!(read["schema"], 1);
        assert!(text.starts_with("{\n  \"schema\": 1,\n  \"analysis\"") && text.ends_with("}\n"));
    }

    #[test]
    fn what_is_no_number_is_null() {
        let mut comparison = example::three();
        comparison.suites[0].parts[0].metrics[0].scores[0].value = f64::NAN;
        let read: serde_json::Value = serde_json::from_str(&json(&comparison)).unwrap();
        assert!(read["suites"][0]["parts"][0]["metrics"][0]["scores"][0]["value"].is_null());
    }
}
