//! Labelled texts as an encoder reads them.

use super::{DataChoice, Material, data::TrainingData};
use crate::failure::{OrFail as _, Outcome};
use evalh_model::EncoderConfig;
use evalh_task::{GlueLabel, GlueRow, glue_training};
use evalh_train::data::{LabelledEncoder, LabelledExample, parse_labelled, read_labelled};
use serde_json::json;

/// Rows as tokens, and the outputs that their labels need.
pub struct Labelled {
    /// The rows.
    pub data: TrainingData<LabelledExample>,
    /// Outputs of the head: as many as there are classes, or one for numbers.
    pub outputs: usize,
}

/// Reads labelled data: JSON Lines, or a file of GLUE's.
///
/// # Errors
/// When it cannot be read, or does not fit the encoder.
pub fn labelled(
    material: &Material,
    config: &EncoderConfig,
    choice: &DataChoice,
) -> Outcome<Labelled> {
    // Relative positions alone bound nothing, but the model was trained with so many.
    let positions = config.max_tokens().unwrap_or(config.max_positions);
    let max_tokens = material.max_tokens(choice, positions)?;
    let dataset = match glue_training(&choice.path) {
        Some(rows) => {
            let lines = json_lines(&rows.or_fail()?);
            parse_labelled(&choice.path.with_extension("jsonl"), &lines).or_fail()?
        }
        None => read_labelled(&choice.path).or_fail()?,
    };
    let encoder = LabelledEncoder {
        tokenizer: &material.tokenizer,
        has_types: config.token_types > 1,
        max_tokens,
    };
    let encoded = encoder.encode_all(&dataset).or_fail()?;
    let lengths = encoded.examples.iter().map(|e| e.input.ids.len()).collect();
    Ok(Labelled {
        data: TrainingData::new(
            choice,
            max_tokens,
            (encoded.examples, lengths),
            encoded.truncation,
        )?,
        outputs: dataset.outputs(),
    })
}

/// Rows of GLUE in the form of everybody's.
fn json_lines(rows: &[GlueRow]) -> Vec<u8> {
    let mut lines = String::new();
    for row in rows {
        let label = match row.label {
            GlueLabel::Class(place) => json!(place),
            GlueLabel::Number(number) => json!(number),
        };
        let line = match row.texts.as_slice() {
            [first, second] => json!({ "sentence1": first, "sentence2": second, "label": label }),
            texts => json!({ "text": texts.concat(), "label": label }),
        };
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    lines.into_bytes()
}
