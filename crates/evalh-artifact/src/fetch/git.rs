//! Files of a git repository at one commit.

use super::{Fetch, FetchError, Fetched, Job, command, short};
use crate::{FileSpec, GitSource, extract::decompressed};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

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
            job,
        };
        job.progress.start(&format!("git fetch {}", self.url), None);
        self.fetch_commit(&repository)?;
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
    /// Fetches the one commit, or, from a server that gives no single commits, the branches and tags.
    fn fetch_commit(&self, repository: &Repository<'_, '_>) -> Result<(), FetchError> {
        let mut init = repository
            .job
            .options
            .tools
            .command(&repository.job.options.tools.git);
        init.args(["init", "--quiet", "--bare"])
            .arg(&repository.dir);
        repository.run(&mut init)?;
        let mut shallow = repository.git();
        shallow.args([
            "fetch",
            "--quiet",
            "--no-tags",
            "--depth",
            "1",
            "--",
            &self.url,
            &self.commit,
        ]);
        if let Err(first) = repository.run(&mut shallow) {
            let mut whole = repository.git();
            whole.args([
                "fetch",
                "--quiet",
                "--",
                &self.url,
                "+refs/heads/*:refs/heads/*",
                "+refs/tags/*:refs/tags/*",
            ]);
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
}

/// A bare repository in a temporary folder.
struct Repository<'a, 'j> {
    dir: PathBuf,
    job: &'a Job<'j>,
}

impl Repository<'_, '_> {
    fn git(&self) -> Command {
        let tools = &self.job.options.tools;
        let mut command = tools.command(&tools.git);
        command
            .env("GIT_ALLOW_PROTOCOL", "https:http:ssh:git:file")
            .arg("--git-dir")
            .arg(&self.dir);
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
