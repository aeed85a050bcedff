//! What is trained: its values, its moments and where they are used.

use super::{TrainError, TrainableModel};
use evalh_adapter::{SavedTensor, TrainedModule};
use evalh_model::{Parameter, Sink, SummedGradient, UpdateStart};
use std::collections::HashMap;
use std::sync::Arc;

/// A module whose update is to be trained.
#[derive(Debug, Clone, PartialEq)]
pub struct LoraModule {
    /// The module, as the checkpoint names it.
    pub name: String,
    /// Its rank.
    pub rank: usize,
    /// Its alpha.
    pub alpha: f64,
    /// What the product of the factors is multiplied by.
    pub scale: f32,
    /// Its layer.
    pub layer: Option<usize>,
}

/// A module with the factors that its training begins with.
#[derive(Debug, Clone, PartialEq)]
pub struct LoraStart {
    /// The module.
    pub module: LoraModule,
    /// `A`, `[rank, inputs]`.
    pub a: Vec<f32>,
    /// `B`, `[outputs, rank]`.
    pub b: Vec<f32>,
}

/// A trained matrix or row of values.
#[derive(Debug)]
pub(super) struct Trained {
    pub name: String,
    pub layer: Option<usize>,
    pub values: Vec<f32>,
    /// The means of gradients and of their squares.
    pub first: Vec<f32>,
    pub second: Vec<f32>,
    pub gradient: Arc<SummedGradient>,
    of: Of,
}

#[derive(Debug)]
enum Of {
    A(LoraModule),
    B(LoraModule),
    Base(Parameter),
}

impl Trained {
    fn new(name: String, layer: Option<usize>, values: Vec<f32>, of: Of) -> Self {
        let len = values.len();
        Self {
            name,
            layer,
            values,
            first: vec![0.0; len],
            second: vec![0.0; len],
            gradient: Arc::new(SummedGradient::new(len)),
            of,
        }
    }

    /// The two factors of an update, laid over the model.
    pub(super) fn update(
        model: &mut impl TrainableModel,
        start: LoraStart,
    ) -> Result<[Self; 2], TrainError> {
        let LoraStart { module, a, b } = start;
        let name = |factor: &str| format!("{}.{factor}", module.name);
        let parts = [
            Self::new(
                name("lora_A"),
                module.layer,
                a.clone(),
                Of::A(module.clone()),
            ),
            Self::new(
                name("lora_B"),
                module.layer,
                b.clone(),
                Of::B(module.clone()),
            ),
        ];
        model.train_update(UpdateStart {
            module: &module.name,
            rank: module.rank,
            scale: module.scale,
            a,
            b,
            gradients: parts
                .each_ref()
                .map(|part| Arc::clone(&part.gradient) as Sink),
        })?;
        Ok(parts)
    }

    /// The parameters of the base that `wanted` names.
    pub(super) fn base(
        model: &mut impl TrainableModel,
        wanted: &dyn Fn(&Parameter) -> bool,
    ) -> Vec<Self> {
        let all = model.parameter_values(wanted);
        let parts: Vec<Self> = all
            .into_iter()
            .map(|(parameter, values)| {
                let names: Vec<&str> = parameter.tensors.iter().map(|t| t.name.as_str()).collect();
                let (name, layer) = (names.join(" + "), parameter.layer);
                Self::new(name, layer, values, Of::Base(parameter))
            })
            .collect();
        let sinks: HashMap<&str, &Arc<SummedGradient>> = parts
            .iter()
            .filter_map(|part| match &part.of {
                Of::Base(parameter) => Some((first(parameter), &part.gradient)),
                Of::A(_) | Of::B(_) => None,
            })
            .collect();
        model.watch(&mut |parameter| {
            let sink = sinks.get(first(parameter))?;
            Some(Arc::clone(sink) as Sink)
        });
        parts
    }

    /// The tensors of the checkpoint that it is.
    pub(super) fn tensors(&self) -> Vec<SavedTensor> {
        let Of::Base(parameter) = &self.of else {
            return Vec::new();
        };
        let tensors = parameter.tensors.iter();
        tensors
            .map(|tensor| SavedTensor {
                name: tensor.name.clone(),
                shape: tensor.shape.clone(),
                values: parameter.stored(tensor, &self.values),
            })
            .collect()
    }
}

/// The name that tells a parameter from all others.
fn first(parameter: &Parameter) -> &str {
    let tensor = parameter.tensors.first();
    tensor.map_or("", |tensor| tensor.name.as_str())
}

/// The factors of every module, in the order in which they are trained.
pub(super) fn modules(trained: &[Trained]) -> Vec<TrainedModule> {
    let pairs = trained.chunks(2);
    pairs
        .filter_map(|pair| match pair {
            [a, b] => match (&a.of, &b.of) {
                (Of::A(module), Of::B(_)) => Some(TrainedModule {
                    name: module.name.clone(),
                    rank: module.rank,
                    alpha: module.alpha,
                    a: a.values.clone(),
                    b: b.values.clone(),
                }),
                _ => None,
            },
            _ => None,
        })
        .collect()
}

/// Lets the model compute with the values as they are now.
pub(super) fn publish(trained: &[Trained], model: &mut impl TrainableModel) {
    let (mut a, mut b, mut base) = (HashMap::new(), HashMap::new(), HashMap::new());
    for part in trained {
        let values = part.values.as_slice();
        match &part.of {
            Of::A(module) => a.insert(module.name.as_str(), values),
            Of::B(module) => b.insert(module.name.as_str(), values),
            Of::Base(parameter) => base.insert(first(parameter), values),
        };
    }
    if !base.is_empty() {
        model.set_parameters(&|parameter| base.get(first(parameter)).copied());
    }
    model.trained_updates(&mut |module, update| {
        if let (Some(a), Some(b)) = (a.get(module), b.get(module)) {
            update.set(a, b);
        }
    });
}
