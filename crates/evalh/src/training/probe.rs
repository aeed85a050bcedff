//! A layer probe.

use super::{DataChoice, Material};
use crate::{
    failure::{Failure, OrFail as _, Outcome},
    output::Console,
    usage,
};
use evalh_engine::available_memory;
use evalh_model::{Decoder, DeviceChoice, KernelChoice, LoadOptions, PrecisionChoice};
use evalh_record::training::{
    DataSettings, LAYERS_SCHEMA, LayerSelection, ModelSettings, ProbeMethod, Seconds,
};
use evalh_train::data::{BatchSize, Batches, Example, Order};
use evalh_train::probe::{cka_scores, fisher_scores, gradient_scores};
use evalh_train::select::{Amount, ranks, select, unmeasured_scores};
use std::time::Instant;

/// Everything that makes a probe what it is.
#[derive(Debug, Clone)]
pub struct ProbeChoices {
    /// The checkpoint, as the user names it.
    pub model: String,
    /// The data; none for a method that looks at none.
    pub data: Option<DataChoice>,
    /// How layers are scored.
    pub method: ProbeMethod,
    /// How many are chosen.
    pub top: Amount,
    /// Batches of the gradient and Fisher probes.
    pub batches: usize,
    /// Samples of a batch.
    pub batch_size: usize,
    /// Samples of the CKA probe.
    pub samples: usize,
    /// The seed of the samples drawn.
    pub seed: u64,
    /// Where it computes.
    pub device: DeviceChoice,
    /// Bytes for the Fisher probe's squares; `None` for a quarter of what is free.
    pub memory: Option<u64>,
    /// Whether only what is on this machine may be used.
    pub offline: bool,
}

/// Samples of a batch of the CKA probe.
const CKA_AT_ONCE: usize = 8;

/// Scores and chooses layers. The threads are those of rayon's global pool.
///
/// # Errors
/// When something cannot be read or used, or a score is no finite number.
pub fn probe(choices: &ProbeChoices, console: &Console) -> Outcome<LayerSelection> {
    let material = Material::open(&choices.model, choices.offline, console)?;
    material.require_decoder("probe layers of")?;
    let options = LoadOptions {
        kernel: KernelChoice::Auto,
        precision: PrecisionChoice::F32,
        quantize: None,
    };
    let mut decoder = Decoder::load(&material.checkpoint, choices.device, options).or_fail()?;
    let layers = decoder.config().layers;
    let (method, seed) = (choices.method, choices.seed);
    let mut selection = LayerSelection {
        schema: LAYERS_SCHEMA,
        evalh: env!("CARGO_PKG_VERSION").to_owned(),
        method,
        seed,
        model: ModelSettings {
            name: material.name.clone(),
            files: material.files.clone(),
            quantized: None,
        },
        data: None,
        batches: None,
        samples: None,
        scores: Vec::new(),
        ranks: Vec::new(),
        layers_to_transform: Vec::new(),
        ratio: 0.0,
        seconds: Seconds::default(),
    };
    let (began, cpu) = (Instant::now(), usage::cpu_seconds());
    selection.scores = if let Some(scores) = unmeasured_scores(method, layers, seed) {
        scores
    } else {
        let Some(choice) = &choices.data else {
            return Err(Failure::new(format!("probe layers by {method}"))
                .cause("the method looks at data")
                .help("give --data a file of samples"));
        };
        measured(choices, choice, &material, &mut decoder, &mut selection)?
    };
    selection.seconds = Seconds {
        wall: began.elapsed().as_secs_f64(),
        cpu: usage::cpu_seconds() - cpu,
    };
    selection.ranks = ranks(&selection.scores, method).or_fail()?;
    selection.layers_to_transform = select(&selection.scores, method, choices.top).or_fail()?;
    selection.ratio = selection.layers_to_transform.len() as f64 / layers as f64;
    Ok(selection)
}

fn measured(
    choices: &ProbeChoices,
    choice: &DataChoice,
    material: &Material,
    decoder: &mut Decoder,
    selection: &mut LayerSelection,
) -> Outcome<Vec<f64>> {
    let cka = choices.method == ProbeMethod::Cka;
    // With one token at the end of every sample, what enters the first layer would not vary.
    let choice = DataChoice {
        end_of_text: choice.end_of_text && !cka,
        ..choice.clone()
    };
    let data = material.data(&choice)?;
    let examples = &data.examples;
    let wanted = if cka {
        choices.samples
    } else {
        choices.batches * choices.batch_size
    };
    if examples.len() < wanted {
        return Err(Failure::new(format!("draw {wanted} samples"))
            .cause(format!("the data has {}", examples.len()))
            .help("give fewer --batches or --samples, or more data"));
    }
    let lengths = examples.iter().map(|e| e.tokens.len()).collect();
    let seed = choices.seed;
    let size = BatchSize::Samples(if cka { wanted } else { choices.batch_size });
    let mut order = Batches::new(lengths, size, Order::Shuffled { seed }).or_fail()?;
    let mut draw = || -> Vec<&Example> {
        let indices = order.take_next().examples;
        indices.into_iter().map(|index| &examples[index]).collect()
    };
    selection.data = Some(DataSettings {
        name: data.name.clone(),
        files: data.files.clone(),
        loss: choice.loss,
        max_tokens: data.max_tokens,
        chat_template: choice.chat_template,
        packing: false,
        examples: examples.len() as u64,
    });
    if cka {
        selection.samples = Some(wanted);
        return cka_scores(decoder, &draw(), CKA_AT_ONCE).or_fail();
    }
    selection.batches = Some(choices.batches);
    let batches: Vec<Vec<&Example>> = (0..choices.batches).map(|_| draw()).collect();
    if choices.method == ProbeMethod::Gradient {
        return gradient_scores(decoder, &batches).or_fail();
    }
    let samples: Vec<&Example> = batches.into_iter().flatten().collect();
    let memory = choices
        .memory
        .unwrap_or_else(|| available_memory() as u64 / 4);
    fisher_scores(decoder, &samples, memory as usize).or_fail()
}
