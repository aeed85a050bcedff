//! WASI 0.2 with nothing granted: no files, sockets, environment or standard input; output captured, real clocks,
//! sleeps that end with the program's time, and random numbers that follow from the program.
//!
//! wasmtime-wasi is not used: it blocks in host code where no epoch interrupts, so a long sleep would outlive its limit.

mod clocks;
mod environment;
mod exit;
mod link;
mod poll;
mod random;
mod refuse;
mod streams;
mod verdict;

pub(crate) use exit::Exit;
pub(crate) use link::add_to_linker;
pub(crate) use random::Random;

use crate::state::State;
use wasmtime::{Result, StoreContextMut, component::LinkerInstance};

type Context<'a> = StoreContextMut<'a, State>;
type Interface<'a> = LinkerInstance<'a, State>;

/// A resource of which the host keeps nothing but its number.
struct Opaque;

/// Fuel for a call that makes the host work: about as much time as the call takes, so that a program which does
/// nothing else ends after as long as one that computes.
const CALL_FUEL: u64 = 50_000;

/// Takes the fuel for such a call. What is missing is noticed when the program goes on.
fn charge(context: &mut Context<'_>) -> Result<()> {
    let left = context.get_fuel()?;
    context.set_fuel(left.saturating_sub(CALL_FUEL))
}
