//! What the tests share: a hub of a few files on a local port, packages, repositories, and a progress that is kept.

#![allow(dead_code, reason = "each test file uses its part")]

use evalh_artifact::{Catalog, HubSettings, Progress, PullOptions, Tools};
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    ffi::OsString,
    fmt::Write as _,
    fs::File,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// Bytes that differ at every place, so that a wrong offset shows.
pub fn bytes(length: usize, seed: u64) -> Vec<u8> {
    let mut state = 2 * seed + 1;
    (0..length)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as u8
        })
        .collect()
}

pub fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// A request as the server saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub path: String,
    pub headers: HashMap<String, String>,
}

/// What a handler answers.
pub struct Answer {
    pub status: &'static str,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Close the connection after so many bytes of the body.
    pub cut: Option<usize>,
    /// Pause before each piece of the body.
    pub pace: Option<Duration>,
}

impl Answer {
    pub fn new(status: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            cut: None,
            pace: None,
        }
    }

    /// A file, or the part of it that the request's range asks for.
    pub fn file(seen: &Seen, content: &[u8]) -> Self {
        let start = seen.headers.get("range").and_then(|range| {
            range
                .strip_prefix("bytes=")?
                .strip_suffix('-')?
                .parse::<usize>()
                .ok()
        });
        match start {
            Some(start) if start < content.len() => {
                let mut answer = Self::new("206 Partial Content", &content[start..]);
                let range = format!("bytes {start}-{}/{}", content.len() - 1, content.len());
                answer.headers.push(("Content-Range".to_owned(), range));
                answer
            }
            Some(_) => Self::new("416 Range Not Satisfiable", ""),
            None => Self::new("200 OK", content),
        }
    }
}

/// A server on a local port, for as long as the test runs.
pub struct Server {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub fn start(handler: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, handler) = (seen.clone(), Arc::new(handler));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, handler) = (log.clone(), handler.clone());
                thread::spawn(move || serve(stream, &log, &*handler));
            }
        });
        Self { url, seen }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The requests for files, without those for lists.
    pub fn downloads(&self) -> Vec<Seen> {
        self.seen()
            .into_iter()
            .filter(|seen| seen.path.contains("/resolve/"))
            .collect()
    }
}

fn serve(
    stream: TcpStream,
    log: &Mutex<Vec<Seen>>,
    handler: &dyn Fn(&Seen) -> Answer,
) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let seen = Seen { path, headers };
    log.lock().unwrap().push(seen.clone());
    let answer = handler(&seen);
    let mut head = format!("HTTP/1.1 {}\r\nConnection: close\r\n", answer.status);
    let _ = write!(head, "Content-Length: {}\r\n", answer.body.len());
    for (name, value) in &answer.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    let mut stream = stream;
    stream.write_all(head.as_bytes()).ok()?;
    let body = &answer.body[..answer.cut.unwrap_or(answer.body.len())];
    for piece in body.chunks(16 << 10) {
        if let Some(pace) = answer.pace {
            thread::sleep(pace);
        }
        stream.write_all(piece).ok()?;
    }
    stream.flush().ok()
}

/// What a progress was told.
#[derive(Default)]
pub struct Kept {
    pub lines: Mutex<Vec<String>>,
    advanced: AtomicUsize,
}

impl Kept {
    pub fn messages(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// The bytes of the running task, or of the last one.
    pub fn advanced(&self) -> usize {
        self.advanced.load(Ordering::SeqCst)
    }
}

impl Progress for Kept {
    fn start(&self, task: &str, total: Option<u64>) {
        self.advanced.store(0, Ordering::SeqCst);
        self.lines
            .lock()
            .unwrap()
            .push(format!("start {task} {total:?}"));
    }

    fn advance(&self, bytes: u64) {
        self.advanced.fetch_add(bytes as usize, Ordering::SeqCst);
    }

    fn finish(&self) {
        self.lines.lock().unwrap().push("finish".to_owned());
    }

    fn message(&self, text: &str) {
        self.lines.lock().unwrap().push(text.to_owned());
    }
}

/// A catalog of one artifact `tiny` of a kind with the given sources.
pub fn catalog(kind: &str, sources: &str) -> Catalog {
    let mut catalog = Catalog::builtin().unwrap();
    let text = format!(
        "name = \"tiny\"\nkind = \"{kind}\"\ndescription = \"for tests\"\nlicence = \"MIT\"\nupstream = \"https://example.org\"\n{sources}"
    );
    catalog.add(&text, "tiny.toml").unwrap();
    catalog
}

/// A hub source for `tiny`, with a line of further fields a file.
pub fn hub_source(revision: &str, files: &[(&str, &str)]) -> String {
    let mut text =
        format!("[[source]]\ntype = \"hub\"\nrepo = \"owner/tiny\"\nrevision = \"{revision}\"\n");
    for (path, fields) in files {
        let _ = write!(text, "[[source.file]]\npath = \"{path}\"\n{fields}\n");
    }
    text
}

/// The fields of a file whose content is known.
pub fn pinned(content: &[u8]) -> String {
    format!(
        "bytes = {}\nsha256 = \"{}\"",
        content.len(),
        sha256(content)
    )
}

/// Options that reach only the server, with a cache of their own.
pub fn options(cache: &Path, server: &Server) -> PullOptions {
    PullOptions {
        hub: HubSettings {
            endpoint: server.url.clone(),
            ..HubSettings::default()
        },
        ..PullOptions::in_dir(cache)
    }
}

/// Options whose pip knows only the packages of a folder.
pub fn pip_options(cache: &Path, packages: &Path) -> PullOptions {
    let set = |name: &str, value: &str| (OsString::from(name), OsString::from(value));
    let env = vec![
        set("PIP_NO_INDEX", "1"),
        (
            OsString::from("PIP_FIND_LINKS"),
            packages.as_os_str().to_owned(),
        ),
        set(
            "PIP_CONFIG_FILE",
            if cfg!(windows) { "nul" } else { "/dev/null" },
        ),
    ];
    PullOptions {
        tools: Tools {
            env,
            ..Tools::default()
        },
        ..PullOptions::in_dir(cache)
    }
}

/// Whether a program answers; says so when it does not.
pub fn have(test: &str, program: &str, arguments: &[&str]) -> bool {
    let there = Command::new(program)
        .args(arguments)
        .output()
        .is_ok_and(|output| output.status.success());
    if !there {
        eprintln!(
            "skipped {test}: {program} {} is absent",
            arguments.join(" ")
        );
    }
    there
}

/// Writes a wheel that pip accepts.
pub fn wheel(folder: &Path, package: &str, version: &str, members: &[(&str, &[u8])]) -> String {
    let name = format!("{package}-{version}-py3-none-any.whl");
    let mut zip = zip::ZipWriter::new(File::create(folder.join(&name)).unwrap());
    let info = format!("{package}-{version}.dist-info");
    let metadata = format!("Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n");
    let about = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
    let mut record = String::new();
    let (metadata_path, wheel_path) = (format!("{info}/METADATA"), format!("{info}/WHEEL"));
    let mut all: Vec<(&str, &[u8])> = members.to_vec();
    all.push((&metadata_path, metadata.as_bytes()));
    all.push((&wheel_path, about.as_bytes()));
    for (path, content) in all {
        zip.start_file(path, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(content).unwrap();
        let _ = writeln!(record, "{path},,");
    }
    let _ = writeln!(record, "{info}/RECORD,,");
    zip.start_file(
        format!("{info}/RECORD"),
        zip::write::SimpleFileOptions::default(),
    )
    .unwrap();
    zip.write_all(record.as_bytes()).unwrap();
    zip.finish().unwrap();
    name
}

/// Every file below a folder.
pub fn tree(root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                files.push(
                    entry
                        .path()
                        .strip_prefix(root)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .replace('\\', "/"),
                );
            }
        }
    }
    files.sort();
    files
}
