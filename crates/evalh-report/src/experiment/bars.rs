//! Scores of layers as a picture of characters.

use std::fmt::Write as _;

/// Characters of the longest bar.
const WIDEST: usize = 40;

/// A line a layer, its bar as long as its score; those of selected layers end in a mark. Scores below 0 have no bar. Where
/// `scores` and `selected` are of a `layers.json`, so is the picture.
pub fn bars(scores: &[f64], selected: &[usize]) -> String {
    let highest = scores
        .iter()
        .copied()
        .filter(|score| score.is_finite())
        .fold(0.0, f64::max);
    let digits = scores.len().saturating_sub(1).to_string().len();
    let shown: Vec<String> = scores.iter().map(|score| number(*score)).collect();
    let wide = shown.iter().map(String::len).max().unwrap_or(0);
    let mut out = String::new();
    for (layer, (score, shown)) in scores.iter().zip(&shown).enumerate() {
        let share = if highest > 0.0 {
            (score / highest).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let length = (share * WIDEST as f64).round() as usize;
        let is_selected = selected.contains(&layer);
        let bar = if is_selected { "#" } else { "-" }.repeat(length);
        let mark = if is_selected { " *" } else { "" };
        let line = format!("{layer:>digits$}  {shown:>wide$}  {bar}{mark}");
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

/// Four digits that count, so that scores of every size can be told apart.
fn number(score: f64) -> String {
    if score != 0.0 && !(1e-3..1e6).contains(&score.abs()) {
        return format!("{score:.3e}");
    }
    let whole = score.abs().log10().floor().max(0.0);
    let decimals = (3.0 - whole).clamp(0.0, 4.0) as usize + usize::from(score.abs() < 1.0);
    format!("{score:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn longer_bars_are_higher_scores() {
        let picture = bars(&[0.5, 2.0, 1.0, 0.0], &[1, 2]);
        let bar = |length: usize, c: &str| c.repeat(length);
        assert_eq!(
            picture,
            format!(
                "0  0.5000  {}\n1   2.000  {} *\n2   1.000  {} *\n3  0.0000\n",
                bar(10, "-"),
                bar(40, "#"),
                bar(20, "#")
            )
        );
        assert_eq!(bars(&[], &[]), "");
        assert_eq!(
            [1234.5, 0.012_345, 4e-7, 3e9].map(number),
            ["1234", "0.0123", "4.000e-7", "3.000e9"]
        );
    }

    proptest! {
        #[test]
        fn every_score_has_its_line(scores in proptest::collection::vec(any::<f64>(), 0..40)) {
            let picture = bars(&scores, &[0]);
            prop_assert_eq!(picture.lines().count(), scores.len());
            prop_assert!(picture.lines().all(|line| line.len() < 40 + 350));
        }
    }
}
