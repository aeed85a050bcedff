//! Rows times a weight of very many inputs.

use super::Shared;
use crate::cpu::blocks::pack;
use crate::cpu::gemm::multiply;
use crate::cpu::isa::Isa;
use crate::cpu::packed::PackedWeight;
use crate::cpu::tile::{self, PANEL, ROWS, Tile};
use rayon::prelude::*;

/// Steps of the inner loop that are worked on at once, so that the rows' values stay in the second-level cache while
/// every panel of the weight meets them.
const DEPTH: usize = 512;

/// `c = x weight^T`, bit for bit as [`multiply`] gives it: `x` is `[rows, inputs]`, `c` is `[rows, outputs]`.
///
/// [`multiply`] takes a panel through all of its inputs before the next one, which suits rows that fit in a cache.
pub(super) fn multiply_deep(isa: Isa, x: &[f32], weight: &PackedWeight, c: &mut [f32]) {
    let (inputs, outputs) = (weight.inputs(), weight.outputs());
    if weight.parts().is_some() || weight.codes().is_some() || x.is_empty() {
        return multiply(isa, x, weight, c, outputs, 0, false);
    }
    assert!(
        x.len() / inputs * outputs == c.len() && x.len().is_multiple_of(inputs),
        "rows of {inputs} inputs and {outputs} outputs"
    );
    let (rows, precision) = (x.len() / inputs, weight.precision());
    let height = rows.div_ceil(rows.div_ceil(ROWS));
    let steps = precision.steps(inputs);
    let inputs_of = |step: usize| inputs.min(step * 2 / precision.steps(2));
    let out = Shared(c.as_mut_ptr());
    let mut packed = vec![0f32; rows.div_ceil(height) * height * DEPTH.min(steps)];
    for k in (0..steps).step_by(DEPTH) {
        let depth = DEPTH.min(steps - k);
        let columns = inputs_of(k)..inputs_of(k + depth);
        packed
            .par_chunks_mut(height * depth)
            .zip(x.par_chunks(height * inputs))
            .for_each_init(Vec::new, |part, (out, rows)| {
                part.clear();
                for row in rows.chunks_exact(inputs) {
                    part.extend_from_slice(&row[columns.clone()]);
                }
                let out = &mut out[..rows.len() / inputs * depth];
                pack(isa, precision, part, columns.len(), out);
            });
        (0..weight.panels()).into_par_iter().for_each(|panel| {
            let first = panel * PANEL;
            let Some(b) = weight.panel(panel, k) else {
                unreachable!("a weight in one part has values or codes")
            };
            for (block, a) in packed.chunks(height * depth).enumerate() {
                let row = block * height;
                if row >= rows {
                    break;
                }
                let tile = Tile {
                    m: height.min(rows - row),
                    k: depth,
                    a: a.as_ptr(),
                    b,
                    panels: 1,
                    apart: 0,
                    c: out.at(row * outputs + first),
                    ldc: outputs,
                    columns: PANEL.min(outputs - first),
                    accumulate: k > 0,
                    ahead: 0,
                };
                // SAFETY: the block holds `depth * m` values from `a` on, the panel is padded to 32 columns, and the
                // rows and columns written lie inside `c` (asserted above) and belong to this panel alone.
                unsafe { tile::run(isa, &tile) };
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::backward::differences::{assert_same, values};
    use crate::cpu::packed::Precision;

    #[test]
    fn the_bits_are_those_of_the_plain_product() {
        for (rows, inputs, outputs) in [(1, 3, 1), (14, 1100, 40), (5, 1025, 33)] {
            let (x, w) = (values(rows * inputs, 1), values(outputs * inputs, 2));
            for precision in [Precision::F32, Precision::Bf16] {
                let weight = PackedWeight::in_precision(&w, outputs, inputs, precision);
                for isa in Isa::available() {
                    let (mut got, mut want) =
                        (vec![0f32; rows * outputs], vec![0f32; rows * outputs]);
                    multiply(isa, &x, &weight, &mut want, outputs, 0, false);
                    multiply_deep(isa, &x, &weight, &mut got);
                    assert_same(&got, &want, &format!("{precision:?} {isa}"));
                }
            }
        }
    }
}
