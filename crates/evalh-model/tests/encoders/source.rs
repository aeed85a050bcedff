//! A checkpoint with other settings, names or values than its files have.

use evalh_checkpoint::{Checkpoint, CheckpointError, TensorInfo, WeightSource};
use serde_json::Value;

/// What the changed checkpoint calls a tensor, or nothing where it lacks it.
type Rename = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;
/// Changes the values of a tensor of that name and shape.
type Change = Box<dyn Fn(&str, &[usize], &mut [f32]) + Send + Sync>;

pub struct Changed {
    pub checkpoint: Checkpoint,
    pub config: Value,
    pub rename: Rename,
    pub change: Change,
}

impl Changed {
    pub fn new(checkpoint: Checkpoint) -> Self {
        Self {
            config: checkpoint.config().clone(),
            checkpoint,
            rename: Box::new(|name| Some(name.to_owned())),
            change: Box::new(|_, _, _| {}),
        }
    }

    /// Sets a key of the config.
    pub fn with(mut self, key: &str, value: Value) -> Self {
        self.config[key] = value;
        self
    }

    pub fn renamed(
        mut self,
        rename: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.rename = Box::new(rename);
        self
    }

    /// The name in the file.
    fn stored(&self, name: &str) -> Option<String> {
        let mut names = self.checkpoint.tensor_names().into_iter();
        names.find(|stored| (self.rename)(stored).as_deref() == Some(name))
    }
}

impl WeightSource for Changed {
    fn config(&self) -> &Value {
        &self.config
    }

    fn tensor_names(&self) -> Vec<String> {
        let names = self.checkpoint.tensor_names().into_iter();
        names.filter_map(|name| (self.rename)(&name)).collect()
    }

    fn tensor(&self, name: &str) -> Option<TensorInfo> {
        self.checkpoint.tensor(&self.stored(name)?)
    }

    fn read_f32(&self, name: &str) -> Result<Vec<f32>, CheckpointError> {
        let stored = self.stored(name).expect("a tensor it has");
        let shape = self.checkpoint.tensor(&stored).expect("its shape").shape;
        let mut values = self.checkpoint.read_f32(&stored)?;
        (self.change)(name, &shape, &mut values);
        Ok(values)
    }
}
