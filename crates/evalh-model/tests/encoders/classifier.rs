//! A classifier as a checkpoint of its own, made of checkpoints in other forms.

use crate::reference::committed;
use crate::source::Changed;
use evalh_checkpoint::{Checkpoint, StoredDtype, WeightSource};
use evalh_model::{DeviceChoice, Encoder, HeadChoice, LoadOptions};
use serde_json::json;

fn fixture(name: &str) -> Changed {
    let folder = committed().into_iter().find(|f| f.ends_with(name));
    Changed::new(Checkpoint::open(&folder.unwrap()).unwrap())
}

fn classifier(source: &Changed, labels: usize) -> Encoder {
    let head = HeadChoice::Classification { labels };
    let options = LoadOptions::default();
    Encoder::load_with_head(source, DeviceChoice::Cpu, options, head).unwrap()
}

#[test]
fn a_classifier_of_a_masked_model_leaves_its_head_behind() {
    let source = fixture("roberta_mlm");
    let model = classifier(&source, 3);
    let own = model.as_classifier(&source).unwrap();
    let layout = model.layout();
    let mut names = own.tensor_names();
    names.sort();
    assert!(names.iter().eq(layout.tensors.keys()), "{names:?}");
    assert!(source.tensor("lm_head.dense.weight").is_some());
    for name in &names {
        let info = own.tensor(name).unwrap();
        assert_eq!(info.shape, layout.tensors[name], "{name}");
        if let Some(stored) = source.tensor(name) {
            assert_eq!(info, stored);
            let values = [own.read_f32(name), source.read_f32(name)].map(Result::unwrap);
            assert_eq!(values[0], values[1], "{name}");
        } else {
            assert!(name.starts_with("classifier."), "{name}");
            assert_eq!(info.dtype, StoredDtype::F32);
        }
    }
    let config = own.config();
    assert_eq!(
        config["architectures"],
        json!(["RobertaForSequenceClassification"])
    );
    let names = json!({"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"});
    assert_eq!(config["id2label"], names);
    assert_eq!(
        config["label2id"],
        json!({"LABEL_0": 0, "LABEL_1": 1, "LABEL_2": 2})
    );
    assert_eq!(config["problem_type"], "single_label_classification");
    assert_eq!(config["hidden_size"], source.config["hidden_size"]);
}

#[test]
fn a_base_model_of_the_first_years_gets_the_names_of_today() {
    let now = fixture("bert");
    let old = fixture("bert")
        .with("num_labels", json!(5))
        .renamed(|name| {
            let base = name.strip_prefix("bert.")?;
            Some(
                base.replace("LayerNorm.weight", "LayerNorm.gamma")
                    .replace("LayerNorm.bias", "LayerNorm.beta"),
            )
        });
    let model = classifier(&old, 1);
    let own = model.as_classifier(&old).unwrap();
    let mut names = own.tensor_names();
    let mut wanted = now.tensor_names();
    names.sort();
    wanted.sort();
    assert_eq!(names, wanted);
    let norm = "bert.encoder.layer.1.output.LayerNorm.weight";
    assert_eq!(own.read_f32(norm).unwrap(), now.read_f32(norm).unwrap());
    assert_eq!(own.tensor("classifier.weight").unwrap().shape, [1, 32]);
    assert!(old.tensor("classifier.weight").is_none());
    assert_eq!(own.config()["problem_type"], "regression");
    assert!(own.config().get("num_labels").is_none());
    assert_eq!(own.config()["id2label"], json!({"0": "LABEL_0"}));
}
