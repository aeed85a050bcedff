//! Up to sixteen values of a slice as lanes.

use crate::cpu::lanes::Lanes;

/// The first sixteen values, zeros after the last.
///
/// # Safety
/// The machine has the instruction set of `V`.
#[inline(always)]
pub(super) unsafe fn load<V: Lanes>(values: &[f32]) -> V {
    // SAFETY: passed on.
    unsafe { load_or(values, 0.0) }
}

/// The first sixteen values, `fill` after the last.
///
/// # Safety
/// The machine has the instruction set of `V`.
#[inline(always)]
pub(super) unsafe fn load_or<V: Lanes>(values: &[f32], fill: f32) -> V {
    // SAFETY: sixteen values are there either way.
    unsafe {
        if values.len() >= 16 {
            return V::load(values.as_ptr());
        }
        V::load(padded(values, fill).as_ptr())
    }
}

/// Writes as many lanes as there are values, at most sixteen.
///
/// # Safety
/// The machine has the instruction set of `V`.
#[inline(always)]
pub(super) unsafe fn store<V: Lanes>(lanes: V, values: &mut [f32]) {
    // SAFETY: sixteen values are there either way.
    unsafe {
        if values.len() >= 16 {
            return lanes.store(values.as_mut_ptr());
        }
        let mut all = [0f32; 16];
        lanes.store(all.as_mut_ptr());
        cut(&all, values);
    }
}

/// Out of line, so that loops over whole parts keep their registers.
#[cold]
#[inline(never)]
fn padded(values: &[f32], fill: f32) -> [f32; 16] {
    let mut padded = [fill; 16];
    padded[..values.len()].copy_from_slice(values);
    padded
}

/// As [`padded`].
#[cold]
#[inline(never)]
fn cut(all: &[f32; 16], values: &mut [f32]) {
    values.copy_from_slice(&all[..values.len()]);
}
