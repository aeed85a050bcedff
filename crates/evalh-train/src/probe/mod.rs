//! How much each layer matters to some data: gradient, Fisher and CKA probes.

mod sinks;

use crate::select::{cka, importance};
use crate::{TrainError, TrainableModel};
use evalh_model::{Parameter, Sink, Start};
use sinks::{NormOfBatch, SquareOfSamples};
use std::sync::Arc;

/// The gradient probe: for each layer the sum over batches of the norm of the loss's gradient with respect to the
/// layer's parameters (Aletheia). The loss of a batch is the mean over its counted tokens, or labels.
///
/// One backward pass a batch gives all layers; a tensor's gradient is squared and forgotten as it comes, so that no more
/// than one of them is held.
///
/// # Errors
/// When an example does not fit the model.
pub fn gradient_scores<M: TrainableModel>(
    model: &mut M,
    batches: &[Vec<&M::Example>],
) -> Result<Vec<f64>, TrainError> {
    let layers = model.layers();
    let norms: Vec<Arc<NormOfBatch>> = (0..layers).map(|_| Arc::default()).collect();
    model.watch(&mut |parameter| {
        let layer = parameter.layer?;
        Some(Arc::new(norms[layer].of(parameter)) as Sink)
    });
    let mut scores = vec![0.0; layers];
    let done = batches.iter().try_for_each(|batch| {
        let loss = model.train(batch, &Start::Tokens)?;
        let share = 1.0 / loss.each.len() as f64;
        for (score, norm) in scores.iter_mut().zip(&norms) {
            *score += norm.take() * share;
        }
        Ok(())
    });
    model.watch(&mut |_| None);
    done.map(|()| scores)
}

/// The Fisher probe: for each layer the sum over its tensors of the Frobenius norm of the mean squared gradient, each
/// sample's loss a mean over its counted tokens, or that of its label (Lodha and others, in the textbook form of the diagonal).
///
/// Squares are kept for as many layers at once as fit into `bytes`, at least one; the samples are run through again for
/// each such group of layers.
///
/// # Errors
/// When an example does not fit the model.
pub fn fisher_scores<M: TrainableModel>(
    model: &mut M,
    samples: &[&M::Example],
    bytes: usize,
) -> Result<Vec<f64>, TrainError> {
    let layers = model.layers();
    let sizes: Vec<usize> = sizes(&model.parameters(), layers);
    let mut scores = vec![0.0; layers];
    let mut end = layers;
    while end > 0 {
        let mut first = end - 1;
        let mut room = (bytes / size_of::<f32>()).saturating_sub(sizes[first]);
        while first > 0 && sizes[first - 1] <= room {
            first -= 1;
            room -= sizes[first];
        }
        let group = fisher_of(model, samples, first, end);
        model.watch(&mut |_| None);
        scores[first..end].copy_from_slice(&group?);
        end = first;
    }
    Ok(scores)
}

fn fisher_of<M: TrainableModel>(
    model: &mut M,
    samples: &[&M::Example],
    first: usize,
    end: usize,
) -> Result<Vec<f64>, TrainError> {
    let mut kept: Vec<(Parameter, Arc<SquareOfSamples>)> = Vec::new();
    model.watch(&mut |parameter| {
        parameter
            .layer
            .filter(|layer| (first..end).contains(layer))?;
        let sink = Arc::new(SquareOfSamples::new(parameter.len()));
        kept.push((parameter.clone(), Arc::clone(&sink)));
        Some(sink as Sink)
    });
    for sample in samples {
        let loss = model.train(&[*sample], &Start::Tokens)?;
        let share = 1.0 / loss.each.len() as f32;
        for (_, sink) in &kept {
            sink.end_sample(share);
        }
    }
    let mut scores = vec![0.0; end - first];
    for (parameter, sink) in kept {
        let Some(layer) = parameter.layer else {
            continue;
        };
        for tensor in &parameter.tensors {
            let rows = tensor.rows.start * parameter.width..tensor.rows.end * parameter.width;
            scores[layer - first] += sink.norm(rows, samples.len());
        }
    }
    Ok(scores)
}

/// The CKA probe: for each layer one minus the linear CKA of the streams that enter and leave it, at the last token of
/// each sample, or the first of a classifier's. The stream that leaves the last layer of a decoder is not normed.
///
/// Where that token is the same of all samples, as a classifier's first one is, what enters the first layer is the same for all
/// of them and similar to nothing: such a layer's score is one.
///
/// # Errors
/// When an example does not fit the model.
pub fn cka_scores<M: TrainableModel>(
    model: &M,
    samples: &[&M::Example],
    at_once: usize,
) -> Result<Vec<f64>, TrainError> {
    let (layers, width) = (model.layers(), model.hidden_size());
    let mut streams: Vec<Vec<f32>> = vec![Vec::new(); layers + 1];
    for part in samples.chunks(at_once.max(1)) {
        let part = model.deciding_streams(part)?;
        for (all, own) in streams.iter_mut().zip(part) {
            all.extend(own);
        }
    }
    let pairs = streams.windows(2);
    let score = |pair: &[Vec<f32>]| {
        let alike = cka(&pair[0], &pair[1], samples.len(), width);
        let finite = pair.iter().flatten().all(|value| value.is_finite());
        // Not a number for values that are numbers: one side does not vary.
        if alike.is_nan() && finite && samples.len() > 1 {
            return 1.0;
        }
        importance(alike)
    };
    Ok(pairs.map(score).collect())
}

/// Values of each layer's parameters.
fn sizes(parameters: &[Parameter], layers: usize) -> Vec<usize> {
    let mut sizes = vec![0; layers];
    for parameter in parameters {
        if let Some(layer) = parameter.layer {
            sizes[layer] += parameter.len();
        }
    }
    sizes
}
