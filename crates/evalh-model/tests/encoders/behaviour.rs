//! What an encoder promises beside its numbers.

use crate::reference::{committed, inputs_of_many_lengths, load};
use crate::source::Changed;
use evalh_adapter::{Adapter, AdapterUpdate, SavedTensor};
use evalh_checkpoint::{Checkpoint, Quantization, WeightSource};
use evalh_model::{
    DeviceChoice, Encoder, EncoderInput, EncoderOutput, HeadChoice, KernelChoice, LoadOptions,
    ModelError,
};
use std::path::Path;

fn bits(output: &EncoderOutput) -> Vec<Vec<u32>> {
    (0..output.len())
        .map(|i| output.values(i).iter().map(|v| v.to_bits()).collect())
        .collect()
}

fn with_head(source: &dyn WeightSource, head: HeadChoice) -> Encoder {
    let options = LoadOptions::default();
    Encoder::load_with_head(source, DeviceChoice::Cpu, options, head).unwrap()
}

fn changed(folder: &Path) -> Changed {
    Changed::new(Checkpoint::open(folder).unwrap())
}

#[test]
fn outputs_do_not_depend_on_the_batch_or_the_threads() {
    for folder in committed() {
        let mut model = load(&folder, KernelChoice::Auto);
        let path = std::fs::read_dir(folder.join("adapters")).unwrap().next();
        let adapter = Adapter::open(&path.unwrap().unwrap().path()).unwrap();
        let id = model
            .attach(&adapter.resolve(&model.layout()).unwrap())
            .unwrap();
        let inputs = inputs_of_many_lengths(model.config());
        for adapter in [None, Some(id)] {
            let alone: Vec<Vec<u32>> = inputs
                .iter()
                .flat_map(|input| {
                    bits(&model.forward(std::slice::from_ref(input), adapter).unwrap())
                })
                .collect();
            for threads in [1, 3] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                let run = || bits(&model.forward(&inputs, adapter).unwrap());
                assert!(pool.unwrap().install(run) == alone, "{threads} threads");
            }
        }
    }
}

#[test]
fn chosen_places_are_rows_of_the_whole() {
    for folder in committed() {
        let model = load(&folder, KernelChoice::Auto);
        let inputs = inputs_of_many_lengths(model.config());
        let whole = model.forward(&inputs, None).unwrap();
        let places: Vec<Vec<usize>> = inputs
            .iter()
            .enumerate()
            .map(|(i, input)| (0..input.ids.len()).rev().step_by(3).take(i % 3).collect())
            .collect();
        let some = model.forward_at(&inputs, &places, None).unwrap();
        for (i, places) in places.iter().enumerate() {
            if whole.values(i).len() == whole.width() && inputs[i].ids.len() > 1 {
                // A classifier.
                assert_eq!(some.values(i), whole.values(i));
                continue;
            }
            assert_eq!(some.values(i).len(), places.len() * whole.width());
            for (row, place) in places.iter().enumerate() {
                assert_eq!(some.row(i, row), whole.row(i, *place));
            }
        }
    }
}

/// A masked-language model becomes a classifier by what an adapter saves.
#[test]
fn an_adapter_can_bring_the_classifier() {
    let folder = committed_named("deberta_v2");
    let whole = load(&folder, KernelChoice::Auto);
    let inputs = inputs_of_many_lengths(whole.config());
    let want = bits(&whole.forward(&inputs, None).unwrap());
    let in_head = |name: &str| name.starts_with("classifier.") || name.starts_with("pooler.");
    let checkpoint = Checkpoint::open(&folder).unwrap();
    let head = checkpoint
        .tensor_names()
        .into_iter()
        .filter(|name| in_head(name));
    let update = AdapterUpdate {
        lora: Vec::new(),
        saved: head
            .map(|name| SavedTensor {
                shape: checkpoint.tensor(&name).unwrap().shape,
                values: checkpoint.read_f32(&name).unwrap(),
                name,
            })
            .collect(),
    };
    assert_eq!(update.saved.len(), 4);
    let headless = changed(&folder)
        .renamed(move |name| (!in_head(name)).then(|| name.to_owned()))
        .with("architectures", serde_json::json!(["DebertaV2ForMaskedLM"]));
    let mut model = with_head(&headless, HeadChoice::Classification { labels: 1 });
    let refused = |model: &Encoder| match model.forward(&inputs, None) {
        Err(ModelError::Headless { module }) => assert_eq!(module, "pooler.dense"),
        other => panic!("{other:?}"),
    };
    refused(&model);
    assert!(model.footprint().parameters < whole.footprint().parameters);
    let id = model.attach(&update).unwrap();
    assert!(bits(&model.forward(&inputs, Some(id)).unwrap()) == want);
    refused(&model);
    model.detach_all();
    model.merge(&update).unwrap();
    assert!(bits(&model.forward(&inputs, None).unwrap()) == want);
    model.restore();
    refused(&model);
}

fn committed_named(name: &str) -> std::path::PathBuf {
    committed()
        .into_iter()
        .find(|folder| folder.ends_with(name))
        .unwrap()
}

#[test]
fn a_base_model_is_read_with_and_without_its_prefix_and_by_its_first_names() {
    let folder = committed_named("roberta_mlm");
    let whole = with_head(&changed(&folder), HeadChoice::Hidden);
    let input = [EncoderInput {
        ids: vec![5, 9, 1, 7, 100],
        token_types: Vec::new(),
    }];
    let output = whole.forward(&input, None).unwrap();
    assert_eq!((output.width(), output.values(0).len()), (32, 5 * 32));
    let bare = changed(&folder)
        .renamed(|name| {
            let base = name.strip_prefix("roberta.")?;
            let old = base.replace("LayerNorm.weight", "LayerNorm.gamma");
            Some(old.replace("LayerNorm.bias", "LayerNorm.beta"))
        })
        .with("architectures", serde_json::json!(["RobertaModel"]));
    let bare = with_head(&bare, HeadChoice::Stored);
    assert!(bits(&bare.forward(&input, None).unwrap()) == bits(&output));
    assert_eq!(bare.layout(), whole.layout());
    let modules = bare.layout().modules;
    assert_eq!(modules[0].name, "embeddings.word_embeddings");
    assert!(
        modules
            .iter()
            .any(|m| m.name == "encoder.layer.1.attention.self.query")
    );
}

#[test]
fn quantised_linears_are_those_of_a_checkpoint_rounded_before() {
    for name in ["roberta_mlm", "deberta_v2_mlm"] {
        let folder = committed_named(name);
        let options = LoadOptions {
            quantize: Some(Quantization::Nf4),
            ..LoadOptions::default()
        };
        let own = Encoder::load(&changed(&folder), DeviceChoice::Cpu, options).unwrap();
        let mut rounded = changed(&folder);
        rounded.change = Box::new(|name, shape, values| {
            // transformers leaves its output embeddings out, by which DeBERTa means the linear before them.
            let output = name.contains("lm_predictions") || name.contains("decoder");
            if shape.len() == 2 && !name.contains("embeddings") && !output {
                Quantization::Nf4.round_trip(values, shape[0], shape[1]);
            }
        });
        let before = Encoder::load(&rounded, DeviceChoice::Cpu, LoadOptions::default()).unwrap();
        let inputs = inputs_of_many_lengths(own.config());
        let own = bits(&own.forward(&inputs, None).unwrap());
        assert!(
            own == bits(&before.forward(&inputs, None).unwrap()),
            "{name}"
        );
        let exact = load(&folder, KernelChoice::Auto);
        assert!(
            own != bits(&exact.forward(&inputs, None).unwrap()),
            "{name}"
        );
    }
}
