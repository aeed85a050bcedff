//! Whether the two files of a folder are of one adapter.

use super::Adapter;
use crate::{AdapterError, file::Factors};

impl Adapter {
    /// Refuses updates that the configuration does not describe.
    pub(super) fn check_against_config(&self) -> Result<(), AdapterError> {
        for (module, factors) in &self.contents.factors {
            if !self.config.selects(module) && !self.is_tied_copy(factors) {
                return Err(self.mismatch(
                    module,
                    "has weights in the adapter, but adapter_config.json does not select it".into(),
                ));
            }
            let configured = self.config.rank_of(module);
            if factors.a.rows != configured {
                return Err(self.mismatch(
                    module,
                    format!(
                        "has rank {} in the weights (lora_A of shape [{}, {}]), but rank {configured} in adapter_config.json",
                        factors.a.rows, factors.a.rows, factors.a.columns
                    ),
                ));
            }
            self.check_part(
                module,
                "lora_magnitude_vector",
                "use_dora",
                factors.magnitude.is_some(),
                self.config.use_dora,
            )?;
            self.check_part(
                module,
                "lora_B.bias",
                "lora_bias",
                factors.bias.is_some(),
                self.config.lora_bias,
            )?;
            let scale = self.config.scale_of(module);
            if !scale.is_finite() {
                return Err(self.mismatch(
                    module,
                    format!("has the scale {scale} by its rank and alpha in adapter_config.json"),
                ));
            }
        }
        Ok(())
    }

    fn check_part(
        &self,
        module: &str,
        part: &str,
        field: &str,
        present: bool,
        configured: bool,
    ) -> Result<(), AdapterError> {
        match (present, configured) {
            (true, false) => Err(self.mismatch(
                module,
                format!(
                    "has a {part} in the weights, but adapter_config.json does not set {field}"
                ),
            )),
            (false, true) => Err(self.mismatch(
                module,
                format!("has no {part} in the weights, but adapter_config.json sets {field}"),
            )),
            _ => Ok(()),
        }
    }

    /// With `ensure_weight_tying`, PEFT saves an embedding's factors a second time for the tied head, turned around.
    fn is_tied_copy(&self, factors: &Factors) -> bool {
        self.config.ensure_weight_tying
            && !factors.embedding
            && self.contents.factors.values().any(|source| {
                source.embedding
                    && source.a.rows == factors.a.rows
                    && (source.b.rows, source.a.columns) == (factors.a.columns, factors.b.rows)
                    && (0..factors.a.rows).all(|r| {
                        (0..factors.a.columns).all(|i| {
                            factors.a.values[r * factors.a.columns + i].to_bits()
                                == source.b.values[i * source.b.columns + r].to_bits()
                        }) && (0..factors.b.rows).all(|o| {
                            factors.b.values[o * factors.b.columns + r].to_bits()
                                == source.a.values[r * source.a.columns + o].to_bits()
                        })
                    })
            })
    }

    fn mismatch(&self, module: &str, problem: String) -> AdapterError {
        AdapterError::Module {
            adapter: self.dir.clone(),
            module: module.to_owned(),
            problem,
            remedy: "the two files are not of one adapter: copy both from the same save".into(),
        }
    }
}
