//! What a run was: everything that can change a score, and where it came from.

use crate::{RecordError, RecordResult, Sha256};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// The version of the record's format that this crate writes. A reader refuses every other one.
pub const SCHEMA: u32 = 5;

/// `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The format's version, [`SCHEMA`].
    pub schema: u32,
    /// Everything that can change a score. A run resumes only where all of this is the same.
    pub settings: Settings,
    /// Where it came from: it can differ between two sessions without changing a score.
    pub provenance: Provenance,
}

/// Everything that can change a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The program's version.
    pub evalh: String,
    /// The suites, in the order in which they run.
    pub suites: Vec<SuiteSettings>,
    /// The checkpoints that variants rest on.
    pub checkpoints: Vec<CheckpointSettings>,
    /// The variants, the base first.
    pub variants: Vec<VariantSettings>,
    /// The device that computes: `cpu`, `cuda:0`.
    pub device: String,
    /// The kernels: `auto`, `portable`.
    pub kernel: String,
    /// The types that the weights are held in: `f32`, or `q4_1, q8_0`. The kernels say in what arithmetic.
    pub dtype: String,
    /// What runs programs, where a suite needs it.
    pub sandbox: Option<SandboxSettings>,
}

/// One suite as it was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteSettings {
    /// The suite's name.
    pub name: String,
    /// How the items were put to the model.
    pub protocol: String,
    /// Its tasks, in their order; one of the suite's own name where it has one part only.
    pub tasks: Vec<TaskSettings>,
    /// Solved examples before each item.
    pub shots: usize,
    /// Items asked, after `limit`.
    pub items: usize,
    /// Only the first so many items of each task, where that was asked for.
    pub limit: Option<usize>,
    /// Answers an item.
    pub samples: usize,
    /// How tokens were chosen; `None` where nothing is generated.
    pub sampling: Option<SamplingSettings>,
    /// Most tokens of an answer; `None` where nothing is generated.
    pub max_new_tokens: Option<usize>,
    /// Every other setting of the suite that can change a score, by name: the seed of its shots, a system prompt, the hash
    /// of its definition.
    pub options: serde_json::Map<String, Value>,
    /// The data set's files.
    pub data: Vec<FileIdentity>,
}

/// One task of a suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskSettings {
    /// The task's name within its suite.
    pub name: String,
    /// The group that it is counted in, where the suite has groups.
    pub group: Option<String>,
    /// Items asked.
    pub items: usize,
}

/// How tokens were chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SamplingSettings {
    /// 0 is greedy.
    pub temperature: f64,
    /// The probability mass kept.
    pub top_p: f64,
    /// The run's seed.
    pub seed: u64,
}

/// A file by its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileIdentity {
    /// The file's name within its folder.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its content.
    pub sha256: Sha256,
}

/// A checkpoint by its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointSettings {
    /// The name that variants and reports use.
    pub name: String,
    /// Every file whose bytes can change a score: weights, config, tokenizer, template, generation settings.
    pub files: Vec<FileIdentity>,
    /// The number types of the stored weights, as the checkpoint tells them.
    pub stored: String,
    /// Parameters.
    pub parameters: u64,
    /// What its weights were rounded to at load, where that was asked for: `nf4`, `int8`.
    pub quantized: Option<String>,
    /// Hash of the chat template's text, wherever it is stored.
    pub chat_template_sha256: Option<Sha256>,
    /// The moment that the template is told as now, in seconds since 1970, where it asks.
    pub chat_template_moment: Option<i64>,
}

/// A variant by its parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantSettings {
    /// The variant's name.
    pub name: String,
    /// The checkpoint's name.
    pub checkpoint: String,
    /// What is put on top of it.
    pub adapter: Option<AdapterSettings>,
}

/// An adapter, or a weighted sum of several, by its content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdapterSettings {
    /// `merged` or `unmerged`.
    pub apply: String,
    /// The adapter, or those of the sum in their order.
    pub parts: Vec<AdapterPart>,
    /// Modules that it changes.
    pub modules: usize,
    /// The layers that these lie in, from 0, ascending; none for modules outside of all layers.
    pub layers: Vec<usize>,
    /// Layers of the checkpoint.
    pub of_layers: usize,
    /// Parameters that it adds.
    pub parameters: u64,
}

/// An adapter and its weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdapterPart {
    /// Its files.
    pub files: Vec<FileIdentity>,
    /// What its updates are multiplied by: 1 for an adapter by itself.
    pub weight: f64,
}

/// What runs programs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SandboxSettings {
    /// Hash of the runtime.
    pub runtime_sha256: Sha256,
    /// The limits of one program, by name.
    pub limits: serde_json::Map<String, Value>,
}

/// Where a run came from. None of it can change a score.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The command as it was typed.
    pub command: String,
    /// What `--resume` needs to take up the run again: the command line's settings, paths absolute.
    pub arguments: Value,
    /// Where files came from.
    pub origins: Vec<FileOrigin>,
    /// What was found out about the adapters, by variant.
    pub adapters: Vec<AdapterFindings>,
    /// The machine: processor, memory, system.
    pub machine: String,
    /// Threads that computed.
    pub threads: usize,
}

/// What was found out about an adapter, or about the adapters of a sum. It is rounded by the machine that computed it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdapterFindings {
    /// The variant's name.
    pub variant: String,
    /// How far the rows of its `A` factors are from orthogonal and of one length, the mean over modules:
    /// `|| c G - I ||_F / sqrt(r)` with `G = A A'` and `c = r / trace G`; 0 where they are, at most `sqrt(r - 1)`. `None`
    /// where all factors are zero.
    pub orthogonality_a: Option<f64>,
    /// The same of the columns of its `B` factors.
    pub orthogonality_b: Option<f64>,
}

/// Where a file came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileOrigin {
    /// The file's name within its folder.
    pub name: String,
    /// Its content.
    pub sha256: Sha256,
    /// The source that gave it.
    pub source: String,
    /// Its hash was not known before and was taken on first use.
    pub first_use: bool,
}

/// A setting that differs between a record and now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The setting's place in the manifest, `suites[0].max_new_tokens`.
    pub field: String,
    /// The record's value, as JSON; `(absent)` where there is none.
    pub recorded: String,
    /// The value now.
    pub current: String,
}

impl Settings {
    /// The settings that differ between this record and `current`, in the manifest's order.
    pub fn differences(&self, current: &Settings) -> Vec<Difference> {
        differences(self, current)
    }
}

impl Manifest {
    /// A manifest of this crate's schema.
    pub fn new(settings: Settings, provenance: Provenance) -> Manifest {
        Manifest {
            schema: SCHEMA,
            settings,
            provenance,
        }
    }

    /// Parses `manifest.json`; `path` is for messages.
    ///
    /// # Errors
    /// When the text is not a manifest, or one of another schema.
    pub fn parse(path: &Path, text: &[u8]) -> RecordResult<Manifest> {
        let damaged = |source| RecordError::Parse {
            path: path.to_owned(),
            source,
        };
        let value: Value = serde_json::from_slice(text).map_err(damaged)?;
        match value.get("schema").and_then(Value::as_u64) {
            Some(schema) if schema != u64::from(SCHEMA) => Err(RecordError::Schema {
                path: path.to_owned(),
                schema,
            }),
            _ => serde_json::from_value(value).map_err(damaged),
        }
    }
}

/// What differs between two values of one type, by their JSON: settings as they are recorded and as they are now.
pub fn differences<T: Serialize>(recorded: &T, current: &T) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(
        "",
        serde_json::to_value(recorded).ok().as_ref(),
        serde_json::to_value(current).ok().as_ref(),
        &mut found,
    );
    found
}

fn compare(
    field: &str,
    recorded: Option<&Value>,
    current: Option<&Value>,
    found: &mut Vec<Difference>,
) {
    match (recorded, current) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let added = b.keys().filter(|key| !a.contains_key(*key));
            for key in a.keys().chain(added) {
                let dot = if field.is_empty() { "" } else { "." };
                compare(&format!("{field}{dot}{key}"), a.get(key), b.get(key), found);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for i in 0..a.len().max(b.len()) {
                compare(&format!("{field}[{i}]"), a.get(i), b.get(i), found);
            }
        }
        (a, b) if a == b => {}
        (a, b) => {
            let show = |value: Option<&Value>| {
                value.map_or_else(|| "(absent)".to_owned(), Value::to_string)
            };
            found.push(Difference {
                field: field.to_owned(),
                recorded: show(a),
                current: show(b),
            });
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::sha256_bytes;

    /// A manifest of two variants and one suite.
    pub(crate) fn example() -> Manifest {
        let file = |name: &str| FileIdentity {
            name: name.to_owned(),
            bytes: name.len() as u64,
            sha256: sha256_bytes(name.as_bytes()),
        };
        Manifest::new(
            Settings {
                evalh: "0.1.0".into(),
                suites: vec![SuiteSettings {
                    name: "mini".into(),
                    protocol: "chat".into(),
                    tasks: vec![TaskSettings {
                        name: "mini".into(),
                        group: None,
                        items: 3,
                    }],
                    shots: 0,
                    items: 3,
                    limit: None,
                    samples: 2,
                    sampling: Some(SamplingSettings {
                        temperature: 0.2,
                        top_p: 0.95,
                        seed: 7,
                    }),
                    max_new_tokens: Some(16),
                    options: serde_json::Map::new(),
                    data: vec![file("mini.jsonl")],
                }],
                checkpoints: vec![CheckpointSettings {
                    name: "tiny".into(),
                    files: vec![file("model.safetensors")],
                    stored: "F32".into(),
                    parameters: 12,
                    quantized: None,
                    chat_template_sha256: None,
                    chat_template_moment: None,
                }],
                variants: vec![
                    VariantSettings {
                        name: "tiny".into(),
                        checkpoint: "tiny".into(),
                        adapter: None,
                    },
                    VariantSettings {
                        name: "tuned".into(),
                        checkpoint: "tiny".into(),
                        adapter: Some(AdapterSettings {
                            layers: vec![0],
                            of_layers: 2,
                            apply: "merged".into(),
                            parts: vec![AdapterPart {
                                files: vec![file("adapter_model.safetensors")],
                                weight: 1.0,
                            }],
                            modules: 4,
                            parameters: 3,
                        }),
                    },
                ],
                device: "cpu".into(),
                kernel: "auto".into(),
                dtype: "f32".into(),
                sandbox: None,
            },
            Provenance::default(),
        )
    }

    #[test]
    fn a_manifest_survives_json() {
        let manifest = example();
        let text = serde_json::to_vec_pretty(&manifest).unwrap();
        assert_eq!(
            Manifest::parse(Path::new("manifest.json"), &text).unwrap(),
            manifest
        );
    }

    #[test]
    fn differences_name_the_field_and_both_values() {
        let recorded = example().settings;
        let mut current = recorded.clone();
        current.suites[0].max_new_tokens = Some(32);
        current.checkpoints[0].files[0].sha256 = sha256_bytes(b"other");
        current.variants.pop();
        let found = recorded.differences(&current);
        let fields: Vec<_> = found.iter().map(|d| d.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "suites[0].max_new_tokens",
                "checkpoints[0].files[0].sha256",
                "variants[1]"
            ]
        );
        assert_eq!(
            (found[0].recorded.as_str(), found[0].current.as_str()),
            ("16", "32")
        );
        assert_eq!(found[2].current, "(absent)");
        assert!(recorded.differences(&recorded.clone()).is_empty());
    }

    #[test]
    fn another_schema_is_refused_by_number() {
        let error = Manifest::parse(Path::new("m.json"), br#"{"schema": 9}"#).unwrap_err();
        assert!(
            error.to_string().contains("m.json is of record schema 9"),
            "{error}"
        );
        let error = Manifest::parse(Path::new("m.json"), br#"{"schema": 5}"#).unwrap_err();
        assert!(matches!(error, RecordError::Parse { .. }));
    }
}
