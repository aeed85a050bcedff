//! What probes keep of gradients.

use evalh_model::{GradientSink, Parameter};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// The squared norm of the gradients of one layer in one batch.
#[derive(Debug, Default)]
pub(super) struct NormOfBatch(Arc<Mutex<f64>>);

/// One parameter's part of it. A gradient that is complete is squared and forgotten.
#[derive(Debug)]
pub(super) struct ParameterNorm {
    sum: Arc<Mutex<f64>>,
    len: usize,
    uses: usize,
    begun: Mutex<Begun>,
}

/// The gradient of the uses so far in a pass.
#[derive(Debug, Default)]
struct Begun {
    gradient: Vec<f32>,
    uses: usize,
}

impl NormOfBatch {
    /// The sink of a parameter.
    pub(super) fn of(&self, parameter: &Parameter) -> ParameterNorm {
        ParameterNorm {
            sum: Arc::clone(&self.0),
            len: parameter.len(),
            uses: parameter.uses,
            begun: Mutex::default(),
        }
    }

    /// The norm, and zero for the next batch.
    pub(super) fn take(&self) -> f64 {
        let mut sum = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *sum).sqrt()
    }
}

impl GradientSink for ParameterNorm {
    fn receive(&self, add: &mut dyn FnMut(&mut [f32])) {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.gradient.resize(self.len, 0.0);
        add(&mut begun.gradient);
        begun.uses += 1;
        if begun.uses < self.uses {
            return;
        }
        let Begun { gradient, .. } = std::mem::take(&mut *begun);
        let squares: f64 = gradient.iter().map(|g| f64::from(*g).powi(2)).sum();
        *self.sum.lock().unwrap_or_else(PoisonError::into_inner) += squares;
    }
}

/// The sum over samples of a tensor's squared gradient, value by value.
#[derive(Debug)]
pub(super) struct SquareOfSamples(Mutex<Squares>);

#[derive(Debug)]
struct Squares {
    gradient: Vec<f32>,
    squares: Vec<f32>,
}

impl SquareOfSamples {
    pub(super) fn new(len: usize) -> Self {
        Self(Mutex::new(Squares {
            gradient: vec![0.0; len],
            squares: vec![0.0; len],
        }))
    }

    /// Adds the squares of the sample's gradient times `share`.
    pub(super) fn end_sample(&self, share: f32) {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Squares { gradient, squares } = &mut *own;
        for (square, gradient) in squares.iter_mut().zip(gradient) {
            let mean = *gradient * share;
            *square += mean * mean;
            *gradient = 0.0;
        }
    }

    /// The Frobenius norm of the mean of `samples` squares, of some of the values.
    pub(super) fn norm(&self, values: Range<usize>, samples: usize) -> f64 {
        let own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let squares = own.squares[values].iter();
        let sum: f64 = squares.map(|square| f64::from(*square).powi(2)).sum();
        sum.sqrt() / samples as f64
    }
}

impl GradientSink for SquareOfSamples {
    fn receive(&self, add: &mut dyn FnMut(&mut [f32])) {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        add(&mut own.gradient);
    }
}
