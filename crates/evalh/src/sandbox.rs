//! The sandbox on this console, and its outcomes in the record's words.

use crate::{
    artifacts::Artifacts,
    failure::{OrFail as _, Outcome},
    output::{Console, Task as Progress},
};
use evalh_record::SandboxSettings;
use evalh_sandbox::{PrepareEvent, Program, Runtime, Sandbox, SandboxConfig, Verdict};
use serde_json::{Map, Value};
use std::{
    error::Error,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// The artifact that holds the tool which builds the runtime.
const TOOL: &str = "python";

/// Runs programs.
pub struct PythonSandbox {
    sandbox: Sandbox,
}

impl PythonSandbox {
    /// Makes the sandbox ready: in milliseconds, or, for the first time on a machine, in the time it takes to fetch the
    /// tool and build the runtime. `runtime` is a prebuilt one.
    ///
    /// # Errors
    /// When the tool or the given runtime cannot be had or used.
    pub fn prepare(
        artifacts: &Artifacts<'_>,
        runtime: Option<&Path>,
        console: &Console,
    ) -> Outcome<PythonSandbox> {
        let tool = || -> Result<PathBuf, Box<dyn Error + Send + Sync>> {
            let pulled = artifacts.pull(TOOL, None, "--runtime");
            pulled
                .map(|pulled| pulled.dir)
                .map_err(|failure| failure.into_message().into())
        };
        let config = SandboxConfig {
            cache_dir: artifacts.cache_dir().to_owned(),
            runtime: runtime.map_or(Runtime::Built(&tool), |file| {
                Runtime::Prebuilt(file.to_owned())
            }),
            limits: evalh_sandbox::Limits::default(),
        };
        let shown: Mutex<Option<Progress<'_>>> = Mutex::new(None);
        let show = |step: Option<&str>| {
            let task = step.map(|step| Progress::unknown(console, step));
            let earlier = std::mem::replace(
                &mut *shown.lock().unwrap_or_else(PoisonError::into_inner),
                task,
            );
            if let Some(earlier) = earlier {
                earlier.finish();
            }
        };
        let prepared = Sandbox::prepare(&config, &|event| match event {
            PrepareEvent::Waiting => show(Some("waiting for another evalh to prepare the sandbox")),
            PrepareEvent::Building => show(Some("building the sandbox's Python (once)")),
            PrepareEvent::Compiling => show(Some("compiling the sandbox's Python (once)")),
            // The tool's download shows itself.
            PrepareEvent::FetchingTool
            | PrepareEvent::Built { .. }
            | PrepareEvent::Compiled { .. }
            | PrepareEvent::Ready { .. } => show(None),
        });
        show(None);
        let sandbox = prepared.or_fail()?;
        Ok(PythonSandbox { sandbox })
    }

    /// What the record says of it.
    pub fn settings(&self) -> SandboxSettings {
        let identity = self.sandbox.identity();
        let mut limits = match serde_json::to_value(identity.limits) {
            Ok(Value::Object(limits)) => limits,
            _ => Map::new(),
        };
        limits.insert("wasmtime".to_owned(), identity.wasmtime.clone().into());
        SandboxSettings {
            runtime_sha256: identity.component_sha256.clone(),
            limits,
        }
    }

    /// Runs a program and its tests.
    ///
    /// # Errors
    /// When the host cannot start an interpreter.
    pub fn run(&self, program: &evalh_task::Program) -> Outcome<Verdict> {
        self.execute(&Program::tested(&program.code, &program.tests).with_effort(program.effort))
    }

    /// Runs a script.
    ///
    /// # Errors
    /// When the host cannot start an interpreter.
    pub fn script(&self, code: &str) -> Outcome<Verdict> {
        self.execute(&Program::script(code))
    }

    fn execute(&self, program: &Program<'_>) -> Outcome<Verdict> {
        self.sandbox.run(program).or_fail()
    }
}
