//! Keys of an adapter's file, as the versions of PEFT have spelled them.

/// What the tensor of a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// `A` of a linear module, `[rank, in]`.
    A,
    /// `B` of a linear module, `[out, rank]`.
    B,
    /// The bias of `B` (`lora_bias`), `[out]`.
    Bias,
    /// `A` of an embedding, `[rank, vocabulary]`.
    EmbeddingA,
    /// `B` of an embedding, `[width, rank]`.
    EmbeddingB,
    /// DoRA's magnitude, `[out]`.
    Magnitude,
}

/// What a key names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A part of a module's update.
    Update {
        /// The module.
        module: String,
        /// Which part.
        part: Part,
    },
    /// A tensor of the model, saved whole.
    Saved {
        /// Its name in the model.
        tensor: String,
        /// The key spells the wrapper of `modules_to_save` out; without it the key counts where both are there.
        wrapped: bool,
    },
    /// What `modules_to_save` replaces, which `bias = "all"` saves as well and nothing reads.
    Replaced,
    /// State of the training alone: the projection of `VeLoRA`, the sampler of `MonteCLoRA`.
    Training,
    /// Nothing that is honoured, and what it is.
    Foreign(&'static str),
}

/// What every key of a saved adapter begins with.
pub const PREFIX: &str = "base_model.model.";

/// The name PEFT gives to an adapter that the user gave none, which a state of the training has in its keys.
const DEFAULT: &str = "default";

/// Ends of keys after the module's name, without the adapter's name.
const ENDS: [(&str, Part); 7] = [
    ("lora_A.weight", Part::A),
    ("lora_B.weight", Part::B),
    ("lora_B.bias", Part::Bias),
    ("lora_embedding_A", Part::EmbeddingA),
    ("lora_embedding_B", Part::EmbeddingB),
    ("lora_magnitude_vector", Part::Magnitude),
    // A parameter until PEFT 0.12, since then the weight of a layer.
    ("lora_magnitude_vector.weight", Part::Magnitude),
];

impl Key {
    /// Reads a key of the file.
    pub fn read(key: &str) -> Key {
        let Some(name) = key.strip_prefix(PREFIX) else {
            return Key::Foreign("is not one of an adapter (base_model.model.<module>...)");
        };
        if let Some((module, end)) = name.rsplit_once(".lora_") {
            return update(module, &format!("lora_{end}"));
        }
        if name.contains(".trainable_tokens") || name.contains(".token_adapter.") {
            return Key::Foreign("holds retrained token embeddings");
        }
        if name.contains(".original_module.") {
            return Key::Replaced;
        }
        saved(name)
    }
}

fn update(module: &str, end: &str) -> Key {
    if end.starts_with("lora_velora_embed") || end.starts_with("lora_monteclora_sampler.") {
        return Key::Training;
    }
    let bare = end.replacen(&format!(".{DEFAULT}."), ".", 1);
    let bare = bare.strip_suffix(&format!(".{DEFAULT}")).unwrap_or(&bare);
    match ENDS.iter().find(|(known, _)| *known == bare) {
        Some((_, part)) if !module.is_empty() => Key::Update {
            module: module.to_owned(),
            part: *part,
        },
        _ if end.starts_with("lora_diag") => Key::Foreign("is the diagonal of a KaSA adapter"),
        _ => Key::Foreign("is no part of a low-rank update that is known"),
    }
}

fn saved(name: &str) -> Key {
    let wrapped = name.contains(".modules_to_save.");
    let tensor = name
        .replacen(&format!(".modules_to_save.{DEFAULT}."), ".", 1)
        .replacen(".modules_to_save.", ".", 1);
    // The module within a LoRA layer.
    let tensor = match tensor.rsplit_once(".base_layer.") {
        Some((module, parameter)) => format!("{module}.{parameter}"),
        None => tensor,
    };
    match tensor.rsplit_once('.') {
        Some((module, parameter)) if !module.is_empty() && !parameter.is_empty() => {
            Key::Saved { tensor, wrapped }
        }
        _ => Key::Foreign("names no tensor of a module"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(module: &str, part: Part) -> Key {
        Key::Update {
            module: module.into(),
            part,
        }
    }

    fn tensor(name: &str, wrapped: bool) -> Key {
        Key::Saved {
            tensor: name.into(),
            wrapped,
        }
    }

    #[test]
    fn keys_are_read_in_all_spellings() {
        let cases = [
            ("m.0.q.lora_A.weight", update("m.0.q", Part::A)),
            ("m.0.q.lora_A.default.weight", update("m.0.q", Part::A)),
            ("m.0.q.lora_B.weight", update("m.0.q", Part::B)),
            ("m.0.q.lora_B.default.bias", update("m.0.q", Part::Bias)),
            ("e.lora_embedding_A", update("e", Part::EmbeddingA)),
            ("e.lora_embedding_B.default", update("e", Part::EmbeddingB)),
            ("q.lora_magnitude_vector", update("q", Part::Magnitude)),
            (
                "q.lora_magnitude_vector.weight",
                update("q", Part::Magnitude),
            ),
            (
                "q.lora_magnitude_vector.default.weight",
                update("q", Part::Magnitude),
            ),
            ("classifier.weight", tensor("classifier.weight", false)),
            (
                "classifier.modules_to_save.default.out_proj.bias",
                tensor("classifier.out_proj.bias", true),
            ),
            (
                "classifier.modules_to_save.bias",
                tensor("classifier.bias", true),
            ),
            (
                "m.embed_tokens.base_layer.weight",
                tensor("m.embed_tokens.weight", false),
            ),
            ("classifier.original_module.bias", Key::Replaced),
            ("q.lora_velora_embed", Key::Training),
            ("q.lora_monteclora_sampler.std_prior", Key::Training),
        ];
        for (key, expected) in cases {
            assert_eq!(Key::read(&format!("{PREFIX}{key}")), expected, "{key}");
        }
    }

    #[test]
    fn foreign_keys_are_told_apart() {
        for key in [
            "model.q.lora_A.weight",
            "base_model.model.q.lora_C.weight",
            "base_model.model.q.lora_diag",
            "base_model.model.e.token_adapter.trainable_tokens_delta",
            "base_model.model.weight",
            "base_model.model.",
            "base_model.model..lora_A.weight",
            "",
        ] {
            assert!(matches!(Key::read(key), Key::Foreign(_)), "{key}");
        }
    }
}
