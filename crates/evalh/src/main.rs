//! The command line: parse, call, print. The only crate that prints or exits.

mod artifacts;
mod checkpoints;
mod commands;
mod energy;
mod experiment;
mod failure;
mod flags;
mod identity;
mod inspect;
mod interrupt;
mod output;
mod own_folders;
mod reporting;
mod run;
mod sandbox;
mod settings;
mod training;
mod usage;
mod verify;

use clap::Parser as _;
use flags::{Cli, Command};
use std::process::ExitCode;

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(flags) => commands::run::run(&flags),
        Command::Score(flags) => commands::score::score(&flags),
        Command::Exec(flags) => commands::exec::exec(&flags),
        Command::Pull(flags) => commands::pull::pull(&flags),
        Command::List(flags) => commands::list::list(&flags),
        Command::Bench(flags) => commands::bench::bench(&flags),
        Command::Report(flags) => commands::report::report(&flags),
        Command::Compare(flags) => commands::compare::compare(&flags),
        Command::View(flags) => commands::view::view(&flags),
        Command::Gate(flags) => commands::gate::gate(&flags),
        Command::Baseline(command) => commands::baseline::baseline(&command),
        Command::Prompts(flags) => commands::prompts::prompts(&flags),
        Command::Suite(command) => commands::suite::suite(&command),
        Command::Adapter(command) => commands::adapter::adapter(&command),
        Command::Demo(flags) => commands::demo::demo(&flags),
        Command::Probe(flags) => commands::probe::probe(&flags),
        Command::Train(flags) => commands::train::train(&flags),
        Command::Experiment(flags) => commands::experiment::experiment(&flags),
        Command::Model(command) => commands::model::model(&command),
        Command::Verify(flags) => commands::verify::verify(&flags),
    };
    let exit = done.unwrap_or_else(|failure| {
        output::say_failure(&failure);
        failure.exit()
    });
    ExitCode::from(exit.code())
}
