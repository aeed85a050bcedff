//! From records to a comparison.

use super::{
    Analysis, COMPARISON_SCHEMA, CompareError, ComparedSuite, Comparison, Options, Run, RunFacts,
    answers::Answered, guard::differing, measured::costs, over_models::replicated, paired::finding,
    suites::suite, variants::members,
};
use crate::{
    BenchFile,
    warnings::{Warning, warnings},
};
use evalh_record::Part;
use evalh_stats::holm;

/// Compares the variants of the runs, item by item.
///
/// # Errors
/// When there is nothing to compare, a role names no variant, or runs differ in what can change a score and that is not
/// allowed.
pub fn compare(runs: &[Run<'_>], options: &Options) -> Result<Comparison, CompareError> {
    let forced = differing(runs, options.force)?;
    let members = members(runs, &options.roles)?;
    let mut names: Vec<&str> = Vec::new();
    for run in runs {
        for suite in &run.record.manifest.settings.suites {
            if !names.contains(&suite.name.as_str()) {
                names.push(&suite.name);
            }
        }
    }
    let analysis = options.analysis;
    let mut suites: Vec<ComparedSuite> = Vec::new();
    let mut contradictions = Vec::new();
    for name in names {
        let answered = Answered::of(runs, &members, name);
        suites.extend(suite(&answered, &members, analysis));
        for of in &answered {
            contradictions.extend(of.contradicted_by.iter().map(|run| Warning {
                what: format!(
                    "{run} holds other answers of {} to {name} than an earlier run with the same settings",
                    members[of.variant].facts.name
                ),
                remedy: "the earlier run's are shown; one of the two folders was changed, or a machine computed wrongly: run it again".to_owned(),
            }));
        }
    }
    correct(&mut suites, analysis);
    let mut comparison = Comparison {
        schema: COMPARISON_SCHEMA,
        analysis,
        runs: runs.iter().map(facts).collect(),
        forced,
        replicated: replicated(&suites, &members, analysis.confidence),
        suites,
        costs: costs(runs, &members, &options.bench),
        variants: members.into_iter().map(|member| member.facts).collect(),
        warnings: contradictions,
    };
    let of_bench = options.bench.iter().flat_map(BenchFile::warnings);
    let warnings = warnings(&comparison, runs);
    comparison
        .warnings
        .extend(warnings.into_iter().chain(of_bench));
    Ok(comparison)
}

/// Corrects the p-values of all headlines as one family, and says what follows from each contrast.
fn correct(suites: &mut [ComparedSuite], analysis: Analysis) {
    let mut headlines = Vec::new();
    for suite in suites.iter_mut() {
        let wholes = suite
            .parts
            .iter_mut()
            .filter(|part| part.part == Part::Whole);
        let metrics = wholes.filter_map(|part| part.metrics.first_mut());
        let contrasts = metrics.flat_map(|metric| &mut metric.contrasts);
        headlines.extend(contrasts.filter(|contrast| contrast.p.is_some()));
    }
    let p: Vec<f64> = headlines.iter().filter_map(|contrast| contrast.p).collect();
    for (contrast, corrected) in headlines.into_iter().zip(holm(&p)) {
        contrast.p_holm = Some(corrected);
    }
    let metrics = suites
        .iter_mut()
        .flat_map(|suite| &mut suite.parts)
        .flat_map(|part| &mut part.metrics);
    for metric in metrics {
        for contrast in &mut metric.contrasts {
            contrast.finding = finding(contrast, metric.lower_is_better, analysis);
        }
    }
}

fn facts(run: &Run<'_>) -> RunFacts {
    let manifest = &run.record.manifest;
    RunFacts {
        name: run.name.to_owned(),
        command: manifest.provenance.command.clone(),
        evalh: manifest.settings.evalh.clone(),
        machine: manifest.provenance.machine.clone(),
        device: manifest.settings.device.clone(),
        kernel: manifest.settings.kernel.clone(),
        dtype: manifest.settings.dtype.clone(),
    }
}
