//! What the scores rest on.

use super::escape::{fenced, text};
use crate::{compare::Run, number::count_of};
use evalh_record::{FileIdentity, Record};
use std::fmt::Write as _;

/// The command, versions, and every file by its hash.
pub(super) fn section(out: &mut String, run: &Run<'_>, named: bool) {
    let record = run.record;
    let settings = &record.manifest.settings;
    let provenance = &record.manifest.provenance;
    let of = if named {
        format!(" of {}", text(run.name))
    } else {
        String::new()
    };
    let _ = writeln!(
        out,
        "## Provenance{of}\n\n{}\n",
        fenced(&provenance.command)
    );
    let _ = writeln!(
        out,
        "evalh {}, device {}, kernel {}, weights held in {}, {} threads{}.\n",
        text(&settings.evalh),
        text(&settings.device),
        text(&settings.kernel),
        text(&settings.dtype),
        provenance.threads,
        if provenance.machine.is_empty() {
            String::new()
        } else {
            format!(", on {}", text(&provenance.machine))
        },
    );
    let _ = writeln!(out, "<details><summary>Files and hashes</summary>\n");
    for checkpoint in &settings.checkpoints {
        let _ = writeln!(
            out,
            "- checkpoint **{}**: {} parameters, stored as {}{}",
            text(&checkpoint.name),
            count_of(checkpoint.parameters),
            text(&checkpoint.stored),
            checkpoint
                .quantized
                .as_ref()
                .map_or_else(String::new, |to| format!(
                    ", linears rounded to {} at load",
                    text(to)
                ))
        );
        files(out, record, &checkpoint.files);
        if let Some(hash) = &checkpoint.chat_template_sha256 {
            let _ = writeln!(out, "  - chat template, sha256 `{hash}`");
        }
    }
    for variant in &settings.variants {
        if let Some(adapter) = &variant.adapter {
            let _ = writeln!(
                out,
                "- adapter **{}**: {} on {}, {} modules, {} parameters",
                text(&variant.name),
                text(&adapter.apply),
                text(&variant.checkpoint),
                count_of(adapter.modules as u64),
                count_of(adapter.parameters)
            );
            for part in &adapter.parts {
                if adapter.parts.len() > 1 {
                    let _ = writeln!(out, "  - times {}:", part.weight);
                }
                files(out, record, &part.files);
            }
        }
    }
    for suite in &settings.suites {
        let _ = writeln!(out, "- suite **{}**", text(&suite.name));
        files(out, record, &suite.data);
    }
    if let Some(sandbox) = &settings.sandbox {
        let limits: Vec<_> = sandbox
            .limits
            .iter()
            .map(|(name, limit)| text(&format!("{name} {limit}")))
            .collect();
        let _ = writeln!(
            out,
            "- sandbox: runtime sha256 `{}`; limits of a program: {}",
            sandbox.runtime_sha256,
            limits.join(", ")
        );
    }
    let _ = writeln!(out, "\n</details>");
}

/// A source without the names of this machine's folders: what is reported may be published.
fn public(source: &str) -> String {
    match source.strip_prefix("path ") {
        Some(path) => {
            let last = path.rsplit(['/', '\\']).find(|part| !part.is_empty());
            format!(
                "a path of the user's, \u{2026}/{}",
                last.unwrap_or_default()
            )
        }
        None => source.to_owned(),
    }
}

fn files(out: &mut String, record: &Record, files: &[FileIdentity]) {
    for file in files {
        let origin = record
            .manifest
            .provenance
            .origins
            .iter()
            .find(|origin| origin.name == file.name && origin.sha256 == file.sha256);
        let source = origin.map_or_else(String::new, |origin| {
            let first = if origin.first_use {
                "; hash taken on first use"
            } else {
                ""
            };
            format!(" (from {}{first})", text(&public(&origin.source)))
        });
        let _ = writeln!(
            out,
            "  - {}, {} bytes, sha256 `{}`{source}",
            text(&file.name),
            count_of(file.bytes),
            file.sha256
        );
    }
}
