//! Where the gradients of parameters go during a backward pass.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Takes the gradient of one parameter.
///
/// A parameter that is used several times in a pass, such as a tied embedding, hands over one gradient a use.
pub trait GradientSink: fmt::Debug + Send + Sync {
    /// Calls `add` with as many values as the parameter has, to which it adds the gradient of one use.
    fn receive(&self, add: &mut dyn FnMut(&mut [f32]));
}

/// A sink that parameters share with whoever reads it.
pub type Sink = Arc<dyn GradientSink>;

/// The sum of all gradients since it was last cleared.
#[derive(Debug)]
pub struct SummedGradient(Mutex<Vec<f32>>);

impl SummedGradient {
    /// Zeros for a parameter of `len` values.
    pub fn new(len: usize) -> Self {
        Self(Mutex::new(vec![0.0; len]))
    }

    /// Hands the sum to `read`, which may change it.
    pub fn with<T>(&self, read: impl FnOnce(&mut [f32]) -> T) -> T {
        read(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Begins anew.
    pub fn clear(&self) {
        self.with(|sum| sum.fill(0.0));
    }
}

impl GradientSink for SummedGradient {
    fn receive(&self, add: &mut dyn FnMut(&mut [f32])) {
        self.with(|sum| add(sum));
    }
}
