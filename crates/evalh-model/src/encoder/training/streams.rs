//! What passes between the layers, at the token that a classifier reads.

use crate::ModelError;
use crate::encoder::Encoder;
use crate::encoder::forward::Batch;
use crate::encoder::output::EncoderInput;

impl Encoder {
    /// The stream of each input's first token before the first layer and behind every layer: as many times `[inputs, hidden]`
    /// as the model has layers, and one more.
    ///
    /// # Errors
    /// When a token is unknown or an input too long.
    ///
    /// # Panics
    /// When an input is empty.
    pub fn first_token_streams(
        &self,
        inputs: &[&EncoderInput],
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut batch = Batch::default();
        for input in inputs {
            batch.push(input, None, self)?;
        }
        let first: Vec<usize> = batch.sequences.iter().map(|s| s.start).collect();
        let compute = &self.compute;
        rayon::scope(|_| {
            let mut pass = self.whole_pass(compute, &batch, None, false);
            let lookups = &batch.lookups;
            let mut x = self.embeddings.forward(compute, lookups, None, false);
            let mut all = Vec::with_capacity(self.layers.len() + 1);
            for layer in 0..=self.layers.len() {
                if layer > 0 {
                    x = self.through(layer - 1..layer, &mut pass, x, None, None);
                }
                all.push(compute.to_host(compute.select_rows(x.clone(), &first)));
            }
            Ok(all)
        })
    }
}
