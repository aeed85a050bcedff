//! The loss of labelled inputs, recorded from the lowest layer on that is trained.

mod parameters;
mod streams;
mod updates;

use super::config::EncoderTask;
use super::forward::Batch;
use super::model::Encoder;
use super::output::EncoderInput;
use crate::{ModelError, Start};
use burn::tensor::{Tensor, TensorData};
use evalh_kernel::{Compute, TargetLoss, class_loss, squared_error};

/// What is right of an input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Label {
    /// The index of a class: the loss is cross-entropy, in nats.
    Class(usize),
    /// A number, which a head of one output gives: the loss is the squared error.
    Value(f32),
}

impl Encoder {
    /// The loss of every input, and its gradient to the sinks of all parameters and updates that are trained.
    ///
    /// An input sees nothing of the others. There is no dropout but that of the updates.
    ///
    /// # Errors
    /// When a token is unknown or an input too long, there is no input, the encoder has no classification head with
    /// weights, or a label is none of it.
    ///
    /// # Panics
    /// When there is not a label an input, an input is empty, or the stream is not one of these inputs.
    pub fn train(
        &mut self,
        inputs: &[&EncoderInput],
        labels: &[Label],
        start: &Start,
    ) -> Result<TargetLoss, ModelError> {
        let lowest = self.lowest_trained();
        let compute = self.compute.recording();
        // A thread outside the pool would hand each of some hundred parallel stretches over to it, and wait.
        rayon::scope(|_| {
            let loss = self.losses(&compute, inputs, labels, start, lowest)?;
            compute.backward(&loss.sum);
            Ok(loss)
        })
    }

    /// The loss of every input.
    ///
    /// # Errors
    /// As [`Encoder::train`].
    ///
    /// # Panics
    /// As [`Encoder::train`].
    pub fn loss(
        &self,
        inputs: &[&EncoderInput],
        labels: &[Label],
        start: &Start,
    ) -> Result<TargetLoss, ModelError> {
        rayon::scope(|_| self.losses(&self.compute, inputs, labels, start, None))
    }

    /// The stream that enters `layer`, `[tokens, hidden]`, all inputs' tokens after one another. On the CPU it does not
    /// depend on which inputs share the batch.
    ///
    /// # Errors
    /// When a token is unknown or an input too long.
    ///
    /// # Panics
    /// When there is no such layer, or an input is empty.
    pub fn stream_before(
        &self,
        layer: usize,
        inputs: &[&EncoderInput],
    ) -> Result<Vec<f32>, ModelError> {
        assert!(layer < self.layers.len(), "a layer of the model");
        let mut batch = Batch::default();
        for input in inputs {
            batch.push(input, None, self)?;
        }
        let compute = &self.compute;
        rayon::scope(|_| {
            let mut pass = self.whole_pass(compute, &batch, None, false);
            let x = self
                .embeddings
                .forward(compute, &batch.lookups, None, false);
            let x = self.through(0..layer, &mut pass, x, None, None);
            Ok(compute.to_host(x))
        })
    }

    fn losses(
        &self,
        compute: &Compute,
        inputs: &[&EncoderInput],
        labels: &[Label],
        start: &Start,
        recorded: Option<usize>,
    ) -> Result<TargetLoss, ModelError> {
        assert_eq!(inputs.len(), labels.len(), "a label an input");
        if inputs.is_empty() {
            return Err(ModelError::NothingToPredict);
        }
        if self.config.task != EncoderTask::Classification {
            return Err(ModelError::NoClassifier {
                adapters: Vec::new(),
            });
        }
        self.check_head(None)?;
        let right = self.right(labels)?;
        let mut batch = Batch::default();
        for input in inputs {
            batch.push(input, None, self)?;
        }
        let embedded = recorded == Some(0);
        let mut pass = self.whole_pass(compute, &batch, None, embedded);
        let (first, x) = match start {
            Start::Tokens => {
                let lookups = &batch.lookups;
                (0, self.embeddings.forward(compute, lookups, None, embedded))
            }
            Start::Stream { layer, values } => {
                let shape = [batch.lookups.ids.len(), self.config.hidden_size];
                assert_eq!(
                    values.len(),
                    shape[0] * shape[1],
                    "a stream of these inputs"
                );
                let values = TensorData::new(values.clone(), shape);
                (*layer, Tensor::from_data(values, &compute.plain()))
            }
        };
        let layers = self.layers.len();
        let mut x = self.through(first..layers, &mut pass, x, batch.few(), recorded);
        if recorded == Some(layers) {
            x = compute.begin(x);
        }
        let logits = self.head.forward(compute, &self.config, x, None)?;
        Ok(match right {
            Right::Classes(classes) => class_loss(logits, &classes),
            Right::Values(values) => squared_error(logits, &values),
        })
    }

    /// The labels, which must all be of the head's kind.
    fn right(&self, labels: &[Label]) -> Result<Right, ModelError> {
        let outputs = self.config.labels.len();
        let wrong = |label: &Label| ModelError::Label {
            label: match label {
                Label::Class(class) => format!("class {class}"),
                Label::Value(value) => format!("the number {value}"),
            },
            outputs,
        };
        if outputs == 1 {
            let values = labels.iter().map(|label| match label {
                Label::Value(value) => Ok(*value),
                Label::Class(_) => Err(wrong(label)),
            });
            return values.collect::<Result<_, _>>().map(Right::Values);
        }
        let classes = labels.iter().map(|label| match label {
            Label::Class(class) if *class < outputs => Ok(*class as u32),
            _ => Err(wrong(label)),
        });
        classes.collect::<Result<_, _>>().map(Right::Classes)
    }
}

/// Labels of one kind.
enum Right {
    Classes(Vec<u32>),
    Values(Vec<f32>),
}
