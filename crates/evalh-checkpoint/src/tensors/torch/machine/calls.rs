//! The calls that a state dict's pickle makes: a dictionary, a storage, a tensor on it.

use super::{Machine, broken};
use crate::tensors::torch::{
    Fault,
    pickle::{Global, Object, Storage, Value, View},
    refused,
};

/// The longest shape of a tensor.
const MOST_EXTENTS: usize = 8;

impl<'a> Machine<'a> {
    /// A call of one of the known functions.
    pub(super) fn reduce(&mut self) -> Result<Value<'a>, Fault> {
        let [callee, arguments] = self.pop_last::<2>()?;
        let arguments = self
            .tuple_at(arguments)
            .ok_or_else(|| broken("calls with what is no tuple"))?;
        match (callee, arguments) {
            (Value::Global(Global::OrderedDict), []) => {
                Ok(self.new_object(Object::Dict(Vec::new())))
            }
            (
                Value::Global(Global::RebuildTensor),
                &[storage, offset, shape, strides, _gradient, _hooks],
            ) => {
                let view = self.view(storage, offset, shape, strides)?;
                Ok(self.new_object(Object::Tensor(Box::new(view))))
            }
            (Value::Global(Global::RebuildTensor), arguments) if arguments.len() > 6 => Err(
                refused("data.pkl", "a tensor with metadata such as a conjugate bit"),
            ),
            (Value::Global(Global::RebuildParameter), &[tensor, _gradient, _hooks]) => Ok(tensor),
            (Value::Global(global), _) => Err(refused(
                "data.pkl",
                format!("a pickle that calls {global:?} with other arguments"),
            )),
            _ => Err(broken("calls what is no function")),
        }
    }

    fn view(
        &self,
        storage: Value<'a>,
        offset: Value<'a>,
        shape: Value<'a>,
        strides: Value<'a>,
    ) -> Result<View, Fault> {
        let storage = match storage {
            Value::Object(place) if matches!(self.heap[place], Object::Storage(_)) => place,
            _ => return Err(broken("has a tensor without a storage")),
        };
        let view = View {
            storage,
            offset: count(offset).ok_or_else(|| broken("has a tensor with a negative offset"))?,
            shape: self.counts(shape, "shape")?,
            strides: self.counts(strides, "strides")?,
        };
        if view.shape.len() != view.strides.len() {
            return Err(broken("has a tensor whose strides do not fit its shape"));
        }
        Ok(view)
    }

    fn counts(&self, value: Value<'a>, what: &str) -> Result<Vec<usize>, Fault> {
        let items = self
            .tuple_at(value)
            .filter(|items| items.len() <= MOST_EXTENTS);
        items
            .and_then(|items| items.iter().copied().map(count).collect())
            .ok_or_else(|| {
                broken(&format!(
                    "has a tensor whose {what} are not up to {MOST_EXTENTS} counts"
                ))
            })
    }

    /// A storage from its persistent id: `("storage", type, key, device, number of values)`.
    pub(super) fn storage(&mut self) -> Result<Value<'a>, Fault> {
        let id = self.pop()?;
        let storage = match self.tuple_at(id) {
            Some(
                &[
                    Value::Text("storage"),
                    Value::Global(Global::Storage(dtype)),
                    Value::Text(key),
                    Value::Text(_device),
                    values,
                ],
            ) => count(values).map(|values| Storage { dtype, key, values }),
            _ => None,
        };
        storage
            .map(|storage| self.new_object(Object::Storage(storage)))
            .ok_or_else(|| broken("has a storage that is not described as PyTorch does"))
    }
}

fn count(value: Value<'_>) -> Option<usize> {
    match value {
        Value::Int(n) => usize::try_from(n).ok(),
        _ => None,
    }
}
