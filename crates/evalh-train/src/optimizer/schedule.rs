//! Learning rates step by step, as the schedules of transformers give them.

use evalh_record::training::Schedule;

/// How long the warm-up is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum WarmUp {
    /// So many steps.
    Steps(u64),
    /// A share of all steps, from 0 to 1, rounded up to whole steps as transformers' `TrainingArguments` do.
    Ratio(f64),
}

/// A warm-up of no meaning.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WarmUpError {
    /// A share outside 0 to 1.
    #[error("warm up for {0} of the steps: a share is from 0 to 1; give whole steps for more")]
    Share(f64),
    /// More steps than there are.
    #[error("warm up for {warm_up} steps of {total}: give at most all steps")]
    TooLong {
        /// The warm-up's steps.
        warm_up: u64,
        /// All steps.
        total: u64,
    },
}

impl WarmUp {
    /// The warm-up in steps, out of `total`.
    ///
    /// # Errors
    /// When the share is not one or the warm-up is longer than the training.
    pub fn steps(self, total: u64) -> Result<u64, WarmUpError> {
        match self {
            Self::Steps(warm_up) if warm_up > total => Err(WarmUpError::TooLong { warm_up, total }),
            Self::Steps(warm_up) => Ok(warm_up),
            Self::Ratio(share) if (0.0..=1.0).contains(&share) => {
                Ok((share * total as f64).ceil() as u64)
            }
            Self::Ratio(share) => Err(WarmUpError::Share(share)),
        }
    }
}

/// The learning rate of every step of a training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearningRate {
    /// The rate at the end of the warm-up.
    pub peak: f64,
    /// How it goes on from there: as transformers' `get_constant_schedule_with_warmup`, `get_linear_schedule_with_warmup`
    /// or `get_cosine_schedule_with_warmup`; the latter two reach 0 at the end of the last step.
    pub schedule: Schedule,
    /// Steps in which it rises.
    pub warm_up_steps: u64,
    /// All steps, warm-up included.
    pub total_steps: u64,
}

impl LearningRate {
    /// The learning rate of a step. Steps count from 1, as in a training's record; the first is transformers' `lambda(0)`,
    /// so with a warm-up its rate is 0. After the last step the rate of a falling schedule stays 0.
    pub fn at(&self, step: u64) -> f64 {
        self.peak * self.factor(step.saturating_sub(1))
    }

    /// The rate's share of the peak before `done` steps more.
    fn factor(&self, done: u64) -> f64 {
        if done < self.warm_up_steps {
            return done as f64 / self.warm_up_steps as f64;
        }
        let falling = self.total_steps.saturating_sub(self.warm_up_steps).max(1) as f64;
        match self.schedule {
            Schedule::Constant => 1.0,
            Schedule::Linear => self.total_steps.saturating_sub(done) as f64 / falling,
            Schedule::Cosine => {
                // Past the end the cosine of the reference would rise again.
                let progress = ((done - self.warm_up_steps) as f64 / falling).min(1.0);
                (0.5 * (1.0 + (std::f64::consts::PI * progress).cos())).max(0.0)
            }
        }
    }
}
