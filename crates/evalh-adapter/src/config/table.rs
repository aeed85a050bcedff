//! Fields of PEFT's `LoraConfig` that are not read for what they say, each with the reason: neutral, or refused.
//!
//! Judged by the source of PEFT 0.21.2. A field that is in neither table is unknown, and refused unless its value is empty.

const MERGE: &str = "merge the adapter into its base with PEFT (merge_and_unload) and evaluate the merged checkpoint";
const PLAIN: &str = "train the adapter without it";

/// Fields that change nothing in what a trained adapter computes, and why.
pub const NEUTRAL: &[(&str, &str)] = &[
    ("auto_mapping", "names Python classes"),
    (
        "base_model_name_or_path",
        "serves messages; the base is the user's choice",
    ),
    (
        "corda_config",
        "read only by the initialisation of that name, which is judged itself",
    ),
    (
        "eva_config",
        "EVA initialises A and redistributes the ranks, which the patterns of the file state; the base is left as it is",
    ),
    (
        "fan_in_fan_out",
        "PEFT corrects it by the kind of each module, and the model's layout states the kind",
    ),
    ("inference_mode", "says which parameters are trained"),
    (
        "loftq_config",
        "read only by the initialisation of that name, which is judged itself",
    ),
    (
        "lora_dropout",
        "acts in training only (LoraLayer.update_layer)",
    ),
    (
        "lora_ga_config",
        "read only by the initialisation of that name, which is judged itself",
    ),
    ("megatron_core", "read only with megatron_config"),
    (
        "monteclora_config",
        "samples in training only; evaluation and merging use A and B (MontecloraLinearVariant)",
    ),
    ("peft_version", "describes the file"),
    ("qalora_group_size", "read only with use_qalora"),
    ("revision", "describes the base's file"),
    ("runtime_config", "is not saved, and says where to compute"),
    (
        "velora_config",
        "replaces the backward pass only (VeloraLinearVariant)",
    ),
];

/// Field, what it does, remedy.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "alora_invocation_tokens",
        "asks for an activated LoRA, which acts on the tokens after an invocation only and is not honoured",
        PLAIN,
    ),
    (
        "arrow_config",
        "asks for routing between adapters, which is not honoured",
        PLAIN,
    ),
    (
        "kasa_config",
        "asks for KaSA, which truncates the base weights by a singular value decomposition and is not honoured",
        MERGE,
    ),
    (
        "layer_replication",
        "asks for a new stack of layers, which is not honoured",
        MERGE,
    ),
    (
        "megatron_config",
        "asks for Megatron's parallel layers, which are not honoured",
        PLAIN,
    ),
    (
        "target_parameters",
        "names bare parameters to adapt, which are not honoured",
        MERGE,
    ),
    (
        "trainable_token_indices",
        "names retrained token embeddings, which are not honoured",
        MERGE,
    ),
    (
        "use_bdlora",
        "asks for block-diagonal factors, which are not honoured",
        MERGE,
    ),
    (
        "use_qalora",
        "asks for QALoRA, which pools the inputs of a quantised base and is not honoured",
        PLAIN,
    ),
];

/// What a non-neutral value of `field` asks for, and the remedy.
pub fn explain(field: &str) -> (&'static str, &'static str) {
    REFUSED.iter().find(|(name, ..)| *name == field).map_or(
        (
            "is unknown and not neutral, so ignoring it could change what the adapter does",
            "remove it if it describes the training only, or merge the adapter into its base with the library that made it \
             and evaluate the merged checkpoint",
        ),
        |&(_, meaning, remedy)| (meaning, remedy),
    )
}

#[cfg(test)]
mod tests {
    use super::{NEUTRAL, REFUSED};

    #[test]
    fn no_field_is_both_neutral_and_refused() {
        for (field, reason) in NEUTRAL {
            assert!(!reason.is_empty());
            assert!(REFUSED.iter().all(|(refused, ..)| refused != field));
        }
    }
}
