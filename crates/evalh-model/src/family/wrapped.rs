//! Models that hold a decoder beside other parts, of which only the decoder is evaluated.

/// A model around a decoder.
#[derive(Debug)]
pub(crate) struct Wrapper {
    pub model_type: &'static str,
    /// `model_type` of a decoder whose config does not say.
    pub inner: &'static str,
    /// What stands for `model.` and for the head's name, in each way such checkpoints are written.
    pub spellings: &'static [(&'static str, &'static str)],
    /// Beginnings of the names of tensors that are left out.
    pub left_out: &'static [&'static str],
    /// What is left out, in words.
    pub note: &'static str,
}

const VISION: &[&str] = &[
    "vision_tower.",
    "model.vision_tower.",
    "multi_modal_projector.",
    "model.multi_modal_projector.",
];

const SPELLINGS: &[(&str, &str)] = &[
    ("model.language_model.", "lm_head"),
    ("language_model.model.", "language_model.lm_head"),
    // As transformers v5 names the modules of a checkpoint that it saved from the older names.
    ("language_model.", "lm_head"),
];

const WRAPPERS: &[Wrapper] = &[
    Wrapper {
        model_type: "llava",
        inner: "llama",
        spellings: SPELLINGS,
        left_out: VISION,
        note: "the vision tower and its projector are left out: only text is evaluated",
    },
    Wrapper {
        model_type: "gemma3",
        inner: "gemma3_text",
        spellings: SPELLINGS,
        left_out: VISION,
        note: "the vision tower and its projector are left out: only text is evaluated",
    },
];

/// The wrapper of a `model_type`.
pub(super) fn find(model_type: &str) -> Option<&'static Wrapper> {
    WRAPPERS
        .iter()
        .find(|wrapper| wrapper.model_type == model_type)
}

/// Every wrapper's `model_type`.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    WRAPPERS.iter().map(|wrapper| wrapper.model_type)
}
