//! Fields of PEFT's `LoraConfig` that are known and not honoured, with what would work.

const MERGE: &str = "merge the adapter into its base with PEFT (merge_and_unload) and evaluate the merged checkpoint";
const PLAIN: &str = "train the adapter without it";
const CONVERT: &str = "save the adapter converted to plain LoRA (save_pretrained with \
                       path_initial_model_for_weight_conversion), or merge it and evaluate the merged checkpoint";
const INIT_ONLY: &str = "it only describes how the factors were initialised: where the base weights were left untouched, \
                         set the field to null";

/// Field, what it does, remedy. A field that is not here is unknown.
const KNOWN: &[(&str, &str, &str)] = &[
    ("use_dora", "asks for DoRA, which is not honoured", MERGE),
    (
        "modules_to_save",
        "names whole modules saved with the adapter, which are not honoured",
        MERGE,
    ),
    (
        "lora_bias",
        "asks for a bias in lora_B, which is not honoured",
        MERGE,
    ),
    (
        "trainable_token_indices",
        "names retrained token embeddings, which are not honoured",
        MERGE,
    ),
    (
        "alora_invocation_tokens",
        "asks for an activated LoRA, which is not honoured",
        PLAIN,
    ),
    (
        "layer_replication",
        "asks for a new stack of layers, which is not honoured",
        MERGE,
    ),
    (
        "target_parameters",
        "names bare parameters to adapt, which are not honoured",
        MERGE,
    ),
    (
        "fan_in_fan_out",
        "asks for transposed weights (Conv1D, as in GPT-2), which are not honoured",
        MERGE,
    ),
    (
        "megatron_config",
        "asks for Megatron's parallel layers, which are not honoured",
        PLAIN,
    ),
    (
        "loftq_config",
        "asks for a quantised base that fits the factors, which is not honoured",
        CONVERT,
    ),
    (
        "eva_config",
        "holds settings of the EVA initialisation, which are not honoured",
        INIT_ONLY,
    ),
    (
        "corda_config",
        "holds settings of the CorDA initialisation, which changes the base weights",
        CONVERT,
    ),
    (
        "lora_ga_config",
        "holds settings of the LoRA-GA initialisation, which changes the base weights",
        CONVERT,
    ),
    (
        "velora_config",
        "asks for VeLoRA, which is not honoured",
        PLAIN,
    ),
    (
        "kasa_config",
        "asks for KaSA, which changes the base weights",
        MERGE,
    ),
    (
        "use_qalora",
        "asks for QALoRA, which is not honoured",
        PLAIN,
    ),
    (
        "monteclora_config",
        "asks for Monte Carlo sampling over the factors, which is not honoured",
        PLAIN,
    ),
    (
        "use_bdlora",
        "asks for block-diagonal factors, which are not honoured",
        MERGE,
    ),
    (
        "arrow_config",
        "asks for routing between adapters, which is not honoured",
        PLAIN,
    ),
    (
        "ensure_weight_tying",
        "asks for tied adapted embeddings, which are not honoured",
        MERGE,
    ),
];

/// What a non-neutral value of `field` asks for, and the remedy.
pub fn explain(field: &str) -> (&'static str, &'static str) {
    KNOWN.iter().find(|(name, ..)| *name == field).map_or(
        (
            "is unknown and not neutral, so ignoring it could change what the adapter does",
            "remove it if it describes the training only, or merge the adapter into its base with the library that made it \
             and evaluate the merged checkpoint",
        ),
        |&(_, meaning, remedy)| (meaning, remedy),
    )
}
