//! What is still to be answered.

use super::book::Book;
use evalh_engine::Beside;
use evalh_model::LoraId;
use evalh_record::{Request, RunFolder, SampleKey};
use evalh_task::Task;

/// What the folder does not hold yet of the answers of a sitting's variants.
pub struct Open {
    /// The requests that any of them has to answer.
    pub requests: Vec<Request>,
    /// Places of each variant's requests among them.
    places: Vec<Vec<usize>>,
}

impl Open {
    /// Looks at what the folder holds of a task.
    pub fn of(task: &dyn Task, variants: &[String], book: &Book) -> Open {
        let is_done = |folder: &RunFolder, index: usize, variant: &str| {
            task.slot(index).is_some_and(|slot| {
                folder.done().contains(&SampleKey {
                    suite: task.suite().to_owned(),
                    variant: variant.to_owned(),
                    item: slot.item.to_owned(),
                    sample: slot.sample,
                })
            })
        };
        let mut open = Open {
            requests: Vec::new(),
            places: vec![Vec::new(); variants.len()],
        };
        book.folder(|folder| {
            for request in task.requests() {
                let mut anyone = false;
                for (variant, places) in variants.iter().zip(&mut open.places) {
                    if !is_done(folder, request.index, variant) {
                        places.push(open.requests.len());
                        anyone = true;
                    }
                }
                if anyone {
                    open.requests.push(request);
                }
            }
        });
        open
    }

    /// How many answers that is.
    pub fn answers(&self) -> u64 {
        self.places.iter().map(|places| places.len() as u64).sum()
    }

    /// The variants as the engine is asked, each with its adapter.
    pub fn beside(&self, adapters: &[Option<LoraId>]) -> Vec<Beside<'_>> {
        let variants = adapters.iter().zip(&self.places);
        variants
            .map(|(adapter, places)| Beside {
                adapter: *adapter,
                requests: places,
            })
            .collect()
    }
}
