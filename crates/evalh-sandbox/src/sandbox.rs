//! Preparing a sandbox and running programs in it.

use crate::{
    Limits, Outcome, PrepareEvent, Program, Runtime, RuntimeIdentity, SandboxError, Stage, Verdict,
    engine, judge, runtime::EXPORTS, state::State, suspicions, wasi,
};
use std::{path::PathBuf, time::Instant};
use wasmtime::{
    Engine, Store,
    component::{
        Component, ComponentExportIndex, ComponentNamedList, Instance, InstancePre, Linker, Lower,
    },
};

/// What a sandbox is made from.
pub struct SandboxConfig<'a> {
    /// evalh's cache folder; the sandbox has a private folder in it.
    pub cache_dir: PathBuf,
    /// Where the Python runtime comes from.
    pub runtime: Runtime<'a>,
    /// What each program may use.
    pub limits: Limits,
}

/// Runs untrusted Python programs, each in a fresh interpreter that lives for that program only.
///
/// Shared between threads, it runs as many programs at once as there are callers.
pub struct Sandbox {
    engine: Engine,
    runtime: InstancePre<State>,
    exports: Exports,
    identity: RuntimeIdentity,
}

/// Where the component's functions are, found once.
struct Exports {
    load: ComponentExportIndex,
    load_script: ComponentExportIndex,
    seal: ComponentExportIndex,
    test: ComponentExportIndex,
}

impl Sandbox {
    /// Makes the runtime ready: from the cache in some ten milliseconds, or by building and compiling it, which takes
    /// half a minute on two cores and is done once.
    ///
    /// # Errors
    /// When the tool cannot be had or fails, the cache cannot be written, or a given runtime is not one.
    pub fn prepare(
        config: &SandboxConfig<'_>,
        progress: &dyn Fn(PrepareEvent),
    ) -> Result<Self, SandboxError> {
        let begin = Instant::now();
        let engine = engine::new(&config.limits)?;
        let loaded = config
            .runtime
            .load(&engine, &config.limits, &config.cache_dir, progress)?;
        let (runtime, exports) = link(&engine, &loaded.component)?;
        engine::start_ticking(&engine)?;
        progress(PrepareEvent::Ready {
            took: begin.elapsed(),
        });
        Ok(Self {
            engine,
            runtime,
            exports,
            identity: loaded.identity,
        })
    }

    /// What can change a verdict, for the record of a run.
    pub fn identity(&self) -> &RuntimeIdentity {
        &self.identity
    }

    /// Runs one program and, after it, its tests. The calling thread is busy until the verdict.
    ///
    /// # Errors
    /// When the host cannot start an interpreter, for lack of memory say. Whatever a program does is a verdict.
    pub fn run(&self, program: &Program<'_>) -> Result<Verdict, SandboxError> {
        let limits = &program.limits(&self.identity.limits);
        let mut store = engine::store(&self.engine, limits, program.seed())
            .map_err(SandboxError::engine("set up a store for a program"))?;
        let (outcome, stage) = match program.refused(limits) {
            Some(refused) => refused,
            None => self.execute(program, &mut store)?,
        };
        let left = store
            .get_fuel()
            .map_err(SandboxError::engine("read the fuel of a program"))?;
        if !outcome.is_passed() {
            store.data_mut().stderr.drop_panic_note();
        }
        let state = store.data();
        Ok(Verdict {
            outcome,
            stage,
            stdout: state.stdout.captured(),
            stderr: state.stderr.captured(),
            fuel: limits.fuel.saturating_sub(left),
            wall: state.clock.started.elapsed(),
            suspicions: suspicions(program.code),
        })
    }

    fn execute(
        &self,
        program: &Program<'_>,
        store: &mut Store<State>,
    ) -> Result<(Outcome, Stage), SandboxError> {
        let instance = self
            .runtime
            .instantiate(&mut *store)
            .map_err(SandboxError::engine(
                "start a Python interpreter for a program",
            ))?;
        let mut guest = Guest { store, instance };
        let load = if program.script {
            &self.exports.load_script
        } else {
            &self.exports.load
        };
        if let Err(outcome) = guest.call(load, (program.code,)) {
            return Ok((outcome, Stage::Program));
        }
        let Some(tests) = program.tests else {
            return Ok((Outcome::Passed, Stage::Program));
        };
        let tests = program.tests_with_evidence(tests);
        let ended = guest
            .call(&self.exports.seal, ())
            .and_then(|()| guest.call(&self.exports.test, (tests.as_str(),)));
        let outcome = match ended {
            Err(outcome) => outcome,
            Ok(()) if guest.store.data().evidence == Some(program.evidence()) => Outcome::Passed,
            Ok(()) => Outcome::Crashed {
                reason: "the tests ended without running to their last line".to_owned(),
            },
        };
        Ok((outcome, Stage::Tests))
    }
}

/// One program's interpreter.
struct Guest<'a> {
    store: &'a mut Store<State>,
    instance: Instance,
}

impl Guest<'_> {
    /// Calls an export; the error is what became of the program.
    fn call<P: ComponentNamedList + Lower>(
        &mut self,
        export: &ComponentExportIndex,
        parameters: P,
    ) -> Result<(), Outcome> {
        let store = &mut *self.store;
        let called = self
            .instance
            .get_typed_func::<P, ()>(&mut *store, export)
            .and_then(|function| function.call(&mut *store, parameters));
        called.map_err(|error| judge::outcome_of(&error, store.data()))
    }
}

fn link(
    engine: &Engine,
    component: &Component,
) -> Result<(InstancePre<State>, Exports), SandboxError> {
    let mut linker = Linker::new(engine);
    let wrong = SandboxError::engine("link the sandbox's runtime");
    let runtime = wasi::add_to_linker(&mut linker, component)
        .and_then(|()| linker.instantiate_pre(component))
        .map_err(wrong)?;
    let [load, load_script, seal, test] = EXPORTS.map(|name| {
        component
            .get_export_index(None, name)
            .ok_or_else(|| SandboxError::Engine {
                action: "use the sandbox's runtime",
                reason: format!("it has no function `{name}`, so it is not made for this evalh"),
            })
    });
    Ok((
        runtime,
        Exports {
            load: load?,
            load_script: load_script?,
            seal: seal?,
            test: test?,
        },
    ))
}
