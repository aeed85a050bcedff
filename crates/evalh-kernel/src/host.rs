//! Between burn tensors on the CPU backend and plain slices.

use burn::backend::{Flex, flex::FlexTensor};
use burn::tensor::{Device, Tensor, TensorData};

/// A CPU tensor whose values can be read as one slice.
pub(crate) struct Host(FlexTensor);

impl Host {
    /// Takes a tensor of the CPU backend; strided views are copied into order.
    pub(crate) fn new<const D: usize>(tensor: Tensor<D>) -> Self {
        let tensor: FlexTensor = match tensor.try_into_primitive::<Flex>() {
            Ok(tensor) => tensor,
            // The CPU set only ever makes tensors on this backend.
            Err(error) => unreachable!("a tensor of another backend: {error:?}"),
        };
        Self::of(tensor)
    }

    /// The same of the backend's own tensor.
    pub(crate) fn of(tensor: FlexTensor) -> Self {
        Self(if tensor.as_slice::<f32>().is_some() {
            tensor
        } else {
            tensor.to_contiguous()
        })
    }

    /// The values, row-major.
    pub(crate) fn values(&self) -> &[f32] {
        // Contiguous since `new`, and the CPU set only ever makes f32 tensors.
        self.0
            .as_slice::<f32>()
            .unwrap_or_else(|| unreachable!("a CPU tensor that is not f32"))
    }

    /// The values in a vector of their own, without a copy where nobody else holds them.
    pub(crate) fn into_vec(self) -> Vec<f32> {
        self.0
            .into_data()
            .try_into_vec::<f32>()
            .unwrap_or_else(|error| unreachable!("a CPU tensor that is not f32: {error:?}"))
    }
}

/// A CPU tensor of row-major `values`, `[rows, width]`, without a copy.
pub(crate) fn tensor(values: Vec<f32>, width: usize, device: &Device) -> Tensor<2> {
    let rows = values.len() / width;
    Tensor::from_data(TensorData::new(values, [rows, width]), device)
}
