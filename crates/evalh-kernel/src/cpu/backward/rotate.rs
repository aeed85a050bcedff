//! The transpose of the rotary position embedding.

pub use crate::cpu::attention::rotate;

use crate::cpu::attention::AttentionShape;
use crate::cpu::rope::{Angles, Pairing};
use rayon::prelude::*;

/// Turns gradients of rotated queries and keys into those of the queries and keys before [`rotate`], in place; those of
/// values stay.
///
/// `d_qkv` is `[tokens, qkv_width]`, `angles` hold one entry a token. Each pair is rotated the other way round and
/// scaled as before: the transpose, which is the inverse only where the angles are not scaled.
///
/// # Panics
/// When there are not as many angles as tokens.
pub fn rotate_back(d_qkv: &mut [f32], shape: AttentionShape, angles: &Angles) {
    let pairs = angles.pairs();
    if pairs == 0 {
        return;
    }
    let width = shape.qkv_width();
    assert_eq!(
        angles.len() * width,
        d_qkv.len(),
        "angles for every token of the batch"
    );
    let (cos, sin) = angles.values();
    d_qkv
        .par_chunks_mut(width)
        .zip(cos.par_chunks(pairs).zip(sin.par_chunks(pairs)))
        .with_min_len(8)
        .for_each(|(token, (cos, sin))| {
            let queries = (0..shape.heads).map(|head| shape.query(head));
            let keys = (0..shape.kv_heads).map(|head| shape.key(head));
            for first in queries.chain(keys) {
                rotate_head_back(&mut token[first..][..2 * pairs], cos, sin, angles.pairing());
            }
        });
}

fn rotate_head_back(head: &mut [f32], cos: &[f32], sin: &[f32], pairing: Pairing) {
    match pairing {
        Pairing::Halves => {
            let (low, high) = head.split_at_mut(cos.len());
            for (((a, b), c), s) in low.iter_mut().zip(high).zip(cos).zip(sin) {
                (*a, *b) = (*a * c + *b * s, *b * c - *a * s);
            }
        }
        Pairing::Neighbours => {
            for ((pair, c), s) in head.as_chunks_mut::<2>().0.iter_mut().zip(cos).zip(sin) {
                let [a, b] = *pair;
                *pair = [a * c + b * s, b * c - a * s];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::attention::QkvLayout;
    use crate::cpu::backward::differences::values;
    use crate::cpu::rope::RopeTable;

    #[test]
    fn turning_back_is_the_transpose() {
        for (pairing, layout, kv_heads) in [
            (Pairing::Halves, QkvLayout::Concatenated, 2),
            (Pairing::Neighbours, QkvLayout::Interleaved, 4),
        ] {
            let shape = AttentionShape {
                heads: 4,
                kv_heads,
                head_dim: 10,
                scale: 1.0,
                soft_cap: None,
                window: None,
                layout,
            };
            // Scaled, and fewer than the head's pairs.
            let mut table = RopeTable::new(vec![1.0, 0.3, 0.1, 0.01], 1.3);
            table.reserve(40);
            let mut angles = Angles::new(4, pairing);
            (0..30).for_each(|token| angles.push(&table, token));
            let [x, d] = [1, 2].map(|seed| values(30 * shape.qkv_width(), seed));
            let product = |a: &[f32], b: &[f32]| -> f64 {
                a.iter()
                    .zip(b)
                    .map(|(a, b)| f64::from(*a) * f64::from(*b))
                    .sum()
            };
            let (mut turned, mut back) = (x.clone(), d.clone());
            rotate(&mut turned, shape, &angles);
            rotate_back(&mut back, shape, &angles);
            assert!(turned != x && back != d);
            assert!((product(&turned, &d) - product(&x, &back)).abs() < 1e-4);
        }
    }
}
