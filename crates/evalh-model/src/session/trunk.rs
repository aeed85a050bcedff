//! Rows of one batch that have the same values in the lowest layers, which are computed once.
//!
//! A row is like an earlier one, its twin, where both have the same tokens before and in the batch, and where the lowest
//! layers are the same for both, whatever adapters they have. The batch begins with the rows that are like no other;
//! where an adapter sets a row apart from its twin, its values are the twin's so far, and it goes on by itself.

use std::ops::Range;

/// Which row a row is like, and in how many layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Twin {
    /// The place of an earlier row, of as many tokens.
    pub row: usize,
    /// How many of the lowest layers, at least one.
    pub layers: usize,
}

/// A stretch of layers over the same rows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stage {
    /// The first layer of it.
    pub layer: usize,
    /// The rows, in order.
    pub rows: Vec<usize>,
    /// The tokens' places in the stage before, those of the rows one after another; none for the first stage.
    pub source: Vec<usize>,
}

impl Stage {
    /// The stages of rows of so many tokens each; the last one has all of them.
    pub(super) fn plan(tokens: &[usize], twins: &[Option<Twin>]) -> Vec<Self> {
        let begins = |row: usize| twins[row].map_or(0, |twin| twin.layers);
        let mut layers: Vec<usize> = (0..tokens.len()).map(begins).chain([0]).collect();
        layers.sort_unstable();
        layers.dedup();
        let mut stages: Vec<Self> = Vec::new();
        for layer in layers {
            let rows: Vec<usize> = (0..tokens.len())
                .filter(|row| begins(*row) <= layer)
                .collect();
            let source = stages.last().map_or_else(Vec::new, |before| {
                let places = before.places(tokens);
                let of = |row: usize| {
                    let mut row = row;
                    // A twin that is not there yet is like its own twin this far.
                    loop {
                        match (&places[row], twins[row]) {
                            (Some(places), _) => return places.clone(),
                            (None, Some(twin)) => row = twin.row,
                            (None, None) => {
                                unreachable!("a row without a twin is there from the beginning")
                            }
                        }
                    }
                };
                rows.iter().flat_map(|row| of(*row)).collect()
            });
            stages.push(Self {
                layer,
                rows,
                source,
            });
        }
        stages
    }

    /// The tokens of each row in the stage.
    fn places(&self, tokens: &[usize]) -> Vec<Option<Range<usize>>> {
        let mut places = vec![None; tokens.len()];
        let mut next = 0;
        for row in &self.rows {
            places[*row] = Some(next..next + tokens[*row]);
            next += tokens[*row];
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn twin(row: usize, layers: usize) -> Twin {
        Twin { row, layers }
    }

    #[test]
    fn rows_of_their_own_are_one_stage() {
        let only = Stage {
            layer: 0,
            rows: vec![0, 1],
            source: vec![],
        };
        assert_eq!(Stage::plan(&[2, 1], &[None, None]), [only]);
    }

    #[test]
    fn a_row_goes_on_from_its_twin_and_a_late_twin_from_its_own() {
        // The third is like the second in four layers, the second like the first in six: below the fourth layer the second
        // is not there, so the third goes on from the first.
        let stages = Stage::plan(
            &[2, 2, 2, 1],
            &[None, Some(twin(0, 6)), Some(twin(1, 4)), None],
        );
        let stage = |layer, rows: &[usize], source: &[usize]| Stage {
            layer,
            rows: rows.to_vec(),
            source: source.to_vec(),
        };
        assert_eq!(
            stages,
            [
                stage(0, &[0, 3], &[]),
                stage(4, &[0, 2, 3], &[0, 1, 0, 1, 2]),
                stage(6, &[0, 1, 2, 3], &[0, 1, 0, 1, 2, 3, 4]),
            ]
        );
    }
}
