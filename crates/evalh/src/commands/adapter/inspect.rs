//! `evalh adapter inspect`.

use super::{Base, open};
use crate::{
    failure::{Exit, OrFail as _, Outcome},
    flags::{AdapterInspectFlags, OutputFlags},
    output::{Console, number},
};
use evalh_adapter::{
    Adapter, LoraConfig, TrainedBias,
    analysis::{Inspection, LayerMap, ModuleInspection, inspect as examine},
};
use evalh_report::aligned::{BOLD, Cell, DIM, PLAIN, aligned};
use serde_json::json;

/// Tells what an adapter is.
///
/// # Errors
/// When it is damaged, or does not fit the model.
pub fn inspect(flags: &AdapterInspectFlags) -> Outcome<Exit> {
    let console = Console::new(OutputFlags {
        quiet: true,
        json: flags.json,
    });
    let adapter = open(&flags.path)?;
    let base = match &flags.model {
        Some(model) => Some(Base::open(model, &[&adapter], &console)?),
        None => None,
    };
    let found = examine(&adapter, base.as_ref().map(Base::model)).or_fail()?;
    let style = Console::style();
    console.result(aligned(&summary(&adapter, &found), style));
    if !found.layers.rows.is_empty() {
        console.result(format_args!("\n{}", layer_map(&found.layers)));
    }
    if !found.modules.is_empty() {
        let rows = found.modules.iter().map(module);
        console.result(aligned(
            &std::iter::once(titles()).chain(rows).collect::<Vec<_>>(),
            style,
        ));
    }
    for module in &found.modules {
        if let Some(count) = module.base_non_finite.filter(|&count| count > 0) {
            console.warn(format_args!(
                "the model's {} has {count} values that are NaN or infinite; fetch the model again",
                module.module
            ));
        }
    }
    let found =
        serde_json::to_value(&found).or_fail_to(|| "write the findings as JSON".to_owned())?;
    console.machine(&json!({
        "adapter": flags.path,
        "model": flags.model,
        "settings": settings(adapter.config()),
        "found": found,
    }));
    Ok(Exit::Done)
}

fn settings(config: &LoraConfig) -> serde_json::Value {
    json!({
        "r": config.rank(),
        "alpha": config.alpha(),
        "rslora": config.use_rslora(),
        "dora": config.use_dora(),
        "bias": bias(config.bias()),
        "modules_to_save": config.modules_to_save(),
        "task": config.task(),
        "base_model": config.base_model(),
    })
}

fn bias(bias: TrainedBias) -> &'static str {
    match bias {
        TrainedBias::None => "none",
        TrainedBias::All => "all",
        TrainedBias::LoraOnly => "lora_only",
    }
}

fn summary(adapter: &Adapter, found: &Inspection) -> Vec<Vec<Cell>> {
    let config = adapter.config();
    let mut rows = Vec::new();
    let mut add = |name: &str, value: String| {
        rows.push(vec![Cell::name(name, BOLD), Cell::name(&value, PLAIN)]);
    };
    let mut kinds = vec![if config.use_dora() { "DoRA" } else { "LoRA" }.to_owned()];
    kinds.extend(config.use_rslora().then(|| "rank-stabilised".to_owned()));
    if config.bias() != TrainedBias::None {
        kinds.push(format!("bias {}", bias(config.bias())));
    }
    kinds.extend(config.task().map(|task| format!("for {task}")));
    add("kind", kinds.join(", "));
    add("base", config.base_model().unwrap_or("not said").to_owned());
    add("rank", range(found.modules.iter().map(|m| m.rank as f64)));
    add(
        "scale",
        range(found.modules.iter().map(|m| f64::from(m.scale))),
    );
    let totals = &found.totals;
    let mut parts = vec![format!(
        "adapter {}",
        number::thousands(totals.adapter as u64)
    )];
    for (name, count) in [("head", totals.head), ("other saved", totals.saved)] {
        if count > 0 {
            parts.push(format!("{name} {}", number::thousands(count as u64)));
        }
    }
    let share = match (totals.share_of_base, totals.base) {
        (Some(share), Some(base)) => {
            let base = number::thousands(base as u64);
            format!(", {:.3}% of the model's {base}", share * 100.0)
        }
        _ => String::new(),
    };
    let trained = number::thousands(totals.trained as u64);
    add(
        "parameters",
        format!("{trained} ({}){share}", parts.join(", ")),
    );
    for saved in &found.saved {
        add("saved whole", format!("{} {:?}", saved.tensor, saved.shape));
    }
    if !found.left_out.is_empty() {
        add(
            "left out",
            format!("{} modules that only images reach", found.left_out.len()),
        );
    }
    rows
}

/// One number, or the smallest and the largest.
fn range(values: impl Iterator<Item = f64> + Clone) -> String {
    let least = values.clone().fold(f64::INFINITY, f64::min);
    let most = values.fold(f64::NEG_INFINITY, f64::max);
    match (least, most) {
        (least, most) if least > most => "none".to_owned(),
        (least, most) if least < most => format!("{least} to {most}"),
        (only, _) => only.to_string(),
    }
}

/// A line a module and a column a layer.
fn layer_map(map: &LayerMap) -> String {
    let width = map
        .modules
        .iter()
        .map(String::len)
        .max()
        .unwrap_or(0)
        .max("layer".len());
    let tens: String = map
        .rows
        .iter()
        .map(|row| match row.layer {
            layer if layer % 10 == 0 => {
                char::from_digit((layer / 10 % 10) as u32, 10).unwrap_or(' ')
            }
            _ => ' ',
        })
        .collect();
    let ones = map.rows.iter().map(|row| (row.layer % 10).to_string());
    let ones: String = ones.collect();
    let mut lines = Vec::new();
    if map.rows.len() > 10 {
        lines.push(format!("{:width$}  {tens}", ""));
    }
    lines.push(format!("{:width$}  {ones}", "layer"));
    for (place, module) in map.modules.iter().enumerate() {
        let marks = map.rows.iter().map(|row| {
            if row.adapted[place] {
                '\u{25a0}'
            } else {
                '\u{b7}'
            }
        });
        lines.push(format!("{module:width$}  {}", marks.collect::<String>()));
    }
    if !map.outside.is_empty() {
        lines.push(format!("{:width$}  {}", "outside", map.outside.join(", ")));
    }
    lines.join("\n") + "\n"
}

fn titles() -> Vec<Cell> {
    let numbers = [
        "rank",
        "scale",
        "parameters",
        "norm",
        "of the weight's",
        "effective rank",
        "A from orthogonal",
        "B from orthogonal",
    ];
    std::iter::once(Cell::name("module", BOLD))
        .chain(numbers.map(|title| Cell::number(title, BOLD)))
        .collect()
}

fn module(found: &ModuleInspection) -> Vec<Cell> {
    let optional = |value: Option<f64>, digits: usize| {
        let text = value.map_or_else(
            || "\u{2013}".to_owned(),
            |value| format!("{value:.digits$}"),
        );
        Cell::number(text, PLAIN)
    };
    let share = found.relative_norm.map_or_else(
        || "\u{2013}".to_owned(),
        |share| format!("{:.2}%", share * 100.0),
    );
    vec![
        Cell::name(&found.module, PLAIN),
        Cell::number(found.rank.to_string(), PLAIN),
        Cell::number(found.scale.to_string(), PLAIN),
        Cell::number(number::thousands(found.parameters as u64), DIM),
        Cell::number(format!("{:.4}", found.norm), PLAIN),
        Cell::number(share, PLAIN),
        Cell::number(format!("{:.2}", found.effective_rank), PLAIN),
        optional(found.orthogonality_a, 3),
        optional(found.orthogonality_b, 3),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_has_a_column_for_every_layer() {
        let modules = [
            "m.layers.0.q",
            "m.layers.11.mlp.up",
            "m.layers.11.q",
            "head",
        ];
        let map = LayerMap::of(modules.into_iter(), 12);
        assert_eq!(
            layer_map(&map),
            "         0         1 \n\
             layer    012345678901\n\
             mlp.up   \u{b7}\u{b7}\u{b7}\u{b7}\u{b7}\u{b7}\u{b7}\u{b7}\u{b7}\u{b7}\u{b7}\u{25a0}\n\
             q        \u{25a0}\u{b7}\u{b7}\u{b7}\u{b7}\u{b7}\u{b7}\u{b7}\u{b7}\u{b7}\u{b7}\u{25a0}\n\
             outside  head\n"
                .replace("mlp.up   ", "mlp.up  ")
                .replace("layer    ", "layer   ")
                .replace("q        ", "q       ")
                .replace("         0", "        0")
        );
    }

    #[test]
    fn a_range_is_one_number_where_it_can_be() {
        assert_eq!(range([4.0, 4.0].into_iter()), "4");
        assert_eq!(range([4.0, 0.5].into_iter()), "0.5 to 4");
        assert_eq!(range(std::iter::empty()), "none");
    }
}
