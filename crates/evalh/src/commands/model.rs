//! `evalh model`.

use crate::{
    checkpoints,
    failure::{Exit, OrFail as _, Outcome},
    flags::{ModelCommand, ModelInspectFlags, OutputFlags},
    inspect::ModelFacts,
    output::{Console, number},
};
use evalh_report::aligned::{BOLD, Cell, DIM, PLAIN, aligned};

/// So much of a chat template is shown.
const TEMPLATE_LINES: usize = 3;
const TEMPLATE_WIDTH: usize = 100;
/// So many special tokens are shown.
const SPECIAL_TOKENS: usize = 8;

/// Tells what a checkpoint is.
///
/// # Errors
/// When it is missing or damaged.
pub fn model(command: &ModelCommand) -> Outcome<Exit> {
    let ModelCommand::Inspect(flags) = command;
    inspect(flags)
}

fn inspect(flags: &ModelInspectFlags) -> Outcome<Exit> {
    let console = Console::new(OutputFlags {
        quiet: true,
        json: flags.json,
    });
    let checkpoint = checkpoints::open(&flags.model, "`model inspect`", &console)?;
    let facts = ModelFacts::of(&checkpoint, flags.check)?;
    console.result(aligned(&summary(&facts), Console::style()));
    if let Some(template) = &facts.chat_template {
        console.result("\nchat template, its first lines");
        for line in template.lines().take(TEMPLATE_LINES) {
            console.result(format_args!("  {}", cut(line, TEMPLATE_WIDTH)));
        }
    }
    console.result("\nadapters can attach to");
    console.result(aligned(&modules(&facts), Console::style()));
    let damaged = facts
        .non_finite
        .as_ref()
        .is_some_and(|found| !found.is_empty());
    for tensor in facts.non_finite.iter().flatten() {
        let count = tensor.values;
        console.warn(format_args!(
            "{} has {count} values that are NaN or infinite; fetch the checkpoint again, or export it in bf16 or f32",
            tensor.tensor
        ));
    }
    let json = serde_json::to_value(&facts).or_fail_to(|| "write the facts as JSON".to_owned())?;
    console.machine(&json);
    Ok(if damaged { Exit::NotPassed } else { Exit::Done })
}

fn summary(facts: &ModelFacts) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    let mut add = |name: &str, value: String| {
        rows.push(vec![Cell::name(name, BOLD), Cell::name(&value, PLAIN)]);
    };
    let family = facts.family.as_deref().unwrap_or("not said");
    add("family", with_note(family, &facts.architectures.join(", ")));
    if let Some(reason) = &facts.unsupported {
        add("not supported", reason.clone());
    }
    let sizes = &facts.sizes;
    let known =
        |name: &str, value: Option<u64>| Some(format!("{name} {}", number::thousands(value?)));
    let experts = sizes.experts.map(|experts| {
        let used = sizes.experts_per_token.unwrap_or(1);
        format!("experts {experts}, {used} a token")
    });
    let heads = sizes.heads.map(|heads| {
        let of_keys = sizes.key_value_heads.unwrap_or(heads);
        let width = sizes
            .head_dim
            .map_or_else(String::new, |width| format!(" of {width}"));
        format!("heads {heads}{width}, {of_keys} for keys and values")
    });
    let parts = [
        known("layers", sizes.layers),
        known("hidden", sizes.hidden),
        known("MLP", sizes.inner),
        experts,
        heads,
        known("vocabulary", sizes.vocabulary),
    ];
    add(
        "sizes",
        parts
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" \u{b7} "),
    );
    let types: Vec<_> = facts
        .stored
        .iter()
        .map(|stored| format!("{} {}", number::thousands(stored.values), stored.dtype))
        .collect();
    add(
        "parameters",
        with_note(&number::thousands(facts.parameters), &types.join(", ")),
    );
    add("stored", number::bytes(facts.bytes));
    add("memory", memory(facts));
    let context = facts
        .context
        .map_or_else(|| "not said".to_owned(), |n| format!("{n} tokens"));
    add("context", context);
    add("tokenizer", tokenizer(facts));
    let template = facts.chat_template.as_ref();
    add(
        "chat template",
        template.map_or_else(
            || "none".to_owned(),
            |text| format!("yes, {} characters", text.len()),
        ),
    );
    add("generation", generation(facts));
    if let Some(found) = &facts.non_finite {
        let said = if found.is_empty() {
            "all finite"
        } else {
            "NaN or infinite values"
        };
        add("weights", said.to_owned());
    }
    rows
}

fn with_note(text: &str, note: &str) -> String {
    if note.is_empty() {
        text.to_owned()
    } else {
        format!("{text} ({note})")
    }
}

fn memory(facts: &ModelFacts) -> String {
    let mut parts = vec![format!(
        "weights at most {}",
        number::bytes(facts.memory.weights)
    )];
    if let Some(token) = facts.memory.key_value_per_token {
        parts.push(format!("keys and values {} a token", number::bytes(token)));
        parts.extend(facts.context.map(|context| {
            let whole = token.saturating_mul(context as u64);
            format!("{} for the whole context", number::bytes(whole))
        }));
    }
    parts.join(", ")
}

fn tokenizer(facts: &ModelFacts) -> String {
    let Some(tokenizer) = &facts.tokenizer else {
        return "none".to_owned();
    };
    let shown: Vec<_> = tokenizer
        .special
        .iter()
        .take(SPECIAL_TOKENS)
        .map(|token| format!("{} {}", token.id, token.text))
        .collect();
    let more = tokenizer.special.len().saturating_sub(SPECIAL_TOKENS);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let count = number::thousands(tokenizer.tokens as u64);
    format!(
        "{}, {count} tokens; special: {}{more}",
        tokenizer.kind,
        shown.join(", ")
    )
}

fn generation(facts: &ModelFacts) -> String {
    let found = &facts.generation;
    let ids: Vec<_> = found.eos_ids.iter().map(u32::to_string).collect();
    let mut parts = vec![match ids.as_slice() {
        [] => "no token ends a text".to_owned(),
        ids => format!("ends with {}", ids.join(", ")),
    }];
    parts.extend(found.bos_id.map(|id| format!("begins with {id}")));
    parts.extend(found.pad_id.map(|id| format!("pads with {id}")));
    parts.extend(found.settings.iter().cloned());
    parts.join("; ")
}

fn modules(facts: &ModelFacts) -> Vec<Vec<Cell>> {
    let titles = [Cell::name("module", BOLD), Cell::name("kind", BOLD)];
    let numbers = ["modules", "in", "out"].map(|title| Cell::number(title, BOLD));
    let header = titles.into_iter().chain(numbers).collect();
    let rows = facts.modules.iter().map(|pattern| {
        vec![
            Cell::name(&pattern.name, PLAIN),
            Cell::name(pattern.kind, DIM),
            Cell::number(pattern.modules.to_string(), PLAIN),
            Cell::number(pattern.in_features.to_string(), PLAIN),
            Cell::number(pattern.out_features.to_string(), PLAIN),
        ]
    });
    std::iter::once(header).chain(rows).collect()
}

/// The first characters of a line, without control characters.
fn cut(line: &str, width: usize) -> String {
    let shown: String = line
        .chars()
        .take(width)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if line.chars().nth(width).is_some() {
        format!("{shown}\u{2026}")
    } else {
        shown
    }
}
