//! `AdamW` (Loshchilov and Hutter 2019), in the order of operations of `torch.optim.AdamW`.

/// The hyperparameters of `AdamW` but for the learning rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamW {
    /// Decay rates of the means of gradients and of their squares.
    pub betas: (f64, f64),
    /// Added to the root of the second moment.
    pub eps: f64,
    /// The share of a weight that goes with each step, times the learning rate.
    pub weight_decay: f64,
}

impl Default for AdamW {
    fn default() -> Self {
        Self {
            betas: (0.9, 0.95),
            eps: 1e-7,
            weight_decay: 0.01,
        }
    }
}

/// Everything about a step that is the same for all weights, so that every implementation rounds it alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepFactors {
    /// Multiplies a weight first: 1 - learning rate * weight decay.
    pub keep: f32,
    /// What of a new gradient goes into the first moment: 1 - beta 1.
    pub new_first: f32,
    /// What of the second moment stays: beta 2.
    pub keep_second: f32,
    /// What of a new gradient's square goes into the second moment: 1 - beta 2.
    pub new_second: f32,
    /// Divides the root of the second moment: the root of 1 - beta 2 to the power of the step.
    pub second_correction: f32,
    /// Added to that.
    pub eps: f32,
    /// Multiplies first moment over that: learning rate / (1 - beta 1 to the power of the step).
    pub step_size: f32,
}

impl AdamW {
    /// The factors of a step, counted from 1, computed in f64 and rounded once.
    pub fn factors(&self, learning_rate: f64, step: u64) -> StepFactors {
        let (beta1, beta2) = self.betas;
        let exponent = step as f64;
        StepFactors {
            keep: (1.0 - learning_rate * self.weight_decay) as f32,
            new_first: (1.0 - beta1) as f32,
            keep_second: beta2 as f32,
            new_second: (1.0 - beta2) as f32,
            second_correction: (1.0 - beta2.powf(exponent)).sqrt() as f32,
            eps: self.eps as f32,
            step_size: (learning_rate / (1.0 - beta1.powf(exponent))) as f32,
        }
    }
}

impl StepFactors {
    /// Takes one step: the definition, weight by weight. All four slices are of one length; `first` and `second` are the
    /// moments, 0 before the first step.
    ///
    /// # Panics
    /// When the slices are not of one length.
    pub fn step(
        &self,
        weights: &mut [f32],
        gradient: &[f32],
        first: &mut [f32],
        second: &mut [f32],
    ) {
        assert!(
            [gradient.len(), first.len(), second.len()] == [weights.len(); 3],
            "weights, gradient and moments are of one length"
        );
        let moments = first.iter_mut().zip(second);
        for ((weight, gradient), (first, second)) in weights.iter_mut().zip(gradient).zip(moments) {
            let kept = *weight * self.keep;
            *first += self.new_first * (gradient - *first);
            *second = *second * self.keep_second + self.new_second * gradient * gradient;
            let root = second.sqrt() / self.second_correction + self.eps;
            *weight = kept - self.step_size * *first / root;
        }
    }
}
