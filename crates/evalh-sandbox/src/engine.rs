//! The wasmtime engine and its ticking clock.

use crate::{Limits, SandboxError, state::State};
use std::{thread, time::Duration};
use wasmtime::{Config, Engine, OptLevel, Result, Store, UpdateDeadline};

/// The release of wasmtime, for the record of a run.
pub(crate) const WASMTIME_VERSION: &str = "48.0.8";

/// How often a program's wall clock is looked at.
const TICK: Duration = Duration::from_millis(10);

/// The most that the guest may hand to the host in one call.
const HOSTCALL_BYTES: usize = 1 << 20;

/// An engine that counts fuel and can be interrupted.
pub(crate) fn new(limits: &Limits) -> Result<Engine, SandboxError> {
    let mut config = Config::new();
    config
        .cranelift_opt_level(OptLevel::Speed)
        .consume_fuel(true)
        .epoch_interruption(true)
        .max_wasm_stack(limits.stack_bytes)
        .memory_init_cow(true)
        .wasm_backtrace_max_frames(None);
    Engine::new(&config).map_err(SandboxError::engine("set up wasmtime"))
}

/// Starts the thread that advances the engine's epoch. It ends when the engine is gone.
pub(crate) fn start_ticking(engine: &Engine) -> Result<(), SandboxError> {
    let engine = engine.weak();
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    let thread = thread::Builder::new()
        .name("sandbox clock".to_owned())
        .spawn(tick);
    thread.map(drop).map_err(|error| SandboxError::Engine {
        action: "start the sandbox's clock",
        reason: error.to_string(),
    })
}

/// A store with all limits in force, for one program.
pub(crate) fn store(engine: &Engine, limits: &Limits, seed: u64) -> Result<Store<State>> {
    let mut store = Store::new(engine, State::new(limits, seed));
    store.limiter(|state| &mut state.memory);
    store.set_hostcall_fuel(HOSTCALL_BYTES);
    store.set_fuel(limits.fuel)?;
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|store| {
        store.data().clock.check()?;
        Ok(UpdateDeadline::Continue(1))
    });
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_version_is_the_pinned_one() {
        let workspace = include_str!("../../../Cargo.toml");
        assert!(workspace.contains(&format!("wasmtime = {{ version = \"={WASMTIME_VERSION}\"")));
    }
}
