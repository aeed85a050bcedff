//! The losses of labels, in burn's operations, which record themselves: a few values an input.

use super::TargetLoss;
use crate::weight::data_values;
use burn::tensor::{Int, Tensor, TensorData, activation};

/// The cross-entropy of `classes`, one a row of `logits`, `[rows, classes]`.
///
/// # Panics
/// When there is not a class a row, or one is no column.
pub fn class_loss(logits: Tensor<2>, classes: &[u32]) -> TargetLoss {
    assert_eq!(logits.dims()[0], classes.len(), "a class a row");
    let places: Vec<i32> = classes.iter().map(|class| *class as i32).collect();
    let shape = [classes.len(), 1];
    let places = Tensor::<2, Int>::from_data(TensorData::new(places, shape), &logits.device());
    summed(activation::log_softmax(logits, 1).gather(1, places).neg())
}

/// The squared difference of each row of `outputs`, `[rows, 1]`, from its value.
///
/// # Panics
/// When there is not a value a row.
pub fn squared_error(outputs: Tensor<2>, values: &[f32]) -> TargetLoss {
    let shape = [values.len(), 1];
    assert_eq!(outputs.dims(), shape, "a value a row");
    let values = Tensor::from_data(TensorData::new(values.to_vec(), shape), &outputs.device());
    let off = outputs - values;
    summed(off.clone() * off)
}

fn summed(losses: Tensor<2>) -> TargetLoss {
    let each = data_values(losses.clone().inner().into_data());
    let sum = losses.sum().reshape([1, 1]);
    TargetLoss { sum, each }
}
