//! What the guest tells about a program; see `sandboxes/python/world.wit`.

use super::{Context, Interface};
use crate::state::Report;
use wasmtime::Result;

pub(super) fn define(interface: &mut Interface<'_>, member: &str) -> Result<bool> {
    match member {
        "report" => interface.func_wrap(
            member,
            |mut context: Context<'_>, (class, message): (String, String)| {
                context.data_mut().report = Some(Report { class, message });
                Ok(())
            },
        )?,
        "finished" => {
            interface.func_wrap(member, |mut context: Context<'_>, (evidence,): (u64,)| {
                context.data_mut().evidence = Some(evidence);
                Ok(())
            })?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}
