//! Whether a run may be held against a baseline.

use super::Baseline;
use evalh_record::{CheckpointSettings, Difference, Settings, SuiteSettings};

/// What differs between a baseline and a run on these suites and can change a score: the suites' settings, the base
/// checkpoint, device, kernels, number types, the sandbox where both ran programs, the version of evalh. Adapters and other
/// checkpoints are what is judged, so they may differ. So may the moment that a chat template is told as now:
/// no two runs share it.
pub fn comparable(baseline: &Baseline, run: &Settings, suites: &[&str]) -> Vec<Difference> {
    let both = |name: &str| Some((suite(&baseline.settings, name)?, suite(run, name)?));
    let (then, now): (Vec<_>, Vec<_>) = suites.iter().filter_map(|name| both(name)).unzip();
    let names: Vec<String> = now.iter().map(|suite| suite.name.clone()).collect();
    let programs = baseline.settings.sandbox.is_some() && run.sandbox.is_some();
    let mut found =
        reduced(&baseline.settings, then, programs).differences(&reduced(run, now, programs));
    for difference in &mut found {
        difference.field = readable(&difference.field, &names);
    }
    found
}

fn suite(settings: &Settings, name: &str) -> Option<SuiteSettings> {
    settings.suites.iter().find(|s| s.name == name).cloned()
}

/// The settings without what is judged. What a checkpoint is called changes no score.
fn reduced(settings: &Settings, suites: Vec<SuiteSettings>, programs: bool) -> Settings {
    let checkpoints = base(settings).map(|checkpoint| CheckpointSettings {
        name: String::new(),
        chat_template_moment: None,
        ..checkpoint.clone()
    });
    Settings {
        suites,
        checkpoints: checkpoints.into_iter().collect(),
        variants: Vec::new(),
        sandbox: settings.sandbox.clone().filter(|_| programs),
        ..settings.clone()
    }
}

/// The moment that the base checkpoint's chat template was told as now, where it asks.
pub(crate) fn moment(settings: &Settings) -> Option<i64> {
    base(settings)?.chat_template_moment
}

/// The checkpoint that the first variant rests on.
fn base(settings: &Settings) -> Option<&CheckpointSettings> {
    let name = &settings.variants.first()?.checkpoint;
    settings.checkpoints.iter().find(|of| of.name == *name)
}

/// `suite mmlu: limit` for `suites[0].limit`, `base checkpoint: files[0].sha256` for `checkpoints[0].files[0].sha256`.
fn readable(field: &str, suites: &[String]) -> String {
    if let Some(rest) = field.strip_prefix("checkpoints[0].") {
        return format!("base checkpoint: {rest}");
    }
    let named = field.strip_prefix("suites[").and_then(|rest| {
        let (place, rest) = rest.split_once("].")?;
        let name = suites.get(place.parse::<usize>().ok()?)?;
        Some(format!("suite {name}: {rest}"))
    });
    named.unwrap_or_else(|| field.to_owned())
}
