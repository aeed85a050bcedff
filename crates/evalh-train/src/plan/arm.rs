//! `[[arm]]`: one way of training, over all seeds.

use super::super::select::Layers;
use super::{
    PlanResult, ProbePlan, Recipe,
    draft::{self, Draft},
    reader::Section,
    value::Value,
};
use evalh_record::training::{Method, TargetMetric};
use serde::Serialize;

const OWN_KEYS: [&str; 8] = [
    "name", "method", "quantize", "layers", "probe", "match", "of", "until",
];
/// Steps between two measurements of a target.
const EVERY: u64 = 10;

/// One way of training, over all seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    /// Its name; with a seed it names a training, `selective-s1`.
    pub name: String,
    /// Which parameters move.
    pub method: Method,
    /// What the frozen weights are rounded to at load.
    pub quantize: Option<String>,
    /// The layers that are trained.
    pub layers: ArmLayers,
    /// How it trains.
    pub recipe: Recipe,
    /// The arm whose wall time it spends, of the same seed.
    pub compute_of: Option<String>,
    /// The metric that it trains to.
    pub until: Option<Until>,
}

/// The layers that an arm trains.
#[derive(Debug, Clone, PartialEq)]
pub enum ArmLayers {
    /// All of them, a list, or those that a `layers.json` selects.
    Given(Layers),
    /// Those that a probe of the experiment selects.
    Probe(ProbePlan),
}

/// A metric and where a training stops.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Until {
    /// What is measured; lower is better.
    pub metric: TargetMetric,
    /// Reached when the metric is not above this.
    pub target: f64,
    /// Steps between two measurements.
    pub every: u64,
}

/// Every key of an arm.
pub(super) fn keys() -> Vec<&'static str> {
    OWN_KEYS.into_iter().chain(draft::KEYS).collect()
}

impl Arm {
    /// Reads an arm; `before` are those above it.
    pub(super) fn read(table: &Section<'_>, defaults: &Draft, before: &[Arm]) -> PlanResult<Arm> {
        let name = table.required("name", "name = \"selective\"", |value| name(value, before))?;
        let method = table.optional("method", |value| {
            value.one_of(&[("lora", Method::Lora), ("full", Method::Full)])
        })?;
        let method = method.unwrap_or(Method::Lora);
        let quantize = table.optional("quantize", |value| value.one_of(&[("nf4", "nf4")]))?;
        if method == Method::Full {
            if quantize.is_some() {
                return Err(table.wrong(
                    "quantize",
                    "is for frozen weights, and method = \"full\" trains them",
                    "leave it out, or write method = \"lora\"",
                ));
            }
            if let Some(key) = draft::adapter_key(table) {
                return Err(table.wrong(
                    key,
                    "is of an adapter, and method = \"full\" has none",
                    "leave it out, or write method = \"lora\"",
                ));
            }
        }
        Ok(Arm {
            name,
            method,
            quantize: quantize.map(str::to_owned),
            layers: layers(table)?,
            recipe: defaults.clone().with(table)?.whole(table)?,
            compute_of: compute_of(table, before)?,
            until: until(table)?,
        })
    }
}

fn name(value: &Value<'_, '_>, before: &[Arm]) -> PlanResult<String> {
    let name = value.text()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    let ends_well = name.ends_with(|c: char| c.is_ascii_alphanumeric());
    if !(name.chars().all(plain) && starts_well && ends_well) {
        return Err(value.wrong(
            format!("\"{name}\" cannot name a folder and a variant"),
            "use letters, digits, and - or _ between them",
        ));
    }
    if name == "base" {
        return Err(value.wrong(
            "\"base\" is the name of the model without training",
            "give the arm another name",
        ));
    }
    if before
        .iter()
        .any(|arm| arm.name.eq_ignore_ascii_case(&name))
    {
        return Err(value.wrong(
            format!("\"{name}\" is taken by an arm above"),
            "give each arm a name of its own",
        ));
    }
    Ok(name)
}

fn layers(table: &Section<'_>) -> PlanResult<ArmLayers> {
    let probe = table.optional("probe", ProbePlan::read)?;
    let layers = table.optional("layers", given)?;
    match (layers, probe) {
        (Some(_), Some(_)) => Err(table.wrong(
            "layers",
            "and `probe` both choose the layers",
            "write one of the two",
        )),
        (None, Some(probe)) => Ok(ArmLayers::Probe(probe)),
        (layers, None) => Ok(ArmLayers::Given(layers.unwrap_or(Layers::All))),
    }
}

fn given(value: &Value<'_, '_>) -> PlanResult<Layers> {
    let text = value.text()?;
    match text.parse() {
        Ok(Layers::File(path)) if path.extension().is_some_and(|end| end == "json") => {
            value.path().map(Layers::File)
        }
        Ok(Layers::File(_)) | Err(_) => Err(value.wrong(
            format!("\"{text}\" names no layers"),
            "write \"all\", numbers and ranges from 0 such as \"0-7,12\", or a layers.json of `evalh probe`",
        )),
        Ok(layers) => Ok(layers),
    }
}

fn compute_of(table: &Section<'_>, before: &[Arm]) -> PlanResult<Option<String>> {
    let matched = table.optional("match", |value| value.one_of(&[("compute", ())]))?;
    let of = table.optional("of", |value| {
        let of = value.text()?;
        if before.iter().any(|arm| arm.name == of) {
            return Ok(of);
        }
        let above: Vec<&str> = before.iter().map(|arm| arm.name.as_str()).collect();
        let remedy = if above.is_empty() {
            "put that arm above this one".to_owned()
        } else {
            format!("name an arm above this one: {}", above.join(", "))
        };
        Err(value.wrong(format!("\"{of}\" is no arm above this one"), remedy))
    })?;
    match (matched, of) {
        (Some(()), None) => {
            Err(table.missing("of", "of = \"standard\", the arm whose wall time is spent"))
        }
        (None, Some(_)) => Err(table.wrong(
            "of",
            "has no effect without `match`",
            "write match = \"compute\" beside it, or leave it out",
        )),
        (_, of) => Ok(of),
    }
}

fn until(table: &Section<'_>) -> PlanResult<Option<Until>> {
    let until = table.optional("until", |value| {
        let table = value.table(&["metric", "target", "every"])?;
        let metrics = [
            ("loss", TargetMetric::Loss),
            ("held_out_loss", TargetMetric::HeldOutLoss),
        ];
        Ok(Until {
            metric: table.required("metric", "metric = \"loss\"", |value| {
                value.one_of(&metrics)
            })?,
            target: table.required("target", "target = 1.2", Value::positive)?,
            every: table.optional("every", Value::count)?.unwrap_or(EVERY),
        })
    })?;
    if until.is_some() && table.get("match").is_some() {
        return Err(table.wrong(
            "until",
            "and `match` both say when the training ends",
            "write one of the two; an arm of its own can have the other",
        ));
    }
    Ok(until)
}
