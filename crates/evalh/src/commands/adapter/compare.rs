//! `evalh adapter compare`.

use super::{Base, open};
use crate::{
    failure::{Exit, OrFail as _, Outcome},
    flags::{AdapterCompareFlags, OutputFlags},
    inspect::{collapsed, natural},
    output::Console,
};
use evalh_adapter::{
    Adapter, AdapterUpdate,
    analysis::{Comparison, Intruders, ModuleComparison, Subspaces, compare as examine},
};
use evalh_report::aligned::{BOLD, Cell, DIM, PLAIN, aligned};
use serde_json::json;

/// Tells how two adapters relate.
///
/// # Errors
/// When one is damaged, they are of different models, or one does not fit the model.
pub fn compare(flags: &AdapterCompareFlags) -> Outcome<Exit> {
    let console = Console::new(OutputFlags {
        quiet: true,
        json: flags.json,
    });
    let (first, second) = (open(&flags.first)?, open(&flags.second)?);
    let base = match &flags.model {
        Some(model) => Some(Base::open(model, &[&first, &second], &console)?),
        None => None,
    };
    let update = |adapter: &Adapter| -> Outcome<AdapterUpdate> {
        match &base {
            Some(base) => adapter.resolve(&base.layout).or_fail(),
            None => Ok(adapter.unresolved()),
        }
    };
    let (one, two) = (update(&first)?, update(&second)?);
    let found = examine(&one, &two, base.as_ref().map(Base::model)).or_fail()?;
    say(&console, &found, flags);
    let found =
        serde_json::to_value(&found).or_fail_to(|| "write the findings as JSON".to_owned())?;
    console.machine(&json!({
        "first": flags.first,
        "second": flags.second,
        "model": flags.model,
        "found": found,
    }));
    Ok(Exit::Done)
}

fn say(console: &Console, found: &Comparison, flags: &AdapterCompareFlags) {
    let shared = found.modules.len();
    let cosine = found.cosine.map_or_else(
        || "none, as one of them is zero".to_owned(),
        |cosine| format!("{cosine:.4}"),
    );
    console.result(format_args!(
        "{shared} modules in both; cosine of the two updates over all modules: {cosine}"
    ));
    for (name, only) in [
        (&flags.first, &found.only_first),
        (&flags.second, &found.only_second),
    ] {
        if !only.is_empty() {
            console.result(format_args!(
                "only in {}: {}",
                name.display(),
                collapsed(only).join(", ")
            ));
        }
    }
    if shared > 0 {
        let intruders = found
            .modules
            .iter()
            .any(|module| module.intruders.is_some());
        let mut modules: Vec<_> = found.modules.iter().collect();
        modules.sort_by_key(|found| natural(&found.module));
        let rows = modules.into_iter().map(|found| row(found, intruders));
        let rows: Vec<_> = std::iter::once(titles(intruders)).chain(rows).collect();
        console.result(format_args!("\n{}", aligned(&rows, Console::style())));
    }
}

fn titles(intruders: bool) -> Vec<Cell> {
    let numbers = [
        "cosine",
        "norm A",
        "norm B",
        "outputs overlap",
        "angles",
        "inputs overlap",
        "angles",
    ];
    let intruders: &[&str] = if intruders {
        &["intruders A", "intruders B"]
    } else {
        &[]
    };
    std::iter::once(Cell::name("module", BOLD))
        .chain(
            numbers
                .iter()
                .chain(intruders)
                .map(|title| Cell::number(*title, BOLD)),
        )
        .collect()
}

fn row(found: &ModuleComparison, intruders: bool) -> Vec<Cell> {
    let plain = |text: String| Cell::number(text, PLAIN);
    let cosine = found
        .cosine
        .map_or_else(|| "\u{2013}".to_owned(), |cosine| format!("{cosine:.4}"));
    let mut cells = vec![
        Cell::name(&found.module, PLAIN),
        plain(cosine),
        plain(format!("{:.4}", found.norms[0])),
        plain(format!("{:.4}", found.norms[1])),
        plain(format!("{:.4}", found.outputs.overlap)),
        Cell::number(angles(&found.outputs), DIM),
        plain(format!("{:.4}", found.inputs.overlap)),
        Cell::number(angles(&found.inputs), DIM),
    ];
    if intruders {
        let counted = |which: usize| {
            let found = found.intruders.as_ref().map(|both| &both[which]);
            plain(found.map_or_else(|| "\u{2013}".to_owned(), of_looked_at))
        };
        cells.extend([counted(0), counted(1)]);
    }
    cells
}

fn of_looked_at(found: &Intruders) -> String {
    format!("{} of {}", found.count, found.cosines.len())
}

/// The smallest and the largest principal angle, in degrees.
fn angles(found: &Subspaces) -> String {
    match (found.angles.first(), found.angles.last()) {
        (Some(least), Some(most)) => {
            format!(
                "{:.0}\u{b0} to {:.0}\u{b0}",
                least.to_degrees(),
                most.to_degrees()
            )
        }
        _ => "\u{2013}".to_owned(),
    }
}
