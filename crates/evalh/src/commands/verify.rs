//! `evalh verify`.

use crate::{
    failure::{Exit, Failure, Outcome},
    flags::{Quantize, VerifyFlags},
    output::{Console, number},
    verify::{Found, Line, Proof, prove},
};
use anstyle::AnsiColor;
use evalh_model::LoadOptions;
use evalh_report::aligned::{BOLD, Cell, DIM, PLAIN, aligned};
use serde_json::{Value, json};

/// Differences relative to the largest value that float32 makes of many layers.
const OF_ROUNDING: f32 = 1e-5;

/// Compares checkpoints with their references.
///
/// # Errors
/// When a reference, a checkpoint or an adapter is missing, damaged or not supported.
pub fn verify(flags: &VerifyFlags) -> Outcome<Exit> {
    let console = Console::new(flags.output);
    if !(flags.tolerance.is_finite() && flags.tolerance >= 0.0) {
        return Err(Failure::new("make sense of the options")
            .cause(format!(
                "--tolerance {} is not a number of at least 0",
                flags.tolerance
            ))
            .help("1e-4 is the default; float32 programs differ by about 1e-5"));
    }
    if flags.model.is_some() && flags.dirs.len() > 1 {
        return Err(Failure::new("make sense of the options")
            .cause("--model names one checkpoint, and there are several folders")
            .help("verify the folders one by one"));
    }
    let options = LoadOptions {
        kernel: flags.kernel.choice(),
        precision: flags.precision.choice(),
        quantize: flags.quantize.map(Quantize::choice),
    };
    let mut proofs = Vec::new();
    for dir in &flags.dirs {
        let proof = prove(dir, flags.model.as_deref(), flags.device, options)?;
        say(&console, &proof, flags);
        proofs.push(proof);
    }
    let passed = proofs.iter().all(|proof| proof.passes(flags.tolerance));
    console.machine(&json!({
        "passed": passed,
        "tolerance": flags.tolerance,
        "folders": proofs.iter().map(|proof| for_machines(proof, flags.tolerance)).collect::<Vec<_>>(),
    }));
    Ok(if passed { Exit::Done } else { Exit::NotPassed })
}

fn say(console: &Console, proof: &Proof, flags: &VerifyFlags) {
    let by = proof.written_by.as_deref().unwrap_or("not said");
    console.result(format_args!(
        "{}: {}; reference by {by}",
        proof.folder.display(),
        proof.about,
    ));
    if !flags.output.quiet {
        let titles = ["tensor", "of"].map(|title| Cell::name(title, BOLD));
        let numbers =
            ["compared", "largest difference", "relative"].map(|title| Cell::number(title, BOLD));
        let header = titles
            .into_iter()
            .chain(numbers)
            .chain([Cell::name("", PLAIN)]);
        let mut rows: Vec<Vec<Cell>> = vec![header.collect()];
        rows.extend(proof.lines.iter().map(|line| {
            let mut cells = vec![Cell::name(&line.tensor, PLAIN), Cell::name(&line.of, DIM)];
            cells.extend(shown(&line.found));
            cells.push(verdict(line.found.passes(flags.tolerance)));
            cells
        }));
        console.result(aligned(&rows, Console::style()));
    }
    for note in &proof.notes {
        console.result(format_args!("note: {note}"));
    }
    if !proof.passes(flags.tolerance)
        && proof
            .lines
            .iter()
            .all(|line| explained(line, flags.tolerance))
    {
        console.result(
            "note: all that is beyond is within 1e-5 of the largest value, as float32 rounding in a deep model is; --dtype float64 of tools/write_reference.py tells how much of it is the reference's own",
        );
    }
    let failed = proof
        .lines
        .iter()
        .filter(|line| !line.found.passes(flags.tolerance))
        .count();
    let all = proof.lines.len();
    let tolerance = number::exponent(flags.tolerance);
    console.result(if failed == 0 {
        format!("passed: {all} of {all} within {tolerance}\n")
    } else {
        format!("not passed: {failed} of {all} beyond {tolerance}\n")
    });
}

/// Whether a comparison passes, or is beyond the tolerance by what rounding gives.
fn explained(line: &Line, tolerance: f32) -> bool {
    let rounding = matches!(line.found, Found::Numbers { relative, .. } if relative <= OF_ROUNDING);
    rounding || line.found.passes(tolerance)
}

fn shown(found: &Found) -> [Cell; 3] {
    let count = Cell::number(found.count().to_string(), DIM);
    let cell = |text: String| Cell::number(text, PLAIN);
    match *found {
        Found::Numbers {
            absolute, relative, ..
        } => [
            count,
            cell(number::exponent(absolute)),
            cell(number::exponent(relative)),
        ],
        Found::Tokens { places, same, gap } if same < places => [
            count,
            cell(format!(
                "{} other, logits {} apart",
                places - same,
                number::exponent(gap)
            )),
            cell(String::new()),
        ],
        Found::Tokens { .. } => [count, cell("same tokens".to_owned()), cell(String::new())],
        Found::Bits { different: 0, .. } => {
            [count, cell("same bits".to_owned()), cell(String::new())]
        }
        Found::Bits { different, .. } => [
            count,
            cell(format!("{different} of other bits")),
            cell(String::new()),
        ],
    }
}

fn verdict(passes: bool) -> Cell {
    let (text, colour) = if passes {
        ("ok", AnsiColor::Green)
    } else {
        ("beyond", AnsiColor::Red)
    };
    Cell::name(text, PLAIN.fg_color(Some(colour.into())))
}

fn for_machines(proof: &Proof, tolerance: f32) -> Value {
    let lines = proof.lines.iter().map(|line| {
        let mut value = json!({ "tensor": line.tensor, "of": line.of });
        if let (Value::Object(all), Value::Object(found)) = (&mut value, line.found.json()) {
            all.extend(found);
            all.insert("passed".to_owned(), line.found.passes(tolerance).into());
        }
        value
    });
    let footprint = proof.footprint.as_ref();
    json!({
        "folder": proof.folder,
        "passed": proof.passes(tolerance),
        "about": proof.about,
        "dtype": footprint.map(|held| &held.dtype),
        "parameters": footprint.map(|held| held.parameters),
        "bytes": footprint.map(|held| held.bytes),
        "written_by": proof.written_by,
        "comparisons": lines.collect::<Vec<_>>(),
        "notes": proof.notes,
    })
}
