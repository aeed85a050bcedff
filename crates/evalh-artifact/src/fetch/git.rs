//! Files of a git repository at one commit.

use super::{Fetch, FetchError, Fetched, Job, command, short};
use crate::{FileSpec, GitSource, extract::decompressed};
use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::Command,
};

/// The repository's name in the temporary one.
const REMOTE: &str = "origin";
/// Leaves the content of files to later; servers that cannot do that send it at once.
const NO_CONTENT: &str = "--filter=blob:none";
/// How many objects one command asks for.
const MAX_OBJECTS: usize = 500;
/// The longest entry of a list that is read at once.
const MAX_ENTRY: u64 = 64 << 10;

impl Fetch for GitSource {
    fn label(&self) -> String {
        format!("git {} @ {}", self.url, short(&self.commit))
    }

    fn slug(&self) -> String {
        format!("git-{}", short(&self.commit).to_ascii_lowercase())
    }

    fn files(&self) -> &[FileSpec] {
        &self.files
    }

    fn fetch(&self, job: &Job<'_>) -> Result<Fetched, FetchError> {
        if job.options.offline {
            return Err(FetchError::Unavailable("offline was asked for".to_owned()));
        }
        let folder = job.staging.work_dir()?;
        let repository = Repository {
            dir: folder.path().join("repository"),
            url: &self.url,
            job,
        };
        job.progress.start(&format!("git fetch {}", self.url), None);
        self.fetch_commit(&repository)?;
        self.fetch_content(&repository)?;
        job.progress.finish();
        let mut fetched = Fetched {
            commit: Some(self.commit.clone()),
            ..Fetched::default()
        };
        for wanted in &job.wanted {
            let spec = wanted.spec;
            let object = format!("{}:{}", self.commit, spec.member());
            let from = format!("{} in {}", spec.member(), self.label());
            let mut cat = repository.git();
            cat.args(["cat-file", "blob", &object]);
            fetched.files.push(command::stream(&mut cat, |stdout| {
                let mut content = decompressed(stdout, spec.decompress);
                job.staging
                    .deposit(spec, wanted.expected, &mut content, &from, job.progress)
            })?);
        }
        Ok(fetched)
    }
}

impl GitSource {
    /// Fetches the one commit, or, from a server that gives no single commits, the branches and tags; without the
    /// content of files where the server can leave it out.
    fn fetch_commit(&self, repository: &Repository<'_, '_>) -> Result<(), FetchError> {
        let tools = &repository.job.options.tools;
        let mut init = tools.command(&tools.git);
        init.args(["init", "--quiet", "--bare"])
            .arg(&repository.dir);
        repository.run(&mut init)?;
        let mut shallow = repository.git();
        shallow
            .args(["fetch", "--quiet", "--no-tags", "--depth", "1"])
            .args([NO_CONTENT, REMOTE, &self.commit]);
        if let Err(first) = repository.run(&mut shallow) {
            let mut whole = repository.git();
            whole
                .args(["fetch", "--quiet", NO_CONTENT, REMOTE])
                .args(["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]);
            // The first reason is about what was asked for.
            repository.run(&mut whole).map_err(|_| first)?;
            let mut has = repository.git();
            has.args(["cat-file", "-e", &format!("{}^{{commit}}", self.commit)]);
            repository.run(&mut has).map_err(|_| {
                FetchError::Unavailable("the repository has no such commit".to_owned())
            })?;
        }
        Ok(())
    }

    /// Fetches the content of the wanted files at once, as far as it is not there; what this leaves out git fetches
    /// when it is read, file by file.
    fn fetch_content(&self, repository: &Repository<'_, '_>) -> Result<(), FetchError> {
        let wanted: BTreeSet<&str> = repository
            .job
            .wanted
            .iter()
            .map(|w| w.spec.member())
            .collect();
        if wanted.len() < 2 {
            return Ok(());
        }
        let mut blobs = BTreeSet::new();
        let mut list = repository.git();
        list.args(["ls-tree", "-r", "-z", &self.commit]);
        // MODE SP TYPE SP OBJECT TAB PATH
        lines(&mut list, 0, |entry| {
            if let Some((kind, path)) = entry.split_once('\t')
                && wanted.contains(path)
                && let Some((_, object)) = kind.rsplit_once(' ')
            {
                blobs.insert(object.to_owned());
            }
        })?;
        let mut missing = Vec::new();
        let mut objects = repository.git();
        objects.args(["rev-list", "--objects", "--missing=print", "--max-count=1"]);
        objects.arg(&self.commit);
        lines(&mut objects, b'\n', |entry| {
            missing.extend(
                entry
                    .strip_prefix('?')
                    .and_then(|object| blobs.take(object)),
            );
        })?;
        for objects in missing.chunks(MAX_OBJECTS) {
            let mut fetch = repository.git();
            fetch
                .args(["-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet"])
                .args(["--no-tags", "--no-write-fetch-head", NO_CONTENT, REMOTE])
                .args(objects);
            if repository.run(&mut fetch).is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// A bare repository in a temporary folder.
struct Repository<'a, 'j> {
    dir: PathBuf,
    url: &'a str,
    job: &'a Job<'j>,
}

impl Repository<'_, '_> {
    fn git(&self) -> Command {
        let tools = &self.job.options.tools;
        let mut command = tools.command(&tools.git);
        command
            .env("GIT_ALLOW_PROTOCOL", "https:http:ssh:git:file")
            .arg("--git-dir")
            .arg(&self.dir)
            .args(["-c", &format!("remote.{REMOTE}.url={}", self.url)])
            .args(["-c", &format!("remote.{REMOTE}.promisor=true")]);
        command
    }

    fn run(&self, git: &mut Command) -> Result<(), FetchError> {
        let watch: (&Path, _) = (&self.dir, self.job.progress);
        match command::run(git, Some(watch))? {
            None => Err(command::missing("git", "install git")),
            Some(finished) if finished.status.success() => Ok(()),
            Some(finished) => Err(FetchError::Unavailable(command::reason(&finished.stderr))),
        }
    }
}

/// Gives every entry of a program's output, which end in `end`; entries that are not UTF-8 are none of ours.
fn lines(git: &mut Command, end: u8, mut take: impl FnMut(&str)) -> Result<(), FetchError> {
    command::stream(git, |stdout| {
        let mut entry = Vec::new();
        let mut stdout = BufReader::new(stdout);
        loop {
            entry.clear();
            let read = stdout.by_ref().take(MAX_ENTRY).read_until(end, &mut entry);
            match read {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(e) => return Err(FetchError::Unavailable(format!("git: {e}"))),
            }
            let entry = entry.strip_suffix(&[end]).unwrap_or(&entry);
            std::str::from_utf8(entry).into_iter().for_each(&mut take);
        }
    })
}
