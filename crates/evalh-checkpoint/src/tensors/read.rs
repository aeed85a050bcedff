//! Stored values to f32.

use super::StoredTensor;
use crate::{CheckpointError, float};
use rayon::prelude::*;
use safetensors::Dtype;
use std::path::Path;

/// Values that one thread converts at a time.
const VALUES_A_TASK: usize = 1 << 16;

/// A tensor's values in row-major order. `file` holds all bytes that the tensor names.
pub(super) fn f32s(
    path: &Path,
    tensor: &StoredTensor,
    file: &[u8],
) -> Result<Vec<f32>, CheckpointError> {
    let data = &file[tensor.data.clone()];
    match tensor.dtype {
        Dtype::F32 => Ok(values::<4>(tensor, data, float::f32_from_le)),
        Dtype::F16 => Ok(values::<2>(tensor, data, float::f16_from_le)),
        Dtype::BF16 => Ok(values::<2>(tensor, data, float::bf16_from_le)),
        _ => Err(CheckpointError::Unsupported {
            path: path.to_owned(),
            field: tensor.name.clone(),
            found: tensor.info().dtype.to_string(),
            supported: "F32, F16 and BF16 are; save the model in one of these".to_owned(),
        }),
    }
}

fn values<const WIDTH: usize>(
    tensor: &StoredTensor,
    data: &[u8],
    read: impl Fn(&[u8], &mut [f32]) + Sync,
) -> Vec<f32> {
    let mut out = vec![0.0; tensor.elements()];
    match &tensor.strides {
        None => out
            .par_chunks_mut(VALUES_A_TASK)
            .zip(data.par_chunks(VALUES_A_TASK * WIDTH))
            .for_each(|(out, data)| read(data, out)),
        Some(strides) => gather::<WIDTH>(&tensor.shape, strides, data, &mut out, read),
    }
    out
}

/// Values at any strides, a row of the last extent at a time. No place overflows: the extent was checked against the
/// storage as the file was opened.
fn gather<const WIDTH: usize>(
    shape: &[usize],
    strides: &[usize],
    data: &[u8],
    out: &mut [f32],
    read: impl Fn(&[u8], &mut [f32]) + Sync,
) {
    let (Some((&columns, outer)), Some((&step, outer_strides))) =
        (shape.split_last(), strides.split_last())
    else {
        return;
    };
    if out.is_empty() {
        return;
    }
    let at = |place: usize, values: usize| &data[place * WIDTH..(place + values) * WIDTH];
    out.par_chunks_mut(columns)
        .enumerate()
        .for_each(|(row, out)| {
            let (mut rest, mut start) = (row, 0);
            for (&extent, &stride) in outer.iter().zip(outer_strides).rev() {
                start += rest % extent * stride;
                rest /= extent;
            }
            if step == 1 {
                read(at(start, columns), out);
            } else {
                for (column, value) in out.iter_mut().enumerate() {
                    read(at(start + column * step, 1), std::slice::from_mut(value));
                }
            }
        });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_are_honoured() {
        // Values 0 to 23 as [4, 6]; its transpose, a window and a broadcast-free three-dimensional view.
        let data: Vec<u8> = (0..24u8).flat_map(|i| f32::from(i).to_le_bytes()).collect();
        let read = |shape: &[usize], strides: &[usize], start: usize| {
            let tensor = StoredTensor {
                name: "t".to_owned(),
                shape: shape.to_vec(),
                dtype: Dtype::F32,
                data: 4 * start..data.len(),
                strides: Some(strides.to_vec()),
            };
            f32s(Path::new("f"), &tensor, &data).unwrap()
        };
        assert_eq!(read(&[6, 4], &[1, 6], 0)[..5], [0.0, 6.0, 12.0, 18.0, 1.0]);
        assert_eq!(
            read(&[2, 3], &[6, 1], 8),
            [8.0, 9.0, 10.0, 14.0, 15.0, 16.0]
        );
        assert_eq!(
            read(&[2, 2, 2], &[2, 12, 1], 0),
            [0.0, 1.0, 12.0, 13.0, 2.0, 3.0, 14.0, 15.0]
        );
        assert!(read(&[0, 4], &[1, 6], 0).is_empty());
    }
}
