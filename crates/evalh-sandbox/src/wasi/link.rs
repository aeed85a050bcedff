//! Which of a component's imports get an answer.

use super::{Interface, Opaque, clocks, environment, exit, poll, random, refuse, streams, verdict};
use crate::state::State;
use wasmtime::{
    Engine, Result, bail,
    component::{
        Component, Linker, ResourceType,
        types::{ComponentInstance, ComponentItem},
    },
};

/// Defines every import of the component: the few that programs need, and a refusal for each other one.
pub(crate) fn add_to_linker(linker: &mut Linker<State>, component: &Component) -> Result<()> {
    let engine = linker.engine().clone();
    for (name, import) in component.component_type().imports(&engine) {
        let ComponentItem::ComponentInstance(members) = import.ty else {
            bail!("its import {name} is not an interface")
        };
        define(&mut linker.instance(name)?, name, &members, &engine)?;
    }
    Ok(())
}

fn define(
    interface: &mut Interface<'_>,
    name: &str,
    members: &ComponentInstance,
    engine: &Engine,
) -> Result<()> {
    // The release of an interface (`wasi:io/poll@0.2.9`) does not change the functions used here.
    let unversioned = name.split('@').next().unwrap_or(name);
    for (member, item) in members.exports(engine) {
        match item.ty {
            ComponentItem::Resource(_) if member == "pollable" => poll::define_resource(interface)?,
            ComponentItem::Resource(_) => {
                interface.resource(member, ResourceType::host::<Opaque>(), |_, _| Ok(()))?;
            }
            ComponentItem::ComponentFunc(function) if !grant(interface, unversioned, member)? => {
                refuse::define(interface, name, member, &function)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Defines a granted function; false where it is not granted.
fn grant(interface: &mut Interface<'_>, name: &str, member: &str) -> Result<bool> {
    match name {
        "evalh:sandbox/verdict" => verdict::define(interface, member),
        "wasi:cli/environment" | "wasi:sockets/instance-network" => {
            environment::define(interface, member)
        }
        "wasi:cli/exit" => exit::define(interface, member),
        "wasi:cli/stdin" | "wasi:cli/stdout" | "wasi:cli/stderr" | "wasi:io/streams" => {
            streams::define(interface, member)
        }
        "wasi:clocks/monotonic-clock" => clocks::define_monotonic(interface, member),
        "wasi:clocks/wall-clock" => clocks::define_wall(interface, member),
        "wasi:io/poll" => poll::define(interface, member),
        "wasi:random/random" => random::define(interface, member),
        _ => Ok(false),
    }
}
