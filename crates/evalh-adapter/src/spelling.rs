//! Names of modules that versions of transformers spell differently.
//!
//! The language model of `LLaVA` is `language_model.model.*` in checkpoints and in transformers 4, `model.language_model.*` in
//! transformers 5, and `model.*` where it is loaded alone; Mixtral's experts moved from `block_sparse_moe` to `mlp`
//! (`transformers.conversion_mapping`, which PEFT 0.21.2 applies to adapters). The layout of the model decides.

/// One way to turn the names of an adapter into those of a model.
#[derive(Debug, Clone, Copy)]
pub struct Spelling(Rule);

#[derive(Debug, Clone, Copy)]
enum Rule {
    Same,
    /// The beginnings of names, the first that fits.
    Beginning(&'static [(&'static str, &'static str)]),
    /// A part between dots.
    Within(&'static str, &'static str),
}

const RULES: [Rule; 7] = [
    Rule::Same,
    Rule::Beginning(&[
        ("language_model.lm_head", "lm_head"),
        ("language_model.model.", "model.language_model."),
    ]),
    Rule::Beginning(&[
        ("lm_head", "language_model.lm_head"),
        ("model.language_model.", "language_model.model."),
    ]),
    Rule::Beginning(&[
        ("language_model.lm_head", "lm_head"),
        ("language_model.model.", "model."),
    ]),
    Rule::Beginning(&[("model.language_model.", "model.")]),
    Rule::Within(".block_sparse_moe.", ".mlp."),
    Rule::Within(".mlp.", ".block_sparse_moe."),
];

/// Beginnings of the modules of a vision tower and of what joins it to the language model.
const VISION: [&str; 4] = [
    "vision_tower.",
    "model.vision_tower.",
    "multi_modal_projector.",
    "model.multi_modal_projector.",
];

/// Whether the module works on images only, so that text never reaches it.
pub fn is_vision(name: &str) -> bool {
    VISION.iter().any(|start| name.starts_with(start))
}

impl Spelling {
    /// The spelling by which most `names` are `known` to the model; names as they are, if none is better.
    pub fn find(names: &[&str], known: impl Fn(&str) -> bool) -> Spelling {
        let count = |spelling: Spelling| {
            names
                .iter()
                .filter(|name| known(&spelling.in_model(name)))
                .count()
        };
        let mut best = (Spelling(Rule::Same), count(Spelling(Rule::Same)));
        for rule in RULES {
            let found = count(Spelling(rule));
            if found > best.1 {
                best = (Spelling(rule), found);
            }
        }
        best.0
    }

    /// The adapter's `name` as the model has it.
    pub fn in_model(self, name: &str) -> String {
        match self.0 {
            Rule::Same => name.to_owned(),
            Rule::Beginning(pairs) => {
                begin_with(name, pairs.iter().map(|&(here, there)| (here, there)))
            }
            Rule::Within(here, there) => name.replacen(here, there, 1),
        }
    }

    /// The model's `name` as the adapter has it.
    pub fn in_adapter(self, name: &str) -> String {
        match self.0 {
            Rule::Same => name.to_owned(),
            Rule::Beginning(pairs) => {
                begin_with(name, pairs.iter().map(|&(here, there)| (there, here)))
            }
            Rule::Within(here, there) => name.replacen(there, here, 1),
        }
    }
}

fn begin_with<'p>(name: &str, mut pairs: impl Iterator<Item = (&'p str, &'p str)>) -> String {
    pairs
        .find_map(|(from, to)| Some(format!("{to}{}", name.strip_prefix(from)?)))
        .unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_models_own_spelling_decides() {
        let cases = [
            ("model.layers.0.mlp.up_proj", "model.layers.0.mlp.up_proj"),
            (
                "language_model.model.layers.0.mlp.up_proj",
                "model.language_model.layers.0.mlp.up_proj",
            ),
            (
                "model.language_model.layers.0.mlp.up_proj",
                "language_model.model.layers.0.mlp.up_proj",
            ),
            (
                "language_model.model.layers.0.mlp.up_proj",
                "model.layers.0.mlp.up_proj",
            ),
            (
                "model.language_model.layers.0.mlp.up_proj",
                "model.layers.0.mlp.up_proj",
            ),
            (
                "model.layers.0.block_sparse_moe.experts.3.w1",
                "model.layers.0.mlp.experts.3.w1",
            ),
            (
                "model.layers.0.mlp.experts.3.w1",
                "model.layers.0.block_sparse_moe.experts.3.w1",
            ),
        ];
        for (adapter, model) in cases {
            let spelling = Spelling::find(&[adapter], |name| name == model);
            assert_eq!(spelling.in_model(adapter), model);
            assert_eq!(spelling.in_adapter(model), adapter);
        }
    }

    #[test]
    fn names_that_fit_as_they_are_stay() {
        let names = ["model.layers.0.mlp.a", "model.layers.1.mlp.a"];
        let spelling = Spelling::find(&names, |name| names.contains(&name));
        assert_eq!(spelling.in_model("lm_head"), "lm_head");
        assert_eq!(spelling.in_adapter(names[0]), names[0]);
    }
}
