//! Where lines go and how they look.

use crate::{failure::Failure, flags::OutputFlags};
use anstyle::{AnsiColor, Style as Ansi};
use evalh_report::Style;
use indicatif::MultiProgress;
use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
};

/// Says things. Progress is drawn as bars on a terminal and as plain lines elsewhere.
pub struct Console {
    quiet: bool,
    json: bool,
    bars: Option<MultiProgress>,
}

impl Console {
    /// A console by the user's flags and the terminal at hand.
    pub fn new(flags: OutputFlags) -> Console {
        let bars = !flags.quiet && io::stderr().is_terminal() && !dumb();
        Console {
            quiet: flags.quiet,
            json: flags.json,
            bars: bars.then(MultiProgress::new),
        }
    }

    /// Whether standard output is for machines.
    pub fn json(&self) -> bool {
        self.json
    }

    /// The bars, where standard error is a terminal.
    pub(super) fn bars(&self) -> Option<&MultiProgress> {
        self.bars.as_ref()
    }

    /// A line about what goes on.
    pub fn say(&self, line: impl Display) {
        if !self.quiet {
            self.line(&line.to_string());
        }
    }

    /// A line that matters to the result. Quiet does not hide it.
    pub fn warn(&self, line: impl Display) {
        let yellow = Ansi::new().bold().fg_color(Some(AnsiColor::Yellow.into()));
        self.line(&format!("{}: {line}", painted("warning", yellow)));
    }

    fn line(&self, line: &str) {
        let printed = self.bars.as_ref().map(|bars| bars.println(line));
        if !matches!(printed, Some(Ok(()))) {
            // Nobody is left to tell when standard error is closed.
            let _ = writeln!(io::stderr(), "{line}");
        }
    }

    /// A result for people: nothing where standard output is for machines.
    pub fn result(&self, text: impl Display) {
        if !self.json {
            out(&text.to_string());
        }
    }

    /// A result for machines: nothing where standard output is for people.
    pub fn machine(&self, value: &serde_json::Value) {
        if self.json {
            out(&format!("{value:#}"));
        }
    }

    /// One of many results for machines, on a line of its own.
    pub fn json_line(&self, value: &serde_json::Value) {
        if self.json {
            out(&value.to_string());
        }
    }

    /// How tables on standard output look.
    pub fn style() -> Style {
        if colour(io::stdout().is_terminal()) {
            Style::Colour
        } else {
            Style::Plain
        }
    }
}

/// Says why the program ends. On standard error in any case, also where no console exists yet.
pub fn say_failure(failure: &Failure) {
    let red = Ansi::new().bold().fg_color(Some(AnsiColor::Red.into()));
    let _ = writeln!(io::stderr(), "{}: {failure}", painted("error", red));
}

/// Prints a line. A reader that has seen enough (`| head`) is no error.
fn out(text: &str) {
    let _ = writeln!(io::stdout(), "{}", text.trim_end());
}

fn painted(text: &str, ansi: Ansi) -> String {
    if colour(io::stderr().is_terminal()) {
        format!("{ansi}{text}{ansi:#}")
    } else {
        text.to_owned()
    }
}

/// Colours only on a terminal, and not where the user does not want them (<https://no-color.org>).
fn colour(terminal: bool) -> bool {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    terminal && !unwanted && !dumb()
}

fn dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}
