//! Where each variant of the comparison answered: one base may stand for the bases of several runs.

use crate::page::{PageError, PageInput};
use evalh_record::{AdapterSettings, CheckpointSettings, Record, VariantSettings};

/// The runs of each variant, the first one first, and its name there.
pub(super) fn homes<'a>(input: &PageInput<'a>) -> Result<Vec<Vec<(usize, &'a str)>>, PageError> {
    let variants = &input.comparison.variants;
    let mut homes = Vec::new();
    for variant in variants {
        if variant.run >= input.records.len() {
            return Err(PageError::NoRecord {
                variant: variant.name.clone(),
                run: variant.run,
                given: input.records.len(),
            });
        }
        homes.push(vec![(variant.run, variant.name_in_run.as_str())]);
    }
    // What is left of a run's variants after those of its own stands for the same variant of an earlier run.
    for (run, record) in input.records.iter().enumerate() {
        for settings in &record.manifest.settings.variants {
            let is_taken = |home: &(usize, &str)| *home == (run, settings.name.as_str());
            if homes.iter().flatten().any(is_taken) {
                continue;
            }
            let same = (0..variants.len()).find(|place| {
                let (home, name) = homes[*place][0];
                let is_new_here = homes[*place].iter().all(|(of, _)| *of != run);
                is_new_here && is_same(input.records[home], name, record, settings)
            });
            if let Some(place) = same {
                homes[place].push((run, settings.name.as_str()));
            }
        }
    }
    Ok(homes)
}

/// Whether a variant of one run is the same checkpoint with the same adapter as one of another.
fn is_same(first: &Record, name: &str, record: &Record, settings: &VariantSettings) -> bool {
    let mut of_first = first.manifest.settings.variants.iter();
    of_first
        .find(|variant| variant.name == name)
        .is_some_and(|variant| parts(first, variant) == parts(record, settings))
}

fn parts<'r>(
    record: &'r Record,
    variant: &'r VariantSettings,
) -> (Option<&'r CheckpointSettings>, Option<&'r AdapterSettings>) {
    let mut checkpoints = record.manifest.settings.checkpoints.iter();
    let checkpoint = checkpoints.find(|of| of.name == variant.checkpoint);
    (checkpoint, variant.adapter.as_ref())
}
