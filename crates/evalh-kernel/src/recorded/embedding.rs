//! Lookups of rows.

use super::record;
use crate::gradient::Sink;
use crate::host::Host;
use burn::tensor::Tensor;

/// `x`, looked up as rows `ids` of a table whose gradient is wanted.
///
/// A step needs an input to be part of the tape, and a lookup has none: a single value stands for it.
pub(crate) fn embed(x: Tensor<2>, ids: &[u32], sink: &Sink) -> Tensor<2> {
    let width = x.dims()[1];
    let nothing = Tensor::zeros([1, 1], &x.device()).autodiff().require_grad();
    let x = Host::new(x);
    let (ids, sink) = (ids.to_vec(), sink.clone());
    record([nothing], width, |[_]| {
        let pull = move |dy: Host, _: [bool; 1]| {
            sink.receive(&mut |sum| {
                let rows = dy.values().chunks_exact(width);
                for (id, row) in ids.iter().zip(rows) {
                    let place = *id as usize * width;
                    let to = &mut sum[place..place + width];
                    to.iter_mut().zip(row).for_each(|(s, g)| *s += g);
                }
            });
            [None]
        };
        (x.into_vec(), pull)
    })
}

/// The given rows of `x`, in that order.
pub(crate) fn select_rows(x: Tensor<2>, rows: &[usize]) -> Tensor<2> {
    let [count, width] = x.dims();
    let rows = rows.to_vec();
    record([x], width, |[x]| {
        let row = |r: &usize| &x.values()[r * width..(r + 1) * width];
        let out = rows.iter().flat_map(row).copied().collect();
        let pull = move |dy: Host, _: [bool; 1]| {
            let mut dx = vec![0f32; count * width];
            for (r, dy) in rows.iter().zip(dy.values().chunks_exact(width)) {
                let to = &mut dx[r * width..(r + 1) * width];
                to.iter_mut().zip(dy).for_each(|(d, g)| *d += g);
            }
            [Some(dx)]
        };
        (out, pull)
    })
}
