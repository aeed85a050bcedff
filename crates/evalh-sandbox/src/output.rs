//! A stream's beginning, kept.

use crate::Captured;

/// How the note begins that componentize-py's runtime prints when it traps on an exception.
const PANIC_BEGIN: &str = "\nthread '<unnamed>'";
/// What the note says.
const PANIC_TEXT: &str = "Python function threw an unexpected exception";

/// Keeps the first bytes of a stream and counts the rest.
#[derive(Debug)]
pub(crate) struct Output {
    kept: Vec<u8>,
    limit: usize,
    total: u64,
}

impl Output {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            kept: Vec::new(),
            limit,
            total: 0,
        }
    }

    /// How many more bytes will be kept.
    pub(crate) fn room(&self) -> usize {
        self.limit.saturating_sub(self.kept.len())
    }

    /// Takes `total` written bytes, of which `head` are the first, at least as many as there is room for.
    pub(crate) fn write(&mut self, head: &[u8], total: usize) {
        let keep = head.len().min(self.room());
        self.kept.extend_from_slice(&head[..keep]);
        self.total = self.total.saturating_add(total as u64);
    }

    /// Takes away what the runtime adds to standard error after the traceback of an exception.
    pub(crate) fn drop_panic_note(&mut self) {
        let text = String::from_utf8_lossy(&self.kept);
        let begin = text.rfind(PANIC_BEGIN);
        if let Some(begin) = begin.filter(|begin| text[*begin..].contains(PANIC_TEXT)) {
            // Lossy text can be longer than the bytes; the note itself is plain ASCII, so count from the end.
            let note = text.len() - begin;
            self.kept.truncate(self.kept.len().saturating_sub(note));
            self.total = self.total.saturating_sub(note as u64);
        }
    }

    pub(crate) fn captured(&self) -> Captured {
        Captured {
            text: String::from_utf8_lossy(&self.kept).into_owned(),
            total_bytes: self.total,
            truncated: self.total > self.kept.len() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(output: &mut Output, bytes: &[u8]) {
        output.write(bytes, bytes.len());
    }

    #[test]
    fn the_runtimes_own_note_is_taken_away() {
        let mut output = Output::new(1000);
        write(
            &mut output,
            b"\xffE\n\nthread '<unnamed>' (1) panicked at x:\n",
        );
        write(&mut output, PANIC_TEXT.as_bytes());
        output.drop_panic_note();
        assert_eq!(output.captured().text, "\u{fffd}E\n");
        assert_eq!(output.captured().total_bytes, 3);
        assert!(!output.captured().truncated);
        output.drop_panic_note();
        assert_eq!(output.captured().total_bytes, 3);
    }

    #[test]
    fn keeps_the_beginning_and_counts_the_rest() {
        let mut output = Output::new(5);
        write(&mut output, b"abc");
        assert_eq!(
            output.captured(),
            Captured {
                text: "abc".into(),
                total_bytes: 3,
                truncated: false
            }
        );
        write(&mut output, b"def");
        write(&mut output, b"ghi");
        assert_eq!(
            output.captured(),
            Captured {
                text: "abcde".into(),
                total_bytes: 9,
                truncated: true
            }
        );
    }
}
