//! What a trainer asks of a model.

use crate::data::{Example, LabelledExample};
use evalh_model::{
    Decoder, Encoder, EncoderInput, Label, ModelError, Parameter, Sink, Start, TargetLoss,
    TrainedUpdate, TrainingRow, UpdateStart,
};
use std::fmt::Debug;

/// A model that can be trained.
pub trait TrainableModel: Debug {
    /// What it is trained on.
    type Example: Debug;

    /// Tokens of an example.
    fn tokens(example: &Self::Example) -> usize;

    /// Width of the stream between its layers.
    fn hidden_size(&self) -> usize;

    /// The loss of what counts in some examples, and its gradient to all sinks.
    ///
    /// # Errors
    /// When an example does not fit the model.
    fn train(
        &mut self,
        examples: &[&Self::Example],
        start: &Start,
    ) -> Result<TargetLoss, ModelError>;

    /// The loss of what counts in some examples.
    ///
    /// # Errors
    /// When an example does not fit the model.
    fn loss(&self, examples: &[&Self::Example]) -> Result<TargetLoss, ModelError>;

    /// The stream that enters a layer, one example's after another's; an example's does not depend on the others.
    ///
    /// # Errors
    /// When an example does not fit the model.
    fn stream_before(
        &self,
        layer: usize,
        examples: &[&Self::Example],
    ) -> Result<Vec<f32>, ModelError>;

    /// The stream of the token by which each example is answered (the last of a decoder's, the first of a classifier's),
    /// before the first layer and behind every layer: as many times `[examples, hidden]` as there are layers, and one more.
    ///
    /// # Errors
    /// When an example does not fit the model.
    fn deciding_streams(&self, examples: &[&Self::Example]) -> Result<Vec<Vec<f32>>, ModelError>;

    /// Layers of the model.
    fn layers(&self) -> usize;

    /// Every parameter of the base.
    fn parameters(&mut self) -> Vec<Parameter>;

    /// The lowest layer in which something is trained.
    fn lowest_trained(&mut self) -> Option<usize>;

    /// Begins to train a low-rank update.
    ///
    /// # Errors
    /// When no layer has such a module, or the factors do not fit it.
    fn train_update(&mut self, start: UpdateStart<'_>) -> Result<(), ModelError>;

    /// Hands every update in training with its module to `visit`.
    fn trained_updates(&mut self, visit: &mut dyn FnMut(&str, &mut TrainedUpdate));

    /// Sends the gradient of each parameter of the base where `sink` says, or nowhere.
    fn watch(&mut self, sink: &mut dyn FnMut(&Parameter) -> Option<Sink>);

    /// The values of the base's parameters that `wanted` names.
    fn parameter_values(
        &mut self,
        wanted: &dyn Fn(&Parameter) -> bool,
    ) -> Vec<(Parameter, Vec<f32>)>;

    /// Replaces the values of the base's parameters for which there are some.
    fn set_parameters<'v>(&mut self, values: &dyn Fn(&Parameter) -> Option<&'v [f32]>);
}

/// The methods that are the model's own, under its name.
macro_rules! own {
    ($model:ident) => {
        fn hidden_size(&self) -> usize {
            self.config().hidden_size
        }

        fn layers(&self) -> usize {
            self.config().layers
        }

        fn parameters(&mut self) -> Vec<Parameter> {
            $model::parameters(self)
        }

        fn lowest_trained(&mut self) -> Option<usize> {
            $model::lowest_trained(self)
        }

        fn train_update(&mut self, start: UpdateStart<'_>) -> Result<(), ModelError> {
            $model::train_update(self, start)
        }

        fn trained_updates(&mut self, visit: &mut dyn FnMut(&str, &mut TrainedUpdate)) {
            $model::trained_updates(self, visit);
        }

        fn watch(&mut self, sink: &mut dyn FnMut(&Parameter) -> Option<Sink>) {
            $model::watch(self, sink);
        }

        fn parameter_values(
            &mut self,
            wanted: &dyn Fn(&Parameter) -> bool,
        ) -> Vec<(Parameter, Vec<f32>)> {
            $model::parameter_values(self, wanted)
        }

        fn set_parameters<'v>(&mut self, values: &dyn Fn(&Parameter) -> Option<&'v [f32]>) {
            $model::set_parameters(self, values);
        }
    };
}

impl TrainableModel for Decoder {
    type Example = Example;

    own!(Decoder);

    fn tokens(example: &Example) -> usize {
        example.tokens.len()
    }

    fn train(&mut self, examples: &[&Example], start: &Start) -> Result<TargetLoss, ModelError> {
        Decoder::train(self, &rows(examples), start)
    }

    fn loss(&self, examples: &[&Example]) -> Result<TargetLoss, ModelError> {
        Decoder::loss(self, &rows(examples), &Start::Tokens)
    }

    fn stream_before(&self, layer: usize, examples: &[&Example]) -> Result<Vec<f32>, ModelError> {
        Decoder::stream_before(self, layer, &rows(examples))
    }

    fn deciding_streams(&self, examples: &[&Example]) -> Result<Vec<Vec<f32>>, ModelError> {
        Decoder::last_token_streams(self, &rows(examples))
    }
}

impl TrainableModel for Encoder {
    type Example = LabelledExample;

    own!(Encoder);

    fn tokens(example: &LabelledExample) -> usize {
        example.input.ids.len()
    }

    fn train(
        &mut self,
        examples: &[&LabelledExample],
        start: &Start,
    ) -> Result<TargetLoss, ModelError> {
        Encoder::train(self, &inputs(examples), &labels(examples), start)
    }

    fn loss(&self, examples: &[&LabelledExample]) -> Result<TargetLoss, ModelError> {
        Encoder::loss(self, &inputs(examples), &labels(examples), &Start::Tokens)
    }

    fn stream_before(
        &self,
        layer: usize,
        examples: &[&LabelledExample],
    ) -> Result<Vec<f32>, ModelError> {
        Encoder::stream_before(self, layer, &inputs(examples))
    }

    fn deciding_streams(&self, examples: &[&LabelledExample]) -> Result<Vec<Vec<f32>>, ModelError> {
        Encoder::first_token_streams(self, &inputs(examples))
    }
}

fn rows<'e>(examples: &[&'e Example]) -> Vec<TrainingRow<'e>> {
    let examples = examples.iter();
    examples
        .map(|example| TrainingRow {
            tokens: &example.tokens,
            counted: &example.loss,
        })
        .collect()
}

fn inputs<'e>(examples: &[&'e LabelledExample]) -> Vec<&'e EncoderInput> {
    examples.iter().map(|example| &example.input).collect()
}

fn labels(examples: &[&LabelledExample]) -> Vec<Label> {
    examples.iter().map(|example| example.label).collect()
}
