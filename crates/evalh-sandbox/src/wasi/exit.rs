//! Ending the interpreter.

use super::{Context, Interface};
use wasmtime::Result;

/// Carried by the error of a call that ended in an exit.
#[derive(Debug, thiserror::Error)]
#[error("the program exited with code {0}")]
pub(crate) struct Exit(pub(crate) i32);

pub(super) fn define(interface: &mut Interface<'_>, member: &str) -> Result<bool> {
    if member != "exit" {
        return Ok(false);
    }
    interface.func_wrap(
        member,
        |_: Context<'_>, (status,): (Result<(), ()>,)| -> Result<()> {
            Err(wasmtime::Error::new(Exit(i32::from(status.is_err()))))
        },
    )?;
    Ok(true)
}
