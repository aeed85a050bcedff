//! What a family cannot have, and metadata that nothing asked for: refused by name.

use super::Facts;
use crate::gguf::{FormatError, rope::Rotary};
use serde_json::Value;

/// Keys that change no output: notes of converters.
const HARMLESS: &[&str] = &["rope.scaling.finetuned", "tensor_data_layout"];

impl Facts<'_> {
    /// The same for a family that turns all of each head.
    pub(in crate::gguf) fn full_rotary(&self) -> Result<Rotary, FormatError> {
        let rotary = self.rotary()?;
        if rotary.dimensions == self.head_dim {
            return Ok(rotary);
        }
        Err(FormatError::unsupported(
            &self.key("rope.dimension_count"),
            rotary.dimensions.to_string(),
            format!(
                "models of architecture {} rotate all {} values of a head",
                self.architecture, self.head_dim
            ),
        ))
    }

    /// Which layers see a window of the text only: all but every `period`th, unless the file says otherwise.
    pub(in crate::gguf) fn layer_types(&self, period: u64) -> Result<Value, FormatError> {
        const PATTERN: &str = "attention.sliding_window_pattern";
        let key = self.key(PATTERN);
        let header = &self.model.header;
        let windows: Vec<bool> = match header.array(&key) {
            Ok(Some(array)) => array.bools(self.model.metadata(), &key)?,
            Ok(None) => alternating(self.layers, period),
            Err(_) => alternating(self.layers, self.size(PATTERN)?),
        };
        if windows.len() as u64 != self.layers {
            return Err(FormatError::new(
                &key,
                format!("has {} entries for {} layers", windows.len(), self.layers),
            ));
        }
        let name = |window: &bool| match window {
            true => "sliding_attention",
            false => "full_attention",
        };
        Ok(windows.iter().map(name).collect())
    }

    /// Refuses heads of another size than their share of the hidden size, for a family that cannot have them.
    pub(in crate::gguf) fn even_heads(&self) -> Result<(), FormatError> {
        if self.hidden == self.heads * self.head_dim {
            return Ok(());
        }
        Err(FormatError::unsupported(
            &self.key("attention.key_length"),
            self.head_dim.to_string(),
            format!(
                "models of architecture {} divide the hidden size {} into {} heads",
                self.architecture, self.hidden, self.heads
            ),
        ))
    }

    /// Refuses fewer key heads than query heads, for a family that cannot have them.
    pub(in crate::gguf) fn equal_heads(&self) -> Result<(), FormatError> {
        if self.heads == self.kv_heads {
            return Ok(());
        }
        Err(FormatError::unsupported(
            &self.key("attention.head_count_kv"),
            self.kv_heads.to_string(),
            format!(
                "models of architecture {} have as many as of queries, {}",
                self.architecture, self.heads
            ),
        ))
    }

    /// Refuses metadata under the architecture's prefix that nothing asked for.
    pub(in crate::gguf) fn refuse_what_is_left(&self) -> Result<(), FormatError> {
        let prefix = format!("{}.", self.architecture);
        let asked = self.asked.borrow();
        // The smallest unknown key is named, so that the message does not depend on the order of a hash map.
        let left = self
            .model
            .header
            .keys()
            .filter_map(|key| key.strip_prefix(&prefix))
            .filter(|key| !asked.contains(*key) && !HARMLESS.contains(key))
            .min();
        let Some(key) = left else {
            return Ok(());
        };
        let known: Vec<_> = asked.iter().map(String::as_str).collect();
        Err(FormatError::unsupported(
            &format!("{prefix}{key}"),
            "a setting".to_owned(),
            format!(
                "of {} models like this one these settings are: {}",
                self.architecture,
                known.join(", ")
            ),
        ))
    }
}

/// A window in all layers but every `period`th.
fn alternating(layers: u64, period: u64) -> Vec<bool> {
    (1..=layers).map(|layer| layer % period != 0).collect()
}
