//! Which relative position a distance has.

use super::config::RelativeAttention;
use std::ops::RangeInclusive;

/// The positions of a sequence's distances, as rows of a cut of the embeddings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Distances {
    /// Rows of the embeddings that some distance has.
    pub used: RangeInclusive<usize>,
    /// For every distance from `-(longest - 1)` to `longest - 1`, its row within `used`.
    pub rows: Vec<u32>,
}

impl RelativeAttention {
    /// The positions in sequences of up to `longest` tokens.
    pub(super) fn distances(&self, longest: usize) -> Distances {
        let reach = longest as i64 - 1;
        let rows: Vec<u32> = (-reach..=reach)
            .map(|distance| self.row(distance) as u32)
            .collect();
        // The position never falls with the distance.
        let first = rows[0];
        let last = rows[rows.len() - 1];
        Distances {
            used: first as usize..=last as usize,
            rows: rows.into_iter().map(|row| row - first).collect(),
        }
    }

    /// The embedding's row of a distance of a query from a key.
    fn row(&self, distance: i64) -> i64 {
        let bucket = match self.buckets {
            Some((largest, buckets)) => bucket(distance, buckets, largest),
            None => distance,
        };
        let span = self.span as i64;
        (bucket + span).clamp(0, 2 * span - 1)
    }
}

/// The distance itself up to half the buckets, then logarithmic steps up to `largest`.
///
/// Rounded to `f32` at every step as the reference implementation rounds it: near the edge of a bucket that decides.
fn bucket(distance: i64, buckets: usize, largest: usize) -> i64 {
    let middle = (buckets / 2) as i64;
    if distance.abs() <= middle {
        return distance;
    }
    // Logarithms are taken in f64 and rounded, which is exact to the last place.
    let log = |x: f32| f64::from(x).ln() as f32;
    let ratio = log(distance.abs() as f32 / middle as f32)
        / log(((largest as i64 - 1) as f64 / middle as f64) as f32);
    let steps = (ratio * (middle - 1) as f32).ceil() as i64;
    distance.signum() * (steps + middle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoder::config::PositionProjections;

    /// The first distance of every bucket from 129 on, with 256 buckets up to 512 as `DeBERTa` v3 has them: what
    /// `make_log_bucket_position` of transformers 5.23.0 gives.
    const V3: [usize; 123] = [
        129, 130, 131, 133, 134, 136, 137, 139, 140, 142, 143, 145, 146, 148, 150, 151, 153, 155,
        156, 158, 160, 161, 163, 165, 167, 169, 170, 172, 174, 176, 178, 180, 182, 184, 186, 188,
        190, 192, 194, 196, 198, 201, 203, 205, 207, 210, 212, 214, 216, 219, 221, 224, 226, 229,
        231, 234, 236, 239, 241, 244, 247, 249, 252, 255, 258, 260, 263, 266, 269, 272, 275, 278,
        281, 284, 287, 290, 294, 297, 300, 303, 307, 310, 313, 317, 320, 324, 327, 331, 335, 338,
        342, 346, 349, 353, 357, 361, 365, 369, 373, 377, 381, 385, 390, 394, 398, 403, 407, 411,
        416, 420, 425, 430, 434, 439, 444, 449, 454, 459, 464, 469, 474, 479, 484,
    ];

    #[test]
    fn buckets_are_those_of_transformers() {
        for distance in 0..490 {
            let steps = V3.iter().filter(|first| **first <= distance).count();
            let want = if distance <= 128 {
                distance
            } else {
                128 + steps
            };
            assert_eq!(bucket(distance as i64, 256, 512), want as i64, "{distance}");
            assert_eq!(bucket(-(distance as i64), 256, 512), -(want as i64));
        }
        let few: Vec<i64> = [4, 5, 12, 13, 40, 41, 131, 132]
            .map(|distance| bucket(distance, 8, 132))
            .to_vec();
        assert_eq!(few, [4, 5, 5, 6, 6, 7, 7, 8]);
    }

    #[test]
    fn distances_past_the_span_share_its_last_row() {
        let relative = RelativeAttention {
            span: 6,
            buckets: None,
            projections: PositionProjections::Shared,
            to_position: true,
            from_position: true,
            normed: false,
        };
        let distances = relative.distances(9);
        assert_eq!(distances.used, 0..=11);
        let want: Vec<u32> = [0, 0, 0].into_iter().chain(1..=11).chain([11; 3]).collect();
        assert_eq!(distances.rows, want);
        assert_eq!(relative.distances(2).rows, [0, 1, 2]);
        assert_eq!(relative.distances(2).used, 5..=7);
    }
}
