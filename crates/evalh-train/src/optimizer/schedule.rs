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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn reference(name: &str) -> Vec<Value> {
        let text = include_str!("../../tests/reference/optimizer.json");
        let all: Value = serde_json::from_str(text).unwrap();
        all[name].as_array().unwrap().clone()
    }

    #[test]
    fn rates_are_those_of_transformers() {
        let cases = reference("schedules");
        assert_eq!(cases.len(), 21);
        for case in cases {
            let rate = LearningRate {
                peak: case["peak"].as_f64().unwrap(),
                schedule: serde_json::from_value(case["schedule"].clone()).unwrap(),
                warm_up_steps: case["warm_up"].as_u64().unwrap(),
                total_steps: case["total"].as_u64().unwrap(),
            };
            for (step, expected) in (1..).zip(case["rates"].as_array().unwrap()) {
                let expected = expected.as_f64().unwrap();
                let found = rate.at(step);
                assert!(
                    (found - expected).abs() <= 1e-15 * rate.peak,
                    "{rate:?} {step}: {found} {expected}"
                );
            }
        }
    }

    #[test]
    fn shares_round_up_as_in_transformers() {
        for case in reference("warm_ups") {
            let warm_up = WarmUp::Ratio(case["ratio"].as_f64().unwrap());
            let steps = warm_up.steps(case["total"].as_u64().unwrap()).unwrap();
            assert_eq!(Some(steps), case["steps"].as_u64(), "{case}");
        }
        assert_eq!(WarmUp::Ratio(1.0).steps(7), Ok(7));
        assert_eq!(WarmUp::Steps(7).steps(7), Ok(7));
    }

    #[test]
    fn a_warm_up_of_no_meaning_is_refused() {
        for share in [-0.1, 1.1, f64::NAN] {
            assert!(WarmUp::Ratio(share).steps(10).is_err());
        }
        assert_eq!(
            WarmUp::Steps(8).steps(7).unwrap_err().to_string(),
            "warm up for 8 steps of 7: give at most all steps"
        );
    }

    #[test]
    fn nothing_rises_after_the_end() {
        for schedule in [Schedule::Linear, Schedule::Cosine] {
            let rate = LearningRate {
                peak: 1.0,
                schedule,
                warm_up_steps: 2,
                total_steps: 10,
            };
            for step in 11..40 {
                assert!(rate.at(step).abs() < 1e-12, "{schedule:?} {step}");
            }
        }
    }
}
