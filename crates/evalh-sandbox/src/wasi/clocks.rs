//! The real clocks. The monotonic one begins with the program.

use super::{Context, Interface, poll::timer};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use wasmtime::{
    Result,
    component::{ComponentType, Lift, Lower},
};

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

pub(super) fn define_monotonic(interface: &mut Interface<'_>, member: &str) -> Result<bool> {
    match member {
        "now" => interface.func_wrap(member, |context: Context<'_>, (): ()| {
            Ok((context.data().clock.started.elapsed().as_nanos() as u64,))
        })?,
        "resolution" => interface.func_wrap(member, |_: Context<'_>, (): ()| Ok((1u64,)))?,
        "subscribe-duration" => interface.func_wrap(
            member,
            |mut context: Context<'_>, (nanoseconds,): (u64,)| {
                timer(&mut context, after(Instant::now(), nanoseconds))
            },
        )?,
        "subscribe-instant" => interface.func_wrap(
            member,
            |mut context: Context<'_>, (nanoseconds,): (u64,)| {
                let started = context.data().clock.started;
                timer(&mut context, after(started, nanoseconds))
            },
        )?,
        _ => return Ok(false),
    }
    Ok(true)
}

pub(super) fn define_wall(interface: &mut Interface<'_>, member: &str) -> Result<bool> {
    match member {
        "now" => interface.func_wrap(member, |_: Context<'_>, (): ()| {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            Ok((Datetime {
                seconds: now.as_secs(),
                nanoseconds: now.subsec_nanos(),
            },))
        })?,
        "resolution" => interface.func_wrap(member, |_: Context<'_>, (): ()| {
            Ok((Datetime {
                seconds: 0,
                nanoseconds: 1,
            },))
        })?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// A moment so much later; one too far to be told is a century away, which no program lives to see.
fn after(from: Instant, nanoseconds: u64) -> Instant {
    const CENTURY: Duration = Duration::from_hours(100 * 365 * 24);
    from + Duration::from_nanos(nanoseconds).min(CENTURY)
}
