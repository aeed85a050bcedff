//! What a loss is counted in.

use evalh_record::training::Objective;

/// The unit of a loss as it reads behind a difference: `nats a token`.
pub(super) fn unit(objective: Option<Objective>) -> &'static str {
    match objective {
        None | Some(Objective::CausalLm) => "nats a token",
        Some(Objective::Classification { .. }) => "nats a label",
        Some(Objective::Regression) => "of squared error",
    }
}

/// What a loss is, in full: `nats a loss token`.
pub(super) fn measure(objective: Option<Objective>) -> &'static str {
    match objective {
        None | Some(Objective::CausalLm) => "nats a loss token",
        Some(Objective::Classification { .. }) => "nats a label",
        Some(Objective::Regression) => "squared error of a label",
    }
}
