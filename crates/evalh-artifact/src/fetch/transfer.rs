//! One file over HTTP, going on where an interrupted download stopped.
//!
//! `hf-hub` 0.5 downloads too, but it appends a complete answer to a part when a server ignores the range, names files
//! by the server's unchecked `ETag`, knows no timeouts and checks no hash; its API, URLs and credentials are used, its
//! transfer is not.

use super::FetchError;
use crate::{
    ArtifactError, HubSettings, Progress, Sha256,
    cache::{Fill, fill},
    digest::{Hasher, feed},
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};
use ureq::{
    Agent, Body,
    config::RedirectAuthHeaders,
    http::{HeaderMap, Response, StatusCode, header},
    tls::{PemItem, RootCerts, TlsConfig},
};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a server may send nothing.
const SILENCE: Duration = Duration::from_mins(1);
/// How often a download is tried again when nothing arrived in between.
const IDLE_TRIES: u32 = 3;
/// The longest wait that a server may ask for between tries.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// The longest file that is accepted where a manifest declares no length.
const MAX_UNDECLARED: u64 = 1 << 40;

/// The trusted certificates of the settings.
pub(super) fn tls(settings: &HubSettings) -> Result<TlsConfig, FetchError> {
    let Some(path) = &settings.ca_file else {
        return Ok(TlsConfig::default());
    };
    let bad = |reason: String| {
        FetchError::Unavailable(format!(
            "the certificate file {} (SSL_CERT_FILE) {reason}",
            path.display()
        ))
    };
    let pem = fs::read(path).map_err(|e| bad(format!("cannot be read: {e}")))?;
    let mut certificates = Vec::new();
    for item in ureq::tls::parse_pem(&pem) {
        if let PemItem::Certificate(certificate) =
            item.map_err(|e| bad(format!("is damaged: {e}")))?
        {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(bad("has no certificate".to_owned()));
    }
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&certificates))
        .build())
}

/// The client of a pull. The token stays with the host that it was meant for when a download is redirected.
pub(super) fn agent(settings: &HubSettings) -> Result<Agent, FetchError> {
    Ok(Agent::config_builder()
        .tls_config(tls(settings)?)
        .redirect_auth_headers(RedirectAuthHeaders::SameHost)
        .http_status_as_error(false)
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .user_agent(concat!("evalh/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent())
}

/// A file to download.
pub(super) struct Download<'a> {
    pub(super) agent: &'a Agent,
    pub(super) url: &'a str,
    pub(super) token: Option<&'a str>,
    /// The name for people.
    pub(super) name: &'a str,
    /// The length, where known.
    pub(super) bytes: Option<u64>,
    /// The page on which access to the repository is asked for.
    pub(super) page: &'a str,
    pub(super) progress: &'a dyn Progress,
}

/// A complete part: its file, hash and length.
pub(super) struct Complete {
    pub(super) file: File,
    pub(super) sha256: Sha256,
    pub(super) bytes: u64,
    /// Whether some of it was there before.
    pub(super) resumed: bool,
}

enum Attempt {
    Done,
    /// Worth another try, after the wait that the server asked for.
    Again(String, Option<Duration>),
}

impl Download<'_> {
    /// Downloads into `part`, after the bytes that it already has.
    pub(super) fn run(&self, part: &Path) -> Result<Complete, FetchError> {
        let mut part = Part::open(part)?;
        let resumed = part.bytes > 0;
        let (mut idle, mut answered) = (0, false);
        loop {
            let before = part.bytes;
            let (reason, wait) = match self.attempt(&mut part, &mut answered)? {
                Attempt::Done => {
                    self.progress.finish();
                    let (file, sha256, bytes) = part.finish();
                    return Ok(Complete {
                        file,
                        sha256,
                        bytes,
                        resumed,
                    });
                }
                Attempt::Again(reason, wait) => (reason, wait),
            };
            idle = if part.bytes > before { 0 } else { idle + 1 };
            // A server that never answered is not there; one that did may come back.
            if idle > IDLE_TRIES || !answered {
                return Err(FetchError::Unavailable(reason));
            }
            self.progress.message(&format!(
                "{}: {reason}; going on at {} bytes",
                self.name, part.bytes
            ));
            let pause =
                wait.unwrap_or(Duration::from_millis(200) * 2_u32.pow(idle.saturating_sub(1)));
            thread::sleep(pause.min(MAX_WAIT));
        }
    }

    fn attempt(&self, part: &mut Part, answered: &mut bool) -> Result<Attempt, FetchError> {
        if part.bytes > 0 && self.bytes == Some(part.bytes) {
            return Ok(Attempt::Done);
        }
        let mut request = self
            .agent
            .get(self.url)
            .header(header::ACCEPT_ENCODING, "identity");
        if let Some(token) = self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if part.bytes > 0 {
            request = request.header(header::RANGE, format!("bytes={}-", part.bytes));
        }
        let response = match request.call() {
            Ok(response) => response,
            Err(e) => return Ok(Attempt::Again(describe(&e), None)),
        };
        *answered = true;
        let status = response.status();
        match status {
            StatusCode::PARTIAL_CONTENT
                if part.bytes > 0 && range_start(response.headers()) == Some(part.bytes) => {}
            StatusCode::OK => part.reset()?,
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                part.reset()?;
                return Ok(Attempt::Again(
                    format!("the server answered HTTP {status} to a range"),
                    None,
                ));
            }
            _ if status.is_server_error()
                || matches!(
                    status,
                    StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
                ) =>
            {
                return Ok(Attempt::Again(
                    format!("HTTP {status}"),
                    retry_after(response.headers()),
                ));
            }
            _ => return Err(refusal(status, self.token.is_some(), self.page)),
        }
        self.receive(response, part)
    }

    fn receive(
        &self,
        mut response: Response<Body>,
        part: &mut Part,
    ) -> Result<Attempt, FetchError> {
        let coding = response.headers().get(header::CONTENT_ENCODING);
        if coding.is_some_and(|coding| coding.as_bytes() != b"identity") {
            return Err(FetchError::Unavailable(
                "the server answered with a content encoding".to_owned(),
            ));
        }
        let total =
            content_length(response.headers()).and_then(|rest| rest.checked_add(part.bytes));
        if let (Some(total), Some(declared)) = (total, self.bytes)
            && total != declared
        {
            return Err(FetchError::WrongBytes(format!(
                "{} has {total} bytes instead of the {declared} expected",
                self.name
            )));
        }
        let limit = self.bytes.unwrap_or(MAX_UNDECLARED);
        self.progress.start(self.name, total.or(self.bytes));
        self.progress.advance(part.bytes);
        let path = part.path.clone();
        let mut reader = response.body_mut().with_config().limit(u64::MAX).reader();
        let copied = fill(&mut reader, &mut |chunk| {
            part.write(chunk)?;
            self.progress.advance(chunk.len() as u64);
            if part.bytes > limit {
                return Err(io::Error::new(
                    io::ErrorKind::FileTooLarge,
                    "more bytes than expected",
                ));
            }
            Ok(())
        });
        match copied {
            Err(Fill::Write(e))
                if e.kind() == io::ErrorKind::FileTooLarge && part.bytes > limit =>
            {
                part.reset()?;
                Err(FetchError::WrongBytes(format!(
                    "{} has more than the {limit} bytes expected",
                    self.name
                )))
            }
            Err(Fill::Write(e)) => Err(ArtifactError::io("write", &path, e).into()),
            Err(Fill::Read(e)) => Ok(Attempt::Again(format!("the connection broke ({e})"), None)),
            Ok(()) if total.is_some_and(|total| part.bytes < total) => {
                Ok(Attempt::Again("the connection broke".to_owned(), None))
            }
            Ok(()) => Ok(Attempt::Done),
        }
    }
}

/// A download's file, and the hash of what it holds.
struct Part {
    path: PathBuf,
    file: File,
    hasher: Hasher,
    bytes: u64,
}

impl Part {
    fn open(path: &Path) -> Result<Self, FetchError> {
        let open = || {
            let mut file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .read(true)
                .write(true)
                .open(path)?;
            let mut hasher = Hasher::default();
            let bytes = feed(&mut file, &mut hasher)?;
            Ok(Self {
                path: path.to_path_buf(),
                file,
                hasher,
                bytes,
            })
        };
        open().map_err(|e| ArtifactError::io("open", path, e).into())
    }

    fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.file.write_all(chunk)?;
        self.hasher.update(chunk);
        self.bytes += chunk.len() as u64;
        Ok(())
    }

    /// Begins again.
    fn reset(&mut self) -> Result<(), FetchError> {
        let reset = |file: &mut File| {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))
        };
        reset(&mut self.file).map_err(|e| ArtifactError::io("truncate", &self.path, e))?;
        self.hasher = Hasher::default();
        self.bytes = 0;
        Ok(())
    }

    fn finish(self) -> (File, Sha256, u64) {
        (self.file, self.hasher.finish(), self.bytes)
    }
}

/// Why a request got no answer, without its URL, which a mirror's user may have put a password into.
pub(super) fn describe(error: &ureq::Error) -> String {
    match error {
        ureq::Error::HostNotFound => {
            "the host is not known (no network, or a wrong HF_ENDPOINT)".to_owned()
        }
        ureq::Error::Timeout(what) => format!("no answer in time ({what})"),
        ureq::Error::BadUri(_) => "HF_ENDPOINT is not a URL".to_owned(),
        ureq::Error::Io(e) if e.to_string().contains("UnknownIssuer") => {
            "the server's certificate is not trusted (behind a proxy that inspects connections, \
             set SSL_CERT_FILE to its certificates)"
                .to_owned()
        }
        ureq::Error::Io(e) => format!("no connection ({e})"),
        other => format!("no answer ({other})"),
    }
}

/// A status that no further try will change, with its remedy.
pub(super) fn refusal(status: StatusCode, has_token: bool, page: &str) -> FetchError {
    let remedy = match (status, has_token) {
        (StatusCode::UNAUTHORIZED, false) => {
            format!(
                "; the repository is private, gated or does not exist: set HF_TOKEN, and ask for access at {page}"
            )
        }
        (StatusCode::UNAUTHORIZED, true) => {
            "; the token is not accepted: set HF_TOKEN to a valid one, or unset it".to_owned()
        }
        (StatusCode::FORBIDDEN, false) => {
            format!("; access is restricted: ask for it at {page} and set HF_TOKEN")
        }
        (StatusCode::FORBIDDEN, true) => {
            format!("; the token gives no access: ask for it at {page}")
        }
        (StatusCode::NOT_FOUND, false) => {
            "; no such repository, revision or file (a private one is also hidden so: set HF_TOKEN)"
                .to_owned()
        }
        (StatusCode::NOT_FOUND, true) => {
            "; no such repository, revision or file, or the token may not see it".to_owned()
        }
        _ => String::new(),
    };
    FetchError::Unavailable(format!("HTTP {status}{remedy}"))
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// The first byte of `Content-Range: bytes 5-9/10`.
fn range_start(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    value
        .strip_prefix("bytes ")?
        .split('-')
        .next()?
        .parse()
        .ok()
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(header::RETRY_AFTER)?
        .to_str()
        .ok()?
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}
