//! What cannot be honoured is refused by name.

use crate::reference::{committed, load};
use crate::source::Changed;
use evalh_checkpoint::Checkpoint;
use evalh_model::{DeviceChoice, Encoder, EncoderInput, KernelChoice, LoadOptions, ModelError};
use serde_json::{Value, json};

fn source(name: &str) -> Changed {
    let folder = committed()
        .into_iter()
        .find(|folder| folder.ends_with(name));
    Changed::new(Checkpoint::open(&folder.unwrap()).unwrap())
}

fn refusal(source: &Changed) -> String {
    match Encoder::load(source, DeviceChoice::Cpu, LoadOptions::default()) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("loaded"),
    }
}

#[test]
fn settings_that_are_not_honoured_are_named() {
    let cases: [(&str, &str, Value); 20] = [
        (
            "roberta_mlm",
            "position_embedding_type",
            json!("relative_key"),
        ),
        ("roberta_mlm", "is_decoder", json!(true)),
        ("roberta_mlm", "add_cross_attention", json!(true)),
        ("roberta_mlm", "hidden_act", json!("mish")),
        (
            "roberta_mlm",
            "architectures",
            json!(["RobertaForQuestionAnswering"]),
        ),
        ("roberta_mlm", "model_type", json!("deberta")),
        ("roberta_mlm", "pruned_heads", json!({"1": [0]})),
        ("roberta_mlm", "num_attention_heads", json!(5)),
        ("roberta_mlm", "hidden_size", json!(0)),
        ("roberta_mlm", "pad_token_id", json!(40)),
        ("roberta_mlm", "problem_type", json!("ranking")),
        ("roberta_mlm", "id2label", json!({"0": "a", "2": "b"})),
        ("deberta_v2", "conv_kernel_size", json!(2)),
        ("deberta_v2", "conv_groups", json!(5)),
        ("deberta_v2", "conv_act", json!("gelu_10")),
        ("deberta_v2", "pos_att_type", json!(["p2p"])),
        ("deberta_v2", "norm_rel_ebd", json!("batch_norm")),
        ("deberta_v2", "position_buckets", json!(1000)),
        ("deberta_v2", "attention_head_size", json!(7)),
        ("deberta_v2", "pooler_hidden_size", json!(8)),
    ];
    for (name, key, value) in cases {
        let key_in_message = if key == "pad_token_id" {
            "max_position_embeddings"
        } else {
            key
        };
        let message = refusal(&source(name).with(key, value.clone()));
        assert!(message.contains(key_in_message), "{key} {value}: {message}");
    }
}

#[test]
fn tensors_without_a_place_are_named() {
    let unknown = source("roberta_mlm").renamed(|name| {
        Some(match name {
            "lm_head.bias" => "qa_outputs.bias".to_owned(),
            _ => name.to_owned(),
        })
    });
    assert!(refusal(&unknown).contains("lm_head.bias"));
    let more = source("deberta_v2").with("conv_kernel_size", json!(0));
    assert!(refusal(&more).contains("encoder.conv."));
    let labels = source("deberta_v2").with("id2label", json!({"0": "a", "1": "b"}));
    assert!(refusal(&labels).contains("classifier.weight"));
    let mut damaged = source("deberta_v2");
    damaged.change = Box::new(|name, _, values| {
        if name.ends_with("rel_embeddings.weight") {
            values[3] = f32::NAN;
        }
    });
    assert!(refusal(&damaged).contains("rel_embeddings.weight: 1 of its values"));
}

#[test]
fn inputs_that_have_no_embedding_are_named() {
    let folders = committed();
    let model = |name: &str| {
        let folder = folders.iter().find(|folder| folder.ends_with(name));
        load(folder.unwrap(), KernelChoice::Auto)
    };
    let (roberta, deberta) = (model("roberta_mlm"), model("deberta_v2"));
    let run = |model: &Encoder, ids: Vec<u32>, token_types: Vec<u32>| {
        model.forward(&[EncoderInput { ids, token_types }], None)
    };
    assert!(matches!(
        run(&roberta, vec![3, 112], vec![]),
        Err(ModelError::UnknownToken { id: 112, .. })
    ));
    assert!(matches!(
        run(&deberta, vec![3, 4], vec![0, 2]),
        Err(ModelError::UnknownTokenType {
            token_type: 2,
            token_types: 2
        })
    ));
    // 40 places, of which the padding's and those before it are never taken.
    assert_eq!(roberta.config().max_tokens(), Some(38));
    assert!(run(&roberta, vec![5; 38], vec![]).is_ok());
    assert!(matches!(
        run(&roberta, vec![5; 39], vec![]),
        Err(ModelError::TooLong {
            tokens: 39,
            max_positions: 38
        })
    ));
    // Padding takes none.
    assert!(run(&roberta, [vec![1], vec![5; 38]].concat(), vec![]).is_ok());
}
