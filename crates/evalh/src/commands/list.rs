//! `evalh list`.

use crate::{
    artifacts::Artifacts,
    failure::{Exit, OrFail as _, Outcome},
    flags::{ListFlags, Listing, OutputFlags},
    output::Console,
};
use evalh_artifact::{CacheState, Kind, Manifest};
use serde::Serialize;

/// One listed thing.
#[derive(Serialize)]
struct Row {
    name: String,
    kind: &'static str,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    licence: Option<String>,
    state: String,
}

/// Lists artifacts with what the cache holds of them.
///
/// # Errors
/// When the cache cannot be read.
pub fn list(flags: &ListFlags) -> Outcome<Exit> {
    let console = Console::new(OutputFlags {
        quiet: true,
        json: flags.json,
    });
    let artifacts = Artifacts::new(&console, true)?;
    let rows = match flags.what {
        Listing::Models => of_catalog(&artifacts, Some(Kind::Model)),
        Listing::Suites => suites(&artifacts),
        Listing::Artifacts => of_catalog(&artifacts, None),
    }?;
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    for row in &rows {
        console.result(format_args!("{:width$}  {}", row.name, row.description));
        let licence = row
            .licence
            .as_ref()
            .map_or_else(String::new, |licence| format!("{licence}; "));
        console.result(format_args!("{:width$}  {licence}{}", "", row.state));
    }
    let json = serde_json::to_value(&rows).or_fail_to(|| "write the list as JSON".to_owned())?;
    console.machine(&json);
    Ok(Exit::Done)
}

fn of_catalog(artifacts: &Artifacts<'_>, kind: Option<Kind>) -> Outcome<Vec<Row>> {
    artifacts
        .catalog()
        .iter(kind)
        .map(|manifest| row(artifacts, manifest))
        .collect()
}

fn suites(artifacts: &Artifacts<'_>) -> Outcome<Vec<Row>> {
    let suites = evalh_task::suites().iter();
    suites
        .map(|suite| {
            let row = match suite.artifact() {
                Some(artifact) => row(artifacts, artifacts.catalog().get(artifact).or_fail()?)?,
                None => Row {
                    name: String::new(),
                    kind: "suite",
                    description: String::new(),
                    licence: None,
                    state: "part of evalh".to_owned(),
                },
            };
            Ok(Row {
                name: suite.name().to_owned(),
                description: suite.description().to_owned(),
                ..row
            })
        })
        .collect()
}

fn row(artifacts: &Artifacts<'_>, manifest: &Manifest) -> Outcome<Row> {
    let state = artifacts
        .catalog()
        .state(&manifest.name, artifacts.cache_dir())
        .or_fail()?;
    Ok(Row {
        name: manifest.name.clone(),
        kind: match manifest.kind {
            Kind::Model => "model",
            Kind::Suite => "suite",
            Kind::Runtime => "runtime",
        },
        description: manifest.description.clone(),
        licence: Some(manifest.licence.clone()),
        state: match state {
            CacheState::Absent => "not fetched".to_owned(),
            CacheState::Cached { origin, bytes, .. } => {
                format!("cached, {:.1} MB from {}", bytes as f64 / 1e6, origin.label)
            }
            CacheState::Unverified { .. } => {
                "in the cache, to be checked by the next pull".to_owned()
            }
        },
    })
}
