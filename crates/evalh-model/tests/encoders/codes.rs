//! An encoder whose linears are held as 4-bit codes.

use evalh_checkpoint::{CheckpointError, Quantization, StoredDtype, TensorInfo, WeightSource};
use evalh_model::{
    DeviceChoice, Encoder, EncoderInput, Label, LoadOptions, Sink, Start, SummedGradient,
    UpdateStart,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A classifier of linears that read whole blocks of 64 values, rounded before or not.
struct Made {
    config: Value,
    tensors: BTreeMap<String, Vec<usize>>,
    rounded: Option<Quantization>,
}

impl Made {
    fn new(rounded: Option<Quantization>) -> Self {
        let (hidden, inner, layers) = (64, 128, 2);
        let config = json!({
            "model_type": "bert", "architectures": ["BertForSequenceClassification"],
            "hidden_size": hidden, "intermediate_size": inner, "num_hidden_layers": layers,
            "num_attention_heads": 4, "vocab_size": 50, "max_position_embeddings": 20, "type_vocab_size": 2,
            "hidden_act": "gelu", "id2label": {"0": "a", "1": "b", "2": "c"},
        });
        let mut tensors = BTreeMap::new();
        let mut linear = |name: String, outputs: usize, inputs: usize| {
            tensors.insert(format!("{name}.weight"), vec![outputs, inputs]);
            tensors.insert(format!("{name}.bias"), vec![outputs]);
        };
        for layer in 0..layers {
            let name = |module: &str| format!("bert.encoder.layer.{layer}.{module}");
            for module in ["query", "key", "value"] {
                linear(name(&format!("attention.self.{module}")), hidden, hidden);
            }
            linear(name("attention.output.dense"), hidden, hidden);
            linear(name("intermediate.dense"), inner, hidden);
            linear(name("output.dense"), hidden, inner);
        }
        linear("bert.pooler.dense".into(), hidden, hidden);
        linear("classifier".into(), 3, hidden);
        for (table, rows) in [("word", 50), ("position", 20), ("token_type", 2)] {
            let name = format!("bert.embeddings.{table}_embeddings.weight");
            tensors.insert(name, vec![rows, hidden]);
        }
        let mut norms = vec!["bert.embeddings".to_owned()];
        for layer in 0..layers {
            for module in ["attention.output", "output"] {
                norms.push(format!("bert.encoder.layer.{layer}.{module}"));
            }
        }
        for name in norms {
            tensors.insert(format!("{name}.LayerNorm.weight"), vec![hidden]);
            tensors.insert(format!("{name}.LayerNorm.bias"), vec![hidden]);
        }
        Self {
            config,
            tensors,
            rounded,
        }
    }
}

impl WeightSource for Made {
    fn config(&self) -> &Value {
        &self.config
    }

    fn tensor_names(&self) -> Vec<String> {
        self.tensors.keys().cloned().collect()
    }

    fn tensor(&self, name: &str) -> Option<TensorInfo> {
        let shape = self.tensors.get(name)?.clone();
        let dtype = StoredDtype::F32;
        Some(TensorInfo { shape, dtype })
    }

    fn read_f32(&self, name: &str) -> Result<Vec<f32>, CheckpointError> {
        let shape = &self.tensors[name];
        let place = self.tensors.keys().position(|other| other == name).unwrap();
        let middle = f32::from(u8::from(name.ends_with("LayerNorm.weight")));
        let value =
            |k: usize| middle + 0.3 * (1.7 * k as f32 + (k as f32).sqrt() + place as f32).sin();
        let mut values: Vec<f32> = (0..shape.iter().product()).map(value).collect();
        if let Some(quantization) = self.rounded
            && shape.len() == 2
            && !name.contains("embeddings")
        {
            quantization.round_trip(&mut values, shape[0], shape[1]);
        }
        Ok(values)
    }
}

fn load(source: &Made, quantize: Option<Quantization>) -> Encoder {
    let options = LoadOptions {
        quantize,
        ..LoadOptions::default()
    };
    Encoder::load(source, DeviceChoice::Cpu, options).unwrap()
}

/// The bits of losses and of the gradients of updates of every linear of the layers.
fn bits(mut model: Encoder) -> Vec<u32> {
    let mut sinks = Vec::new();
    for module in model.layout().modules {
        if !module.name.contains(".layer.") {
            continue;
        }
        let wave = |count: usize| (0..count).map(|k| 0.1 * (k as f32).cos()).collect();
        let (a, b): (Vec<f32>, Vec<f32>) =
            (wave(2 * module.in_features), wave(2 * module.out_features));
        let own = [&a, &b].map(|values| Arc::new(SummedGradient::new(values.len())));
        let start = UpdateStart {
            module: &module.name,
            rank: 2,
            scale: 0.5,
            a,
            b,
            gradients: own.each_ref().map(|sink| Arc::clone(sink) as Sink),
        };
        model.train_update(start).unwrap();
        sinks.extend(own);
    }
    let inputs: Vec<EncoderInput> = [7u32, 12]
        .map(|n| EncoderInput {
            ids: (0..n).map(|i| (3 + i * n) % 50).collect(),
            token_types: Vec::new(),
        })
        .to_vec();
    let inputs: Vec<&EncoderInput> = inputs.iter().collect();
    let labels = [Label::Class(2), Label::Class(0)];
    let loss = model.train(&inputs, &labels, &Start::Tokens).unwrap();
    let gradients = sinks.iter().flat_map(|sink| sink.with(|sum| sum.to_vec()));
    let all = loss.each.into_iter().chain(gradients);
    all.map(f32::to_bits).collect()
}

#[test]
fn training_over_codes_has_the_bits_of_their_values() {
    for (quantization, name) in [(Quantization::Nf4, "nf4"), (Quantization::Fp4, "fp4")] {
        let over_codes = load(&Made::new(None), Some(quantization));
        let held = over_codes.footprint();
        let over_values = load(&Made::new(Some(quantization)), None);
        assert!(held.dtype.contains(name), "{}", held.dtype);
        assert!(held.bytes < over_values.footprint().bytes);
        assert!(bits(over_codes) == bits(over_values), "{quantization:?}");
    }
    let exact = bits(load(&Made::new(None), None));
    assert!(exact != bits(load(&Made::new(None), Some(Quantization::Nf4))));
}
