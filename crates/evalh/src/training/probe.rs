//! A layer probe.

use super::{
    DataChoice, Material,
    data::TrainingData,
    head::{HeadWanted, encoder},
    labelled::{Labelled, labelled},
};
use crate::{
    failure::{Failure, OrFail as _, Outcome},
    output::Console,
    usage,
};
use evalh_checkpoint::WeightSource as _;
use evalh_engine::available_memory;
use evalh_model::{
    Decoder, DeviceChoice, EncoderConfig, KernelChoice, LoadOptions, PrecisionChoice,
};
use evalh_record::training::{
    DataSettings, LAYERS_SCHEMA, LayerSelection, ModelSettings, ProbeMethod, Seconds,
};
use evalh_train::TrainableModel;
use evalh_train::data::{BatchSize, Batches, Order};
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
    let layers = material.layers()?;
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
    if let Some(scores) = unmeasured_scores(method, layers, seed) {
        selection.scores = scores;
    } else {
        let Some(choice) = &choices.data else {
            return Err(Failure::new(format!("probe layers by {method}"))
                .cause("the method looks at data")
                .help("give --data a file of samples"));
        };
        if material.is_encoder() {
            of_encoder(choices, choice, &material, &mut selection, console)?;
        } else {
            of_decoder(choices, choice, &material, &mut selection)?;
        }
    }
    selection.ranks = ranks(&selection.scores, method).or_fail()?;
    selection.layers_to_transform = select(&selection.scores, method, choices.top).or_fail()?;
    selection.ratio = selection.layers_to_transform.len() as f64 / layers as f64;
    Ok(selection)
}

/// How a model is loaded to be probed.
const OPTIONS: LoadOptions = LoadOptions {
    kernel: KernelChoice::Auto,
    precision: PrecisionChoice::F32,
    quantize: None,
};

fn of_decoder(
    choices: &ProbeChoices,
    choice: &DataChoice,
    material: &Material,
    selection: &mut LayerSelection,
) -> Outcome<()> {
    // With one token at the end of every sample, what enters the first layer would not vary.
    let choice = DataChoice {
        end_of_text: choice.end_of_text && choices.method != ProbeMethod::Cka,
        ..choice.clone()
    };
    let mut decoder = Decoder::load(&material.checkpoint, choices.device, OPTIONS).or_fail()?;
    let data = timed(&mut selection.seconds, || material.data(&choice))?;
    measure(choices, (&choice, &data), &mut decoder, selection)
}

fn of_encoder(
    choices: &ProbeChoices,
    choice: &DataChoice,
    material: &Material,
    selection: &mut LayerSelection,
    console: &Console,
) -> Outcome<()> {
    material.refuse("probe layers of", choice.decoders_only())?;
    let config = EncoderConfig::of(material.checkpoint.config()).or_fail()?;
    let read = timed(&mut selection.seconds, || {
        labelled(material, &config, choice)
    });
    let Labelled { data, outputs } = read?;
    let wanted = HeadWanted {
        doing: "probe layers of",
        outputs,
        seed: choices.seed,
    };
    let (mut encoder, _) = encoder(material, wanted, choices.device, OPTIONS, console)?;
    measure(choices, (choice, &data), &mut encoder, selection)
}

/// Scores the layers by samples drawn from the data.
fn measure<M: TrainableModel>(
    choices: &ProbeChoices,
    (choice, data): (&DataChoice, &TrainingData<M::Example>),
    model: &mut M,
    selection: &mut LayerSelection,
) -> Outcome<()> {
    let cka = choices.method == ProbeMethod::Cka;
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
    let seed = choices.seed;
    let size = BatchSize::Samples(if cka { wanted } else { choices.batch_size });
    let mut order = Batches::new(data.lengths.clone(), size, Order::Shuffled { seed }).or_fail()?;
    let mut draw = || -> Vec<&M::Example> {
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
    selection.samples = cka.then_some(wanted);
    selection.batches = (!cka).then_some(choices.batches);
    selection.scores = timed(&mut selection.seconds, || {
        if cka {
            return cka_scores(model, &draw(), CKA_AT_ONCE);
        }
        let batches: Vec<Vec<&M::Example>> = (0..choices.batches).map(|_| draw()).collect();
        if choices.method == ProbeMethod::Gradient {
            return gradient_scores(model, &batches);
        }
        let samples: Vec<&M::Example> = batches.into_iter().flatten().collect();
        let memory = choices
            .memory
            .unwrap_or_else(|| available_memory() as u64 / 4);
        fisher_scores(model, &samples, memory as usize)
    })
    .or_fail()?;
    Ok(())
}

/// Does some work, and adds what it took.
fn timed<T>(seconds: &mut Seconds, work: impl FnOnce() -> T) -> T {
    let (began, cpu) = (Instant::now(), usage::cpu_seconds());
    let done = work();
    seconds.wall += began.elapsed().as_secs_f64();
    seconds.cpu += usage::cpu_seconds() - cpu;
    done
}
