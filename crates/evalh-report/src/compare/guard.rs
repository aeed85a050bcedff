//! Whether runs may be compared: what differs between them and can change a score.

use super::{CompareError, Forced, Run};
use evalh_record::{Difference, Settings};

/// What differs between the first run and each other one; an error unless that is allowed. Variants, checkpoints and
/// suites that only one of them has are what a comparison is for, and no difference.
pub(super) fn differing(runs: &[Run<'_>], force: bool) -> Result<Vec<Forced>, CompareError> {
    let Some((first, others)) = runs.split_first() else {
        return Err(CompareError::NoRun);
    };
    let mut forced = Vec::new();
    for run in others {
        let differences = between(
            &first.record.manifest.settings,
            &run.record.manifest.settings,
        );
        if !differences.is_empty() && !force {
            return Err(CompareError::Different {
                run: run.name.to_owned(),
                first: first.name.to_owned(),
                differences,
            });
        }
        forced.extend(differences.into_iter().map(|difference| Forced {
            run: run.name.to_owned(),
            field: difference.field,
            first: difference.recorded,
            here: difference.current,
        }));
    }
    Ok(forced)
}

/// What differs and can change a score of a suite that both have.
fn between(first: &Settings, here: &Settings) -> Vec<Difference> {
    // The types that weights are held in follow from the checkpoint, so they say something where it is the same one.
    let same_checkpoint = first.checkpoints.first().map(|of| &of.files)
        == here.checkpoints.first().map(|of| &of.files);
    let alike = |settings: &Settings| Settings {
        checkpoints: Vec::new(),
        variants: Vec::new(),
        suites: Vec::new(),
        dtype: if same_checkpoint {
            settings.dtype.clone()
        } else {
            String::new()
        },
        // A run without programs says nothing about the sandbox.
        sandbox: settings
            .sandbox
            .clone()
            .filter(|_| first.sandbox.is_some() && here.sandbox.is_some()),
        ..settings.clone()
    };
    let mut found = alike(first).differences(&alike(here));
    for suite in &first.suites {
        let of = |settings: &Settings| {
            let same = settings.suites.iter().filter(|of| of.name == suite.name);
            let same = same.cloned().collect();
            Settings {
                suites: same,
                ..alike(settings)
            }
        };
        let (there, here) = (of(first), of(here));
        if !here.suites.is_empty() {
            let field = |difference: Difference| Difference {
                field: difference.field.replace("suites[0]", &suite.name),
                ..difference
            };
            let differences = there.differences(&here).into_iter();
            found.extend(
                differences
                    .filter(|difference| difference.field.starts_with("suites[0]"))
                    .map(field),
            );
        }
    }
    found
}
