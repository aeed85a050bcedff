//! Standard output and error, captured; standard input, closed.

use super::{Context, Interface, Opaque, charge, poll::timer};
use std::time::Instant;
use wasmtime::{
    Result, bail,
    component::{ComponentType, Lift, Lower, Resource, WasmList},
};

const STDIN: u32 = 0;
const STDOUT: u32 = 1;
const STDERR: u32 = 2;

/// How many bytes a program is told it may write in one call: more than it can have. Python's unbuffered output loses
/// what does not fit into one call.
const WRITE_BYTES: u64 = 1 << 31;

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    Failed(Resource<Opaque>),
    #[component(name = "closed")]
    Closed,
}

pub(super) fn define(interface: &mut Interface<'_>, member: &str) -> Result<bool> {
    match member {
        "get-stdin" => stream(interface, member, STDIN)?,
        "get-stdout" => stream(interface, member, STDOUT)?,
        "get-stderr" => stream(interface, member, STDERR)?,
        "[method]output-stream.check-write" => {
            interface.func_wrap(member, |_: Context<'_>, (_,): (Resource<Opaque>,)| {
                Ok((Ok::<u64, StreamError>(WRITE_BYTES),))
            })?;
        }
        "[method]output-stream.write" | "[method]output-stream.blocking-write-and-flush" => {
            interface.func_wrap(member, write)?;
        }
        "[method]output-stream.flush" | "[method]output-stream.blocking-flush" => {
            interface.func_wrap(member, |_: Context<'_>, (_,): (Resource<Opaque>,)| {
                Ok((Ok::<(), StreamError>(()),))
            })?;
        }
        "[method]input-stream.read" | "[method]input-stream.blocking-read" => {
            interface.func_wrap(member, |_: Context<'_>, (_, _): (Resource<Opaque>, u64)| {
                Ok((Err::<Vec<u8>, StreamError>(StreamError::Closed),))
            })?;
        }
        "[method]output-stream.subscribe" | "[method]input-stream.subscribe" => {
            interface.func_wrap(
                member,
                |mut context: Context<'_>, (_,): (Resource<Opaque>,)| {
                    timer(&mut context, Instant::now())
                },
            )?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn write(
    mut context: Context<'_>,
    (to, bytes): (Resource<Opaque>, WasmList<u8>),
) -> Result<(Result<(), StreamError>,)> {
    charge(&mut context)?;
    let output = match to.rep() {
        STDOUT => &context.data().stdout,
        STDERR => &context.data().stderr,
        _ => bail!("the program wrote to a stream it was not given"),
    };
    // All but the bytes that are kept stay in the guest.
    let bytes = bytes.as_le_slice(&context);
    let (head, total) = (
        bytes[..bytes.len().min(output.room())].to_vec(),
        bytes.len(),
    );
    let state = context.data_mut();
    let output = if to.rep() == STDOUT {
        &mut state.stdout
    } else {
        &mut state.stderr
    };
    output.write(&head, total);
    Ok((Ok(()),))
}

fn stream(interface: &mut Interface<'_>, member: &str, number: u32) -> Result<()> {
    interface.func_wrap(member, move |_: Context<'_>, (): ()| {
        Ok((Resource::<Opaque>::new_own(number),))
    })
}
