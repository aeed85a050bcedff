//! Speed, memory and lost answers held against their limits: what was measured decides, without a test.

use super::{
    Case, Figures, GateResult, Inputs, Limit, Measure, Policy, Verdict, measure::Scope, select,
    select::Asker, words,
};
use evalh_record::{Answer, Finish, Outcome, Sample, SuiteSettings};

/// A measured value, for a share what was counted and of how many.
type Measured = (f64, Option<(usize, usize)>);

/// Judges a limit for everything that it names.
pub(super) fn judge(
    policy: &Policy,
    inputs: &Inputs<'_>,
    limit: &Limit,
    cases: &mut Vec<Case>,
) -> GateResult<()> {
    let name = limit.name.as_deref().unwrap_or(limit.measure.field());
    let asker = Asker {
        path: &policy.path,
        line: limit.line,
        name,
    };
    match limit.measure.scope() {
        Scope::Bench => {
            let value = latency(inputs, asker, limit.measure)?;
            cases.push(case(asker, limit, (None, None), (value, None)));
        }
        Scope::Variant => {
            for place in select::variants(inputs, asker, &limit.variant)? {
                let value = cost(inputs, asker, limit.measure, place)?;
                let variant = &inputs.record.manifest.settings.variants[place].name;
                cases.push(case(asker, limit, (None, Some(variant)), (value, None)));
            }
        }
        Scope::Suite => shares(inputs, asker, limit, cases)?,
    }
    Ok(())
}

/// A share of each suite that it applies to, for each variant.
fn shares(
    inputs: &Inputs<'_>,
    asker: Asker<'_>,
    limit: &Limit,
    cases: &mut Vec<Case>,
) -> GateResult<()> {
    let settings = &inputs.record.manifest.settings;
    let suites: Vec<&SuiteSettings> = match &limit.suite {
        Some(name) => vec![select::suite(inputs, asker, name)?],
        None => settings.suites.iter().collect(),
    };
    let places = select::variants(inputs, asker, &limit.variant)?;
    let before = cases.len();
    for suite in suites {
        for &place in &places {
            let variant = settings.variants[place].name.as_str();
            let samples: Vec<&Sample> = (inputs.record.samples.iter())
                .filter(|sample| sample.suite == suite.name && sample.variant == variant)
                .collect();
            if let Some((count, of)) = counted(limit.measure, suite, &samples) {
                let value = count as f64 / of as f64;
                let about = (Some(suite.name.as_str()), Some(variant));
                cases.push(case(asker, limit, about, (value, Some((count, of)))));
            }
        }
    }
    if cases.len() > before {
        return Ok(());
    }
    let what = match limit.measure {
        Measure::TimedOut | Measure::Crashed => "runs programs",
        Measure::TokenLimited => "generates answers",
        _ => "asks items",
    };
    Err(asker.fault(
        limit.measure.field(),
        match &limit.suite {
            Some(suite) => format!("is about nothing: `{suite}` is no suite that {what}"),
            None => format!("is about nothing: no suite of the run {what}"),
        },
        "leave the limit out, or run a suite that it is about".to_owned(),
    ))
}

/// How many there are, and of how many; `None` where a suite has none of what is counted.
fn counted(measure: Measure, suite: &SuiteSettings, samples: &[&Sample]) -> Option<(usize, usize)> {
    let count = |is: &dyn Fn(&Sample) -> bool| samples.iter().filter(|sample| is(sample)).count();
    let generated = |sample: &Sample| matches!(sample.answer, Answer::Generated(_));
    let (found, of) = match measure {
        Measure::TimedOut => (
            count(&|s| matches!(s.outcome, Some(Outcome::TimedOut))),
            count(&|s| s.outcome.is_some()),
        ),
        Measure::Crashed => (
            count(&|s| {
                matches!(
                    s.outcome,
                    Some(Outcome::Crashed { .. } | Outcome::OutOfMemory)
                )
            }),
            count(&|s| s.outcome.is_some()),
        ),
        Measure::TokenLimited => (
            count(&|s| matches!(&s.answer, Answer::Generated(g) if g.finish == Finish::Length)),
            count(&generated),
        ),
        Measure::Unanswered => {
            let asked = suite.items * suite.samples;
            let answered = count(&|s| match &s.answer {
                Answer::Generated(generation) => !generation.text.trim().is_empty(),
                _ => true,
            });
            (asked.saturating_sub(answered), asked)
        }
        Measure::TruncatedPrompts => (count(&|s| s.truncated_tokens > 0), samples.len()),
        _ => return None,
    };
    (of > 0).then_some((found, of))
}

/// A variant's speed or memory.
fn cost(inputs: &Inputs<'_>, asker: Asker<'_>, measure: Measure, place: usize) -> GateResult<f64> {
    let field = measure.field();
    let name = &inputs.record.manifest.settings.variants[place].name;
    let measured = |value: Option<f64>, of: &str, what: &str| {
        value.ok_or_else(|| {
            asker.fault(
                field,
                format!("the run has not measured {what} of `{of}`"),
                "leave the limit out, or run a suite that needs it".to_owned(),
            )
        })
    };
    let rate = |of: &str, measure: Measure| measured(rate(inputs, of, measure), of, measure.name());
    match measure {
        Measure::PrefillOfBase | Measure::DecodeOfBase => {
            let absolute = match measure {
                Measure::PrefillOfBase => Measure::PrefillRate,
                _ => Measure::DecodeRate,
            };
            let base = select::base_of(inputs, asker, field, place)?;
            Ok(rate(name, absolute)? / rate(&base.name, absolute)?)
        }
        Measure::PeakMemory => {
            let sittings = inputs.record.timings.sittings.iter();
            let peak = sittings
                .filter(|sitting| sitting.names().any(|of| of == name))
                .filter_map(|sitting| sitting.peak_memory_bytes)
                .max();
            let mib = peak.map(|bytes| bytes as f64 / f64::from(1 << 20));
            measured(mib, name, measure.name())
        }
        absolute => rate(name, absolute),
    }
}

/// Tokens a second of a variant's forward passes, over all sittings.
fn rate(inputs: &Inputs<'_>, name: &str, measure: Measure) -> Option<f64> {
    let (mut tokens, mut seconds) = (0, 0.0);
    let sittings = inputs.record.timings.sittings.iter();
    for of in sittings
        .flat_map(|sitting| &sitting.variants)
        .filter(|of| of.variant == name)
    {
        if measure == Measure::PrefillRate {
            tokens += of.prefill_tokens;
            seconds += of.prefill_seconds;
        } else {
            tokens += of.decode_tokens;
            seconds += of.decode_seconds;
        }
    }
    (tokens > 0 && seconds > 0.0).then(|| tokens as f64 / seconds)
}

fn latency(inputs: &Inputs<'_>, asker: Asker<'_>, measure: Measure) -> GateResult<f64> {
    let field = measure.field();
    let measure_it = "measure it with `evalh bench --model M --only requests --out DIR`, and give DIR/bench.json";
    let Some(bench) = inputs.bench else {
        return Err(asker.fault(
            field,
            "needs a measurement, and none is given".to_owned(),
            format!("{measure_it} with --bench"),
        ));
    };
    let checkpoints = &inputs.record.manifest.settings.checkpoints;
    if !checkpoints
        .iter()
        .any(|checkpoint| checkpoint.name == bench.model())
    {
        let names: Vec<&str> = checkpoints.iter().map(|of| of.name.as_str()).collect();
        return Err(asker.fault(
            field,
            format!(
                "the measurement is of `{}`, and the run is of {}",
                bench.model(),
                names.join(", ")
            ),
            "measure the run's checkpoint".to_owned(),
        ));
    }
    let Some(latency) = bench.latency() else {
        return Err(asker.fault(
            field,
            "the measurement has no requests".to_owned(),
            measure_it.to_owned(),
        ));
    };
    Ok(if measure == Measure::LatencyP50 {
        latency.p50
    } else {
        latency.p95
    })
}

fn case(
    asker: Asker<'_>,
    limit: &Limit,
    (suite, variant): (Option<&str>, Option<&str>),
    (value, counted): Measured,
) -> Case {
    let measure = limit.measure;
    let within = if measure.is_minimum() {
        value >= limit.value
    } else {
        value <= limit.value
    };
    let figures = Figures::Limit {
        measure,
        value,
        limit: limit.value,
        counted,
    };
    Case {
        name: match &limit.name {
            Some(name) => name.clone(),
            None => measure.name().to_owned(),
        },
        line: asker.line,
        suite: suite.map(str::to_owned),
        part: None,
        variant: variant.map(str::to_owned),
        verdict: if within { Verdict::Pass } else { Verdict::Fail },
        asked: words::asked(&figures),
        found: words::found(&figures),
        items_needed: None,
        notes: Vec::new(),
        figures,
    }
}
