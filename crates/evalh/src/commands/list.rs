//! `evalh list`.

use crate::{
    artifacts::Artifacts,
    failure::{Exit, OrFail as _, Outcome},
    flags::{ListFlags, Listing, OutputFlags},
    output::Console,
};
use evalh_artifact::{CacheState, Kind, Manifest, Source};
use evalh_task::{DataSource, ModelKind, Suite, packs};
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
    #[serde(skip_serializing_if = "Option::is_none")]
    suite: Option<SuiteRow>,
}

/// What a suite has beside its data.
#[derive(Serialize)]
struct SuiteRow {
    protocols: Vec<String>,
    split: String,
    items: Option<usize>,
    shots: usize,
    metrics: Vec<String>,
    answered_by: &'static str,
    runs_programs: bool,
    sources: Vec<String>,
}

impl SuiteRow {
    /// One line of it.
    fn line(&self) -> String {
        let mut parts = vec![match (self.items, self.split.as_str()) {
            (Some(items), "") => format!("{items} items"),
            (Some(items), split) => format!("{items} items of {split}"),
            (None, _) => "your own items".to_owned(),
        }];
        if self.shots > 0 {
            parts.push(format!("{} shots", self.shots));
        }
        parts.push(self.metrics.join(", "));
        parts.push(format!("protocols {}", self.protocols.join(", ")));
        parts.push(format!("for {}s", self.answered_by));
        parts.join("; ")
    }
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
        if let Some(suite) = &row.suite {
            console.result(format_args!("{:width$}  {}", "", suite.line()));
        }
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
    let suites = evalh_task::suites();
    let mut rows = suites
        .iter()
        .map(|suite| suite_row(artifacts, &**suite))
        .collect::<Outcome<Vec<_>>>()?;
    rows.extend(packs().into_iter().map(|pack| {
        let names: Vec<_> = pack.suites.iter().map(|part| part.name.as_str()).collect();
        Row {
            state: names.join(", "),
            ..plain(&pack.name, "pack", &pack.description)
        }
    }));
    Ok(rows)
}

fn suite_row(artifacts: &Artifacts<'_>, suite: &dyn Suite) -> Outcome<Row> {
    let (data, sources) = match suite.data() {
        DataSource::Artifact(artifact) => {
            let manifest = artifacts.catalog().get(&artifact).or_fail()?;
            let sources = manifest.sources.iter().map(Source::label).collect();
            (row(artifacts, manifest)?, sources)
        }
        DataSource::BuiltIn => (
            Row {
                state: "part of evalh".to_owned(),
                ..plain("", "suite", "")
            },
            Vec::new(),
        ),
        DataSource::User | DataSource::Folder(_) => (
            Row {
                state: "data of yours, by --data".to_owned(),
                ..plain("", "suite", "")
            },
            Vec::new(),
        ),
    };
    let facts = suite.facts();
    // The default stands first.
    let default = suite.default_protocol(false);
    let others = suite
        .protocols()
        .into_iter()
        .filter(|other| *other != default);
    let protocols = std::iter::once(default)
        .chain(others)
        .map(str::to_owned)
        .collect();
    Ok(Row {
        name: suite.name().to_owned(),
        description: suite.description().to_owned(),
        suite: Some(SuiteRow {
            protocols,
            split: facts.split,
            items: facts.items,
            shots: facts.shots,
            metrics: facts.metrics,
            answered_by: match suite.answered_by() {
                ModelKind::Decoder => "decoder",
                ModelKind::Encoder => "encoder",
            },
            runs_programs: suite.runs_programs(),
            sources,
        }),
        ..data
    })
}

fn plain(name: &str, kind: &'static str, description: &str) -> Row {
    Row {
        name: name.to_owned(),
        kind,
        description: description.to_owned(),
        licence: None,
        state: String::new(),
        suite: None,
    }
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
        suite: None,
    })
}
