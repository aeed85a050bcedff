//! Reports as files.

use super::Runs;
use crate::failure::{OrFail as _, Outcome};
use evalh_report::{
    Comparison, Figure, Image, export, figures, markdown,
    page::{PageInput, html},
};
use std::path::{Path, PathBuf};

/// The folder of plots beside a report.
const PLOTS: &str = "plots";

/// Writes `report.md` and `report.html` into a folder.
///
/// # Errors
/// When they cannot be written.
pub fn write_report(
    dir: &Path,
    runs: &Runs,
    comparison: &Comparison,
    texts: bool,
) -> Outcome<Vec<PathBuf>> {
    let report = markdown(comparison, &runs.each(), &[]);
    let page = page(runs, comparison, &figures(comparison), texts)?;
    Ok(vec![
        write(&dir.join("report.md"), &report)?,
        write(&dir.join("report.html"), &page)?,
    ])
}

/// Writes every form of report into a folder, which is made where it is not there: Markdown with its plots, HTML, JSON, CSV,
/// and lm-eval's results JSON of each variant of each run.
///
/// # Errors
/// When a file cannot be written.
pub fn write_all(
    dir: &Path,
    runs: &Runs,
    comparison: &Comparison,
    texts: bool,
) -> Outcome<Vec<PathBuf>> {
    let plots = dir.join(PLOTS);
    std::fs::create_dir_all(&plots).or_fail_to(|| format!("make {}", plots.display()))?;
    let figures = figures(comparison);
    let mut images = Vec::with_capacity(figures.len());
    for (place, figure) in figures.iter().enumerate() {
        let file = format!("{PLOTS}/{}-{}.svg", place + 1, slug(&figure.title));
        write(&dir.join(&file), &figure.svg)?;
        images.push(Image {
            title: figure.title.clone(),
            caption: figure.caption.clone(),
            file,
        });
    }
    let mut written = vec![
        write(
            &dir.join("report.md"),
            &markdown(comparison, &runs.each(), &images),
        )?,
        write(
            &dir.join("report.html"),
            &page(runs, comparison, &figures, texts)?,
        )?,
        write(&dir.join("comparison.json"), &export::json(comparison))?,
    ];
    for (name, table) in export::csv_files(comparison) {
        written.push(write(&dir.join(name), &table)?);
    }
    for run in runs.each() {
        for variant in &run.record.manifest.settings.variants {
            let results = export::lm_eval(run.record, &variant.name).or_fail()?;
            let name = format!("results_{}_{}.json", slug(run.name), slug(&variant.name));
            written.push(write(&dir.join(name), &format!("{results:#}\n"))?);
        }
    }
    Ok(written)
}

/// The page of a comparison.
///
/// # Errors
/// When its samples cannot be packed.
pub fn page(
    runs: &Runs,
    comparison: &Comparison,
    figures: &[Figure],
    texts: bool,
) -> Outcome<String> {
    let records: Vec<_> = runs.records.iter().collect();
    let input = PageInput {
        comparison,
        records: &records,
        items: &runs.items,
        figures,
        texts,
    };
    html(&input).or_fail()
}

/// A name as part of a file's.
fn slug(name: &str) -> String {
    let words = name
        .split(|c: char| !c.is_alphanumeric() && c != '.')
        .map(str::to_lowercase)
        .filter(|word| !word.trim_matches('.').is_empty());
    words.collect::<Vec<_>>().join("-")
}

fn write(path: &Path, text: &str) -> Outcome<PathBuf> {
    std::fs::write(path, text).or_fail_to(|| format!("write {}", path.display()))?;
    Ok(path.to_owned())
}
