//! `samples.jsonl`: a line a sample, appended with one write each.

use crate::{Answer, RecordError, RecordResult, Sample, error::is_full};
use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// The samples of a file, and how much of it they cover.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedSamples {
    /// The samples, in the file's order.
    pub samples: Vec<Sample>,
    /// Bytes of whole lines. What follows is the torn line of a writer that was killed.
    pub whole_bytes: usize,
}

/// Parses samples; `path` is for messages. Bytes after the last line break are what a killed writer left of its last
/// line: they are not parsed, and `whole_bytes` tells where they begin.
///
/// # Errors
/// When a whole line is not a sample.
pub fn parse_samples(path: &Path, bytes: &[u8]) -> RecordResult<ParsedSamples> {
    let whole_bytes = bytes
        .iter()
        .rposition(|&b| b == b'\n')
        .map_or(0, |at| at + 1);
    let samples = bytes[..whole_bytes]
        .split_inclusive(|&b| b == b'\n')
        .enumerate()
        .map(|(i, line)| {
            serde_json::from_slice(line).map_err(|source| RecordError::SampleLine {
                path: path.to_owned(),
                line: i + 1,
                source,
            })
        })
        .collect::<RecordResult<_>>()?;
    Ok(ParsedSamples {
        samples,
        whole_bytes,
    })
}

/// A sample as its line, line break included.
///
/// # Errors
/// When a number of it is not finite, which JSON cannot hold.
pub(crate) fn to_line(sample: &Sample) -> RecordResult<Vec<u8>> {
    let finite = sample.score.is_finite()
        && sample.scores.values().all(|score| score.is_finite())
        && match &sample.answer {
            Answer::Generated(_) => true,
            Answer::Scored(scores) => scores.iter().all(|s| s.log_prob.is_finite()),
            Answer::Loss(score) => score.log_prob.is_finite(),
            Answer::Classified(outputs) => outputs.iter().all(|output| output.is_finite()),
        };
    if !finite {
        return Err(RecordError::NotFinite { key: sample.key() });
    }
    let mut line =
        serde_json::to_vec(sample).map_err(|source| RecordError::Serialize { source })?;
    line.push(b'\n');
    Ok(line)
}

/// Where lines go. A trait so that a full disk can be tested.
pub(crate) trait Sink: Write {
    /// Cuts the file to `length` bytes.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

impl Sink for File {
    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

/// Appends whole lines. Where a disk is full, room that was set aside beforehand is given up once, so that answers
/// already computed can still be written while the run winds down.
pub(crate) struct Appender<S> {
    dir: PathBuf,
    path: PathBuf,
    sink: S,
    length: u64,
    give_up_room: Option<Box<dyn FnOnce() -> io::Result<()> + Send>>,
    disk_full: bool,
}

impl<S: Sink> Appender<S> {
    /// Appends to `sink`, which holds `length` bytes of whole lines.
    pub(crate) fn new(
        dir: &Path,
        path: &Path,
        sink: S,
        length: u64,
        give_up_room: impl FnOnce() -> io::Result<()> + Send + 'static,
    ) -> Appender<S> {
        Appender {
            dir: dir.to_owned(),
            path: path.to_owned(),
            sink,
            length,
            give_up_room: Some(Box::new(give_up_room)),
            disk_full: false,
        }
    }

    /// Whether the disk filled up and only what was set aside is left.
    pub(crate) fn disk_full(&self) -> bool {
        self.disk_full
    }

    /// Appends one whole line. After an error the file ends where it ended before.
    pub(crate) fn append(&mut self, line: &[u8]) -> RecordResult<()> {
        let mut written = self.write(line);
        if written.as_ref().is_err_and(is_full) {
            self.disk_full = true;
            if let Some(give_up_room) = self.give_up_room.take()
                && give_up_room().is_ok()
            {
                written = self.write(line);
            }
        }
        written.map_err(|source| RecordError::write(&self.dir, &self.path, source))
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        match self.sink.write_all(line) {
            Ok(()) => {
                self.length += line.len() as u64;
                Ok(())
            }
            Err(error) => {
                // Part of the line may be there. Where even cutting it off fails, the next resume does it.
                self.sink.cut(self.length)?;
                Err(error)
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{ContinuationScore, Finish, Generation, Outcome, sha256_bytes};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// A sample of the example manifest.
    pub(crate) fn example(variant: &str, position: usize, sample: usize, text: &str) -> Sample {
        Sample {
            suite: "mini".into(),
            task: "mini".into(),
            protocol: "chat".into(),
            variant: variant.into(),
            item: format!("mini/{position}"),
            position,
            sample,
            shots: vec![3, 1],
            prompt_sha256: sha256_bytes(b"prompt"),
            prompt_tokens: 4,
            truncated_tokens: 0,
            answer: Answer::Generated(Generation {
                text: text.into(),
                tokens: 5,
                finish: Finish::Eos(2),
            }),
            extracted: None,
            target: Some("B".into()),
            program_sha256: Some(sha256_bytes(text.as_bytes())),
            outcome: Some(Outcome::Passed),
            suspicions: vec!["exits".into()],
            score: 1.0,
            scores: BTreeMap::from([("acc_norm".into(), 0.0)]),
        }
    }

    #[test]
    fn a_number_that_json_cannot_hold_is_refused_before_it_is_written() {
        let mut sample = example("tiny", 0, 0, "");
        sample.answer = Answer::Scored(vec![ContinuationScore {
            log_prob: f64::NEG_INFINITY,
            tokens: 1,
            is_greedy: false,
        }]);
        assert!(matches!(
            to_line(&sample),
            Err(RecordError::NotFinite { .. })
        ));
    }

    /// A disk with room for `room` bytes.
    #[derive(Default)]
    struct SmallDisk {
        content: Vec<u8>,
        room: std::sync::Arc<std::sync::atomic::AtomicUsize>,
    }

    impl Write for SmallDisk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = self.room.load(std::sync::atomic::Ordering::Relaxed);
            let fits = bytes.len().min(room.saturating_sub(self.content.len()));
            self.content.extend_from_slice(&bytes[..fits]);
            if fits == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            Ok(fits)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Sink for SmallDisk {
        fn cut(&mut self, length: u64) -> io::Result<()> {
            self.content.truncate(length as usize);
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_leaves_whole_lines_and_uses_the_room_set_aside() {
        let disk = SmallDisk::default();
        let room = disk.room.clone();
        room.store(10, std::sync::atomic::Ordering::Relaxed);
        let more = room.clone();
        let mut file = Appender::new(
            Path::new("runs/a"),
            Path::new("runs/a/samples.jsonl"),
            disk,
            0,
            move || {
                more.store(20, std::sync::atomic::Ordering::Relaxed);
                Ok(())
            },
        );
        file.append(b"1234567\n").unwrap();
        assert!(!file.disk_full());
        file.append(b"abcdefg\n").unwrap();
        assert!(file.disk_full());
        let error = file.append(b"ABCDEFG\n").unwrap_err();
        assert!(matches!(&error, RecordError::DiskFull { dir } if dir == Path::new("runs/a")));
        assert!(error.help().contains("evalh run --resume runs/a"));
        assert_eq!(file.sink.content, b"1234567\nabcdefg\n");
    }

    fn file() -> Vec<u8> {
        let samples = [
            example("tiny", 0, 0, "def f():\n    return \"\u{1f980}\"\n"),
            example("tiny", 0, 1, "\u{0}\u{2028}</td>"),
            example("tuned", 2, 0, ""),
        ];
        samples.iter().flat_map(|s| to_line(s).unwrap()).collect()
    }

    fn line_breaks(bytes: &[u8]) -> usize {
        bytes.split(|&b| b == b'\n').count() - 1
    }

    #[test]
    fn every_cut_gives_the_whole_lines_before_it() {
        let bytes = file();
        let all = parse_samples(Path::new("s"), &bytes).unwrap().samples;
        assert_eq!(all.len(), 3);
        for cut in 0..=bytes.len() {
            let parsed = parse_samples(Path::new("s"), &bytes[..cut]).unwrap();
            let lines = line_breaks(&bytes[..cut]);
            assert_eq!(parsed.samples, all[..lines]);
            assert!(parsed.whole_bytes <= cut);
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(parsed) = parse_samples(Path::new("s"), &bytes) {
                prop_assert!(parsed.whole_bytes <= bytes.len());
            }
        }

        #[test]
        fn a_damaged_byte_is_an_error_of_its_line_or_another_sample(at in 0usize..800, to in any::<u8>()) {
            let mut bytes = file();
            let at = at % bytes.len();
            bytes[at] = to;
            let line = line_breaks(&bytes[..at]) + 1;
            match parse_samples(Path::new("s"), &bytes) {
                Ok(parsed) => prop_assert!(parsed.samples.len() <= 3),
                // A byte that became a line break tears one line into two.
                Err(RecordError::SampleLine { line: named, .. }) => prop_assert!(named == line || (to == b'\n' && named == line + 1)),
                Err(other) => prop_assert!(false, "{other}"),
            }
        }
    }
}
