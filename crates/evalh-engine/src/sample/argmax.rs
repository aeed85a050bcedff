//! The most likely token.

/// Lanes the compiler can keep in vector registers.
const LANES: usize = 16;

/// Place of the largest value, the lowest on ties. `None` when a value is NaN or infinite, or there are none.
///
/// Two passes without branches: the largest value, then the first place that holds it. `x * 0.0` is NaN exactly when
/// `x` is not finite, so a running sum of it finds bad values at no branch either.
pub fn argmax(values: &[f32]) -> Option<u32> {
    let mut largest = [f32::NEG_INFINITY; LANES];
    let mut bad = [0.0f32; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            let x = chunk[lane];
            largest[lane] = if x > largest[lane] { x } else { largest[lane] };
            bad[lane] += x * 0.0;
        }
    }
    for (lane, &x) in rest.iter().enumerate() {
        largest[lane] = largest[lane].max(x);
        bad[lane] += x * 0.0;
    }
    if bad.iter().any(|sum| sum.is_nan()) {
        return None;
    }
    let max = largest.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    position_of(values, max)
}

/// The first place that holds exactly `wanted`.
#[allow(clippy::float_cmp, reason = "the value was read from this slice")]
fn position_of(values: &[f32], wanted: f32) -> Option<u32> {
    let (chunks, rest) = values.as_chunks::<LANES>();
    // counted, not searched, so that the loop has no branch
    let holds =
        |chunk: &[f32; LANES]| chunk.iter().map(|&x| u32::from(x == wanted)).sum::<u32>() > 0;
    let chunk = chunks.iter().position(holds);
    let from = chunk.map_or(values.len() - rest.len(), |chunk| chunk * LANES);
    let place = values[from..].iter().position(|&x| x == wanted)?;
    u32::try_from(from + place).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ties_go_to_the_lowest_place() {
        let mut values = vec![1.0; 100];
        assert_eq!(argmax(&values), Some(0));
        values[17] = 2.0;
        values[33] = 2.0;
        values[98] = 2.0;
        assert_eq!(argmax(&values), Some(17));
        assert_eq!(argmax(&[-0.0, 0.0]), Some(0));
        assert_eq!(argmax(&[]), None);
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_search(values in prop::collection::vec((-40i8..40).prop_map(f32::from), 1..200)) {
            let mut best = 0;
            for (i, value) in values.iter().enumerate() {
                if *value > values[best] {
                    best = i;
                }
            }
            prop_assert_eq!(argmax(&values), Some(best as u32));
        }
    }
}
