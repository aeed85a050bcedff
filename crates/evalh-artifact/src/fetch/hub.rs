//! A repository of the Hugging Face hub.

use super::{
    Fetch, FetchError, Fetched, Job, Wanted,
    command::without_credentials,
    is_commit, short,
    transfer::{self, Complete, Download},
};
use crate::{
    ArtifactError, FileSpec, HubRepoType, HubSettings, HubSource, Sha256, cache::Staged,
    extract::decompressed,
};
use hf_hub::{Repo, RepoType, api::sync::ApiBuilder};
use serde::Deserialize;
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::Duration,
};
use ureq::{Agent, http::StatusCode};

/// The longest list of a repository's files that is read.
const MAX_INFO: u64 = 16 << 20;
/// How long the list may take.
const INFO_TIME: Duration = Duration::from_secs(30);

impl Fetch for HubSource {
    fn label(&self) -> String {
        format!(
            "hub {} @ {}",
            self.repo,
            if self.pinned() {
                short(&self.revision)
            } else {
                &self.revision
            }
        )
    }

    fn slug(&self) -> String {
        let revision = if self.pinned() {
            short(&self.revision)
        } else {
            &self.revision
        };
        format!("hub-{}-{}", self.repo, revision).replace('/', "--")
    }

    fn files(&self) -> &[FileSpec] {
        &self.files
    }

    fn fetch(&self, job: &Job<'_>) -> Result<Fetched, FetchError> {
        let snapshot = self.snapshot(job)?;
        let files: Result<Vec<Staged>, FetchError> = job
            .wanted
            .iter()
            .map(|wanted| snapshot.file(wanted))
            .collect();
        Ok(Fetched {
            files: files?,
            label: Some(format!("hub {} @ {}", self.repo, short(&snapshot.commit))),
            commit: Some(snapshot.commit),
            ..Fetched::default()
        })
    }
}

impl HubSource {
    fn pinned(&self) -> bool {
        is_commit(&self.revision)
    }

    fn repo(&self, revision: &str) -> Repo {
        let repo_type = match self.repo_type {
            HubRepoType::Model => RepoType::Model,
            HubRepoType::Dataset => RepoType::Dataset,
        };
        Repo::with_revision(self.repo.clone(), repo_type, revision.to_owned())
    }

    /// The repository's path on the site.
    fn address(&self) -> String {
        self.repo(&self.revision).url()
    }

    /// The repository's page, for people.
    fn page(&self, settings: &HubSettings) -> String {
        without_credentials(&format!("{}/{}", settings.endpoint, self.address()))
    }

    /// Settles the commit, asking the hub where the manifest does not say all.
    fn snapshot<'a>(&'a self, job: &'a Job<'a>) -> Result<Snapshot<'a>, FetchError> {
        let settings = &job.options.hub;
        let offline = job.options.offline || settings.offline;
        // Files are fetched again at the commit that they were first fetched at.
        let recorded = job.recorded.and_then(|origin| origin.commit.as_deref());
        let revision = if self.pinned() {
            &self.revision
        } else {
            recorded.unwrap_or(&self.revision)
        };
        let told = |wanted: &Wanted<'_>| wanted.expected.is_some() && wanted.spec.bytes.is_some();
        let info = if offline || is_commit(revision) && job.wanted.iter().all(told) {
            None
        } else {
            Some(self.info(job, revision)?)
        };
        let commit = match &info {
            _ if is_commit(revision) => revision.to_owned(),
            Some(info) => info.sha.clone(),
            None => self
                .cached_commit(job)
                .ok_or_else(|| offline_reason(job, "and the commit"))?,
        };
        let page = self.page(settings);
        Ok(Snapshot {
            source: self,
            job,
            offline,
            commit,
            info,
            agent: transfer::agent(settings)?,
            page,
        })
    }

    fn api(&self, job: &Job<'_>, revision: &str) -> Result<hf_hub::api::sync::ApiRepo, FetchError> {
        let settings = &job.options.hub;
        // The crate's own cache is not used; its folder is only a required argument.
        let api = ApiBuilder::from_cache(hf_hub::Cache::new(PathBuf::new()))
            .with_endpoint(settings.endpoint.clone())
            .with_token(settings.token.clone())
            .with_user_agent("evalh", env!("CARGO_PKG_VERSION"))
            .with_progress(false)
            .build()
            .map_err(|e| FetchError::Unavailable(e.to_string()))?;
        Ok(api.repo(self.repo(revision)))
    }

    /// The commit that the revision stands for, and the hashes of the large files.
    fn info(&self, job: &Job<'_>, revision: &str) -> Result<Info, FetchError> {
        let settings = &job.options.hub;
        let request = self
            .api(job, revision)?
            .info_request()
            .query("blobs", "true");
        let mut response = request
            .config()
            .tls_config(transfer::tls(settings)?)
            .timeout_global(Some(INFO_TIME))
            .http_status_as_error(false)
            .build()
            .call()
            .map_err(|e| FetchError::Unavailable(transfer::describe(&e)))?;
        if response.status() != StatusCode::OK {
            let page = self.page(settings);
            return Err(transfer::refusal(
                response.status(),
                settings.token.is_some(),
                &page,
            ));
        }
        let text = response
            .body_mut()
            .with_config()
            .limit(MAX_INFO)
            .read_to_vec()
            .map_err(|e| FetchError::Unavailable(transfer::describe(&e)))?;
        let info: Info = serde_json::from_slice(&text).map_err(|e| {
            FetchError::Unavailable(format!("the list of files is not understood: {e}"))
        })?;
        if !is_commit(&info.sha) {
            return Err(FetchError::Unavailable(format!(
                "`{}` is not a commit",
                info.sha.escape_debug()
            )));
        }
        Ok(info)
    }

    /// The commit that another tool last resolved the revision to.
    fn cached_commit(&self, job: &Job<'_>) -> Option<String> {
        let folder = job
            .options
            .hub
            .cache
            .as_ref()?
            .join(self.repo(&self.revision).folder_name());
        let commit = fs::read_to_string(folder.join("refs").join(&self.revision)).ok()?;
        Some(commit.trim().to_owned()).filter(|commit| is_commit(commit))
    }
}

/// A commit of a repository, whose files are taken one by one.
struct Snapshot<'a> {
    source: &'a HubSource,
    job: &'a Job<'a>,
    offline: bool,
    commit: String,
    info: Option<Info>,
    agent: Agent,
    /// The repository's page.
    page: String,
}

impl Snapshot<'_> {
    fn file(&self, wanted: &Wanted<'_>) -> Result<Staged, FetchError> {
        let member = wanted.spec.member();
        if let Some(file) = self.cached(wanted)? {
            self.job
                .progress
                .message(&format!("{member} is taken from the Hugging Face cache"));
            return Ok(file);
        }
        if self.offline {
            return Err(offline_reason(self.job, member));
        }
        self.download(wanted)
    }

    /// A file that another tool already fetched into the hub's own cache, when it is what is expected.
    fn cached(&self, wanted: &Wanted<'_>) -> Result<Option<Staged>, FetchError> {
        let Some(folder) = &self.job.options.hub.cache else {
            return Ok(None);
        };
        let repo = hf_hub::Cache::new(folder.clone()).repo(self.source.repo(&self.commit));
        let path = repo.pointer_path(&self.commit).join(wanted.spec.member());
        let Ok(mut file) = File::open(&path) else {
            return Ok(None);
        };
        match self.deposit(wanted, &mut file, &format!("the cached {}", path.display())) {
            Ok(staged) => Ok(Some(staged)),
            Err(FetchError::Fatal(e)) => Err(e.into()),
            Err(FetchError::Unavailable(reason) | FetchError::WrongBytes(reason)) => {
                self.job
                    .progress
                    .message(&format!("{reason}; it is not used"));
                Ok(None)
            }
        }
    }

    fn download(&self, wanted: &Wanted<'_>) -> Result<Staged, FetchError> {
        let (spec, staging) = (wanted.spec, self.job.staging);
        let url = self.source.api(self.job, &self.commit)?.url(spec.member());
        if let Some(file) = staging.finished(spec, &url, wanted.expected)? {
            return Ok(file);
        }
        // A compressed file grows beside the one that is made of it.
        let name = if spec.decompress.is_some() {
            format!("{}.compressed", spec.path)
        } else {
            spec.path.clone()
        };
        let part = staging.part(&name)?;
        if !staging.is_from(&name, &url) {
            File::create(&part).map_err(|e| ArtifactError::io("create", &part, e))?;
            staging.note_url(&name, &url)?;
        }
        let listed = self.info.as_ref().and_then(|info| info.file(spec.member()));
        let declared = if spec.decompress.is_some() {
            None
        } else {
            spec.bytes
        };
        let download = Download {
            agent: &self.agent,
            url: &url,
            token: self.job.options.hub.token.as_deref(),
            name: &spec.path,
            bytes: declared.or(listed.and_then(Sibling::bytes)),
            page: &self.page,
            progress: self.job.progress,
        };
        let complete = download.run(&part)?;
        let resumed = complete.resumed;
        match self.accept(wanted, complete, &part, listed) {
            // What was there before may have been damaged: once more from the beginning.
            Err(FetchError::WrongBytes(reason) | FetchError::Unavailable(reason)) if resumed => {
                self.job.progress.message(&format!(
                    "{reason}; downloading it again from the beginning"
                ));
                self.accept(wanted, download.run(&part)?, &part, listed)
            }
            other => other,
        }
    }

    /// Checks a download, and undoes its compression. What is refused is removed.
    fn accept(
        &self,
        wanted: &Wanted<'_>,
        complete: Complete,
        part: &Path,
        listed: Option<&Sibling>,
    ) -> Result<Staged, FetchError> {
        let from = format!("{} of {}", wanted.spec.member(), self.source.repo);
        let remove = || fs::remove_file(part).map_err(|e| ArtifactError::io("remove", part, e));
        if let Some(expected) = listed
            .and_then(Sibling::sha256)
            .filter(|expected| **expected != complete.sha256)
        {
            let found = complete.sha256.clone();
            drop(complete);
            remove()?;
            return Err(FetchError::WrongBytes(format!(
                "{from} has the sha256 {found} instead of the {expected} that the hub lists"
            )));
        }
        if wanted.spec.decompress.is_none() {
            let content = (complete.sha256, complete.bytes);
            return self.job.staging.accept(
                wanted.spec,
                wanted.expected,
                content,
                complete.file,
                &from,
            );
        }
        drop(complete);
        let mut file = File::open(part).map_err(|e| ArtifactError::io("read", part, e))?;
        let deposited = self.deposit(wanted, &mut file, &from);
        if matches!(
            deposited,
            Err(FetchError::WrongBytes(_) | FetchError::Unavailable(_))
        ) {
            drop(file);
            remove()?;
        }
        deposited
    }

    /// Copies a file as the hub has it, undoing its compression.
    fn deposit(
        &self,
        wanted: &Wanted<'_>,
        file: &mut File,
        from: &str,
    ) -> Result<Staged, FetchError> {
        let mut content = decompressed(file, wanted.spec.decompress);
        self.job.staging.deposit(
            wanted.spec,
            wanted.expected,
            &mut content,
            from,
            self.job.progress,
        )
    }
}

fn offline_reason(job: &Job<'_>, what: &str) -> FetchError {
    let why = if job.options.offline {
        "offline was asked for"
    } else {
        "HF_HUB_OFFLINE is set"
    };
    FetchError::Unavailable(format!("{why}, {what} is not in the Hugging Face cache"))
}

/// What the hub tells of a revision; it may tell more.
#[derive(Deserialize)]
struct Info {
    sha: String,
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    sha256: Option<Sha256>,
    size: Option<u64>,
}

impl Info {
    fn file(&self, member: &str) -> Option<&Sibling> {
        self.siblings.iter().find(|file| file.rfilename == member)
    }
}

impl Sibling {
    /// The hash, which the hub tells only of large files.
    fn sha256(&self) -> Option<&Sha256> {
        self.lfs.as_ref()?.sha256.as_ref()
    }

    fn bytes(&self) -> Option<u64> {
        self.lfs.as_ref().and_then(|lfs| lfs.size).or(self.size)
    }
}
