//! The kernel of a convolution over tokens as the matrix that computes it in one product.

use evalh_kernel::{GradientSink, Sink};
use std::sync::Arc;

/// Where the values of a kernel `[channels, channels / groups, size]` lie in its matrix, `[channels, size * channels]`, the
/// channels of the earliest token first. Channels of other groups weigh nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unfolding {
    pub channels: usize,
    pub groups: usize,
    pub size: usize,
}

impl Unfolding {
    /// The kernel's shape in the checkpoint.
    pub(crate) fn shape(self) -> [usize; 3] {
        [self.channels, self.channels / self.groups, self.size]
    }

    /// Columns of the matrix.
    pub(crate) fn columns(self) -> usize {
        self.size * self.channels
    }

    /// The matrix of a kernel.
    pub(crate) fn unfolded(self, kernel: &[f32]) -> Vec<f32> {
        let mut matrix = vec![0.0; self.channels * self.columns()];
        for (value, place) in kernel.iter().zip(self.places()) {
            matrix[place] = *value;
        }
        matrix
    }

    /// The kernel of a matrix.
    pub(crate) fn folded(self, matrix: &[f32]) -> Vec<f32> {
        self.places().map(|place| matrix[place]).collect()
    }

    /// A sink of the matrix's gradient that hands on the kernel's.
    pub(crate) fn sink(self, kernel: Sink) -> Sink {
        Arc::new(Folded {
            unfolding: self,
            kernel,
        })
    }

    /// The place in the matrix of each value of the kernel, in the kernel's order.
    fn places(self) -> impl Iterator<Item = usize> + Clone {
        let [channels, group, size] = self.shape();
        (0..channels).flat_map(move |out| {
            let first = out / group * group;
            (first..first + group).flat_map(move |input| {
                (0..size).map(move |tap| (out * size + tap) * channels + input)
            })
        })
    }
}

#[derive(Debug)]
struct Folded {
    unfolding: Unfolding,
    kernel: Sink,
}

impl GradientSink for Folded {
    fn receive(&self, add: &mut dyn FnMut(&mut [f32])) {
        let Unfolding { channels, .. } = self.unfolding;
        let mut matrix = vec![0.0; channels * self.unfolding.columns()];
        add(&mut matrix);
        let places = self.unfolding.places();
        self.kernel.receive(&mut |kernel| {
            for (sum, place) in kernel.iter_mut().zip(places.clone()) {
                *sum += matrix[place];
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evalh_kernel::SummedGradient;

    #[test]
    fn groups_do_not_mix_and_nothing_is_lost() {
        let unfolding = Unfolding {
            channels: 4,
            groups: 2,
            size: 3,
        };
        let kernel: Vec<f32> = (1..=24u8).map(f32::from).collect();
        let matrix = unfolding.unfolded(&kernel);
        assert_eq!(unfolding.folded(&matrix), kernel);
        assert_eq!(matrix.iter().filter(|v| **v > 0.0).count(), kernel.len());
        // Of the last output: its group's two channels of the first token, then of the second, then of the third.
        let last = [0., 0., 19., 22., 0., 0., 20., 23., 0., 0., 21., 24.];
        assert_eq!(matrix[36..], last);
    }

    #[test]
    fn the_kernel_gets_its_part_of_every_gradient() {
        let unfolding = Unfolding {
            channels: 2,
            groups: 2,
            size: 1,
        };
        let sum = Arc::new(SummedGradient::new(2));
        let sink = unfolding.sink(Arc::clone(&sum) as Sink);
        for _ in 0..2 {
            sink.receive(&mut |matrix| matrix.copy_from_slice(&[1.0, 2.0, 3.0, 4.0]));
        }
        assert_eq!(sum.with(|sum| sum.to_vec()), [2.0, 8.0]);
    }
}
