//! What surrounds a program: arguments, an empty environment, no network.

use super::{Context, Interface, Opaque};
use wasmtime::{Result, component::Resource};

/// `sys.argv[0]`, which some modules of the standard library need.
const PROGRAM_NAME: &str = "program.py";

pub(super) fn define(interface: &mut Interface<'_>, member: &str) -> Result<bool> {
    match member {
        "get-arguments" => {
            interface.func_wrap(member, |_: Context<'_>, (): ()| {
                Ok((vec![PROGRAM_NAME.to_owned()],))
            })?;
        }
        // The network as such; every use of it is refused.
        "instance-network" => {
            interface.func_wrap(member, |_: Context<'_>, (): ()| {
                Ok((Resource::<Opaque>::new_own(0),))
            })?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}
