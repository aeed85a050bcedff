//! A classifier as transformers saves it, whatever the checkpoint was that it was made of.

use super::family;
use super::model::Encoder;
use super::stored::StoredNames;
use crate::ModelError;
use evalh_checkpoint::{CheckpointError, StoredDtype, TensorInfo, WeightSource};
use serde_json::{Map, Value, json};

/// The tensors and the config of a classifier. The tensors have the names of the model, and are the checkpoint's where that
/// has them; of those of a head that it lacks there are only shapes and types. What it holds of other heads is left out.
pub struct ClassifierSource<'a> {
    weights: &'a dyn WeightSource,
    config: Value,
    tensors: Vec<ClassifierTensor>,
}

struct ClassifierTensor {
    name: String,
    info: TensorInfo,
    /// The checkpoint's name for it.
    stored: Option<String>,
}

impl Encoder {
    /// The classifier that this encoder is, over the checkpoint that it was loaded from.
    ///
    /// # Errors
    /// When the checkpoint is no encoder's.
    pub fn as_classifier<'a>(
        &self,
        weights: &'a dyn WeightSource,
    ) -> Result<ClassifierSource<'a>, ModelError> {
        let family = family::find(weights.config())?;
        let names = StoredNames::new(weights, family.names.prefix);
        let mut own = self.layout().tensors;
        let mut tensors = Vec::new();
        let known: Vec<(String, String)> = own
            .keys()
            .filter_map(|name| Some((names.find(name)?, name.clone())))
            .collect();
        for stored in weights.tensor_names() {
            let Some(info) = weights.tensor(&stored) else {
                continue;
            };
            let found = known.iter().find(|(other, _)| *other == stored);
            let name = match found {
                Some((_, name)) => name.clone(),
                None => names.whole(&stored),
            };
            let unused = |start: &&str| name.starts_with(*start);
            let is_integer = matches!(info.dtype, StoredDtype::Unreadable(_));
            if found.is_none() && (is_integer || family.names.unused.iter().any(unused)) {
                continue;
            }
            own.remove(&name);
            tensors.push(ClassifierTensor {
                name,
                info,
                stored: Some(stored),
            });
        }
        // The type of most of the others.
        let table = names.find(&format!(
            "{}.embeddings.word_embeddings.weight",
            names.prefix
        ));
        let table = table.and_then(|name| weights.tensor(&name));
        let dtype = table.map_or(StoredDtype::F32, |info| info.dtype);
        let begun = own.into_iter().map(|(name, shape)| ClassifierTensor {
            name,
            info: TensorInfo { shape, dtype },
            stored: None,
        });
        tensors.extend(begun);
        Ok(ClassifierSource {
            config: self.classifier_config(weights.config(), family.classifier),
            weights,
            tensors,
        })
    }

    fn classifier_config(&self, base: &Value, class: &str) -> Value {
        let mut config = base.clone();
        let Some(fields) = config.as_object_mut() else {
            return config;
        };
        let labels = self.config().labels.iter().enumerate();
        let (to_id, to_label): (Map<_, _>, Map<_, _>) = labels
            .map(|(id, label)| {
                let label = label.clone();
                ((label.clone(), json!(id)), (id.to_string(), json!(label)))
            })
            .unzip();
        // What the loss of a training is, whatever the checkpoint was for.
        let problem = match to_label.len() {
            1 => "regression",
            _ => "single_label_classification",
        };
        fields.insert("architectures".into(), json!([class]));
        fields.insert("id2label".into(), Value::Object(to_label));
        fields.insert("label2id".into(), Value::Object(to_id));
        fields.insert("problem_type".into(), problem.into());
        // Another count beside the names, as old configs have it.
        fields.remove("num_labels");
        fields.remove("_num_labels");
        config
    }
}

impl ClassifierSource<'_> {
    fn find(&self, name: &str) -> Option<&ClassifierTensor> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }
}

impl WeightSource for ClassifierSource<'_> {
    fn config(&self) -> &Value {
        &self.config
    }

    fn tensor_names(&self) -> Vec<String> {
        let names = self.tensors.iter().map(|tensor| tensor.name.clone());
        names.collect()
    }

    fn tensor(&self, name: &str) -> Option<TensorInfo> {
        self.find(name).map(|tensor| tensor.info.clone())
    }

    fn read_f32(&self, name: &str) -> Result<Vec<f32>, CheckpointError> {
        let stored = self.find(name).and_then(|tensor| tensor.stored.as_deref());
        // What the checkpoint lacks is missing there.
        self.weights.read_f32(stored.unwrap_or(name))
    }
}

impl std::fmt::Debug for ClassifierSource<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClassifierSource")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
