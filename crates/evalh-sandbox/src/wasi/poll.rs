//! Waiting for timers, the only things a program can wait for.

use super::{Context, Interface, charge};
use std::time::Instant;
use wasmtime::{
    Result, bail,
    component::{Resource, ResourceType},
};

/// Something to wait for: a moment.
pub(super) struct Timer(Instant);

/// A new timer in the guest's hands.
pub(super) fn timer(context: &mut Context<'_>, at: Instant) -> Result<(Resource<Timer>,)> {
    charge(context)?;
    Ok((context.data_mut().resources.push(Timer(at))?,))
}

pub(super) fn define_resource(interface: &mut Interface<'_>) -> Result<()> {
    interface.resource(
        "pollable",
        ResourceType::host::<Timer>(),
        |mut context, number| {
            context
                .data_mut()
                .resources
                .delete(Resource::<Timer>::new_own(number))?;
            Ok(())
        },
    )
}

pub(super) fn define(interface: &mut Interface<'_>, member: &str) -> Result<bool> {
    match member {
        "[method]pollable.ready" => interface.func_wrap(
            member,
            |context: Context<'_>, (timer,): (Resource<Timer>,)| {
                Ok((moment(&context, &timer)? <= Instant::now(),))
            },
        )?,
        "[method]pollable.block" => {
            interface.func_wrap(
                member,
                |mut context: Context<'_>, (timer,): (Resource<Timer>,)| {
                    let at = moment(&context, &timer)?;
                    context.data_mut().clock.sleep_until(at)
                },
            )?;
        }
        "poll" => interface.func_wrap(
            member,
            |mut context: Context<'_>, (timers,): (Vec<Resource<Timer>>,)| {
                let moments = timers
                    .iter()
                    .map(|timer| moment(&context, timer))
                    .collect::<Result<Vec<_>>>()?;
                let Some(first) = moments.iter().min() else {
                    bail!("the program waits for nothing")
                };
                context.data_mut().clock.sleep_until(*first)?;
                let now = Instant::now();
                Ok(((0u32..)
                    .zip(&moments)
                    .filter(|(_, at)| **at <= now)
                    .map(|(index, _)| index)
                    .collect::<Vec<u32>>(),))
            },
        )?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn moment(context: &Context<'_>, timer: &Resource<Timer>) -> Result<Instant> {
    Ok(context.data().resources.get(timer)?.0)
}
