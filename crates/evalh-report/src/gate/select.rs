//! What the names of a policy stand for in a record.

use super::{GateError, GateResult, Inputs, place::among};
use crate::compare::Role;
use evalh_record::{Part, ResultRow, SuiteSettings, VariantSettings};
use std::path::Path;

/// A rule's or limit's place in its policy, for messages.
#[derive(Clone, Copy)]
pub(super) struct Asker<'p> {
    pub path: &'p Path,
    pub line: usize,
    pub name: &'p str,
}

impl Asker<'_> {
    pub fn fault(self, field: &str, problem: String, remedy: String) -> GateError {
        GateError::Policy {
            path: self.path.to_owned(),
            place: format!("line {}, `{}`, field `{field}`", self.line, self.name),
            problem,
            remedy,
        }
    }
}

/// The suite of a name.
pub(super) fn suite<'r>(
    inputs: &Inputs<'r>,
    asker: Asker<'_>,
    name: &str,
) -> GateResult<&'r SuiteSettings> {
    let suites = &inputs.record.manifest.settings.suites;
    suites
        .iter()
        .find(|suite| suite.name == name)
        .ok_or_else(|| {
            let known: Vec<&str> = suites.iter().map(|suite| suite.name.as_str()).collect();
            asker.fault(
                "suite",
                format!("the run has no suite `{name}`"),
                format!("{}; or run it with --suite {name}", among(name, &known)),
            )
        })
}

/// A part of a suite by name, the whole where there is none: what it is, and its name in rows.
pub(super) fn part(
    inputs: &Inputs<'_>,
    asker: Asker<'_>,
    suite: &SuiteSettings,
    name: Option<&str>,
) -> GateResult<(Part, String)> {
    let Some(name) = name else {
        return Ok((Part::Whole, suite.name.clone()));
    };
    let of_suite = |row: &&ResultRow| row.suite == suite.name;
    let mut known: Vec<(Part, &str)> = Vec::new();
    for row in inputs.record.results.iter().filter(of_suite) {
        let part = (row.part, row.task.as_str());
        if !known.contains(&part) {
            known.push(part);
        }
    }
    // A group before a task of its name.
    let found = [Part::Whole, Part::Group, Part::Task]
        .into_iter()
        .find(|part| known.contains(&(*part, name)));
    found.map(|part| (part, name.to_owned())).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(_, name)| *name).collect();
        asker.fault(
            "part",
            format!(
                "the suite `{}` of the run has no group or task `{name}`",
                suite.name
            ),
            format!("{}; leave it out for the whole suite", among(name, &names)),
        )
    })
}

/// The variants of a name, `*` or a role, by their places.
pub(super) fn variants(
    inputs: &Inputs<'_>,
    asker: Asker<'_>,
    name: &str,
) -> GateResult<Vec<usize>> {
    let variants = &inputs.record.manifest.settings.variants;
    if let Some(place) = variants.iter().position(|variant| variant.name == name) {
        return Ok(vec![place]);
    }
    let by_role = name.parse::<Role>();
    let found: Vec<usize> = match (name, by_role) {
        ("*", _) => (0..variants.len())
            .filter(|&place| inputs.role(place) != Role::Base)
            .collect(),
        (_, Ok(role)) => (0..variants.len())
            .filter(|&place| inputs.role(place) == role)
            .collect(),
        _ => Vec::new(),
    };
    if !found.is_empty() {
        return Ok(found);
    }
    let with_roles: Vec<String> = (variants.iter().enumerate())
        .map(|(place, variant)| format!("{} ({})", variant.name, inputs.role(place)))
        .collect();
    let names: Vec<&str> = variants
        .iter()
        .map(|variant| variant.name.as_str())
        .collect();
    let there = format!("the run has {}", with_roles.join(", "));
    let (problem, remedy) = if name == "*" {
        (
            "the run has no variant beside the base".to_owned(),
            format!("name one, or run an adapter too; {there}"),
        )
    } else if name.parse::<Role>().is_ok() {
        (
            format!("no variant of the run has the role `{name}`"),
            format!("{there}; give a role with --role NAME={name}"),
        )
    } else {
        (
            format!("the run has no variant `{name}`"),
            match super::place::nearest(name, names) {
                Some(nearest) => format!("did you mean `{nearest}`? {there}"),
                None => there,
            },
        )
    };
    Err(asker.fault("variant", problem, remedy))
}

/// The base that a variant is compared with: the one on its checkpoint, else the first.
pub(super) fn base_of<'r>(
    inputs: &Inputs<'r>,
    asker: Asker<'_>,
    field: &str,
    place: usize,
) -> GateResult<&'r VariantSettings> {
    let variants = &inputs.record.manifest.settings.variants;
    let bases = || {
        (variants.iter().enumerate())
            .filter(|(other, _)| *other != place && inputs.role(*other) == Role::Base)
            .map(|(_, variant)| variant)
    };
    if inputs.role(place) == Role::Base {
        return Err(asker.fault(
            field,
            format!("`{}` is a base itself", variants[place].name),
            "name a variant that rests on it".to_owned(),
        ));
    }
    let checkpoint = &variants[place].checkpoint;
    bases()
        .find(|base| base.checkpoint == *checkpoint)
        .or_else(|| bases().next())
        .ok_or_else(|| {
            asker.fault(
                field,
                "the run has no base".to_owned(),
                "run the base too, or compare with a baseline".to_owned(),
            )
        })
}

/// A variant's row of a metric of a part; the headline's where no metric is named. A metric that is read out in several
/// ways must be named with the way.
pub(super) fn row<'r>(
    inputs: &Inputs<'r>,
    asker: Asker<'_>,
    (suite, part, task): (&str, Part, &str),
    variant: &str,
    metric: Option<&str>,
) -> GateResult<&'r ResultRow> {
    let rows: Vec<&ResultRow> = (inputs.record.results.iter())
        .filter(|row| {
            (
                row.suite.as_str(),
                row.part,
                row.task.as_str(),
                row.variant.as_str(),
            ) == (suite, part, task, variant)
        })
        .collect();
    let names: Vec<&str> = rows.iter().map(|row| row.metric.as_str()).collect();
    let Some(metric) = metric else {
        return rows.first().copied().ok_or_else(|| {
            asker.fault(
                "variant",
                format!("`{variant}` has no score of `{task}`"),
                "finish the run, or name another variant".to_owned(),
            )
        });
    };
    if let Some(row) = rows.iter().find(|row| row.metric == metric) {
        return Ok(row);
    }
    let by_name: Vec<&&ResultRow> = rows
        .iter()
        .filter(|row| row.metric_name() == metric)
        .collect();
    match by_name.as_slice() {
        [row] => Ok(row),
        [] => Err(asker.fault(
            "metric",
            format!("`{task}` has no metric `{metric}`"),
            among(metric, &names),
        )),
        _ => Err(asker.fault(
            "metric",
            format!("`{metric}` is read out in several ways"),
            format!("name one of {}", names.join("; ")),
        )),
    }
}
