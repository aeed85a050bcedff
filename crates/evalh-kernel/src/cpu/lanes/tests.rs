//! Every method of every set against the portable one.

use super::{Lanes, Portable, exp};
use crate::cpu::isa::{Isa, dispatch};

/// Any bits at all.
fn bits(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(747_796_405).wrapping_add(1);
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f32::from_bits(state ^ state >> 15)
        })
        .collect()
}

/// Finite numbers of both signs and all sizes, zeros and subnormal ones among them, that stay finite when multiplied.
fn numbers(n: usize, seed: u32) -> Vec<f32> {
    let few = [0.0, -0.0, 1.0, -1.0, 1e-40, -3e-45, f32::MIN_POSITIVE];
    bits(n, seed)
        .into_iter()
        .enumerate()
        .map(|(i, x)| {
            let small = f32::from_bits(x.to_bits() & 0x9fff_ffff | 0x2000_0000);
            few.get(i % 23).copied().unwrap_or(small)
        })
        .collect()
}

dispatch! {
    unsafe fn arithmetic(isa; x: &[f32], y: &[f32], z: &[f32], out: &mut Vec<f32>) = arithmetic_lanes
}

#[inline(always)]
unsafe fn arithmetic_lanes<V: Lanes>(x: &[f32], y: &[f32], z: &[f32], out: &mut Vec<f32>) {
    let parts = x.chunks_exact(16).zip(y.chunks_exact(16));
    for ((x, y), z) in parts.zip(z.chunks_exact(16)) {
        // SAFETY: sixteen values each.
        unsafe {
            let (x, y) = (V::load(x.as_ptr()), V::load(y.as_ptr()));
            let z = V::load(z.as_ptr());
            for lanes in [
                x.mul_add(y, z),
                x.add(y),
                x.sub(y),
                x.mul(y),
                x.div(y.max(V::splat(1e-9))),
                x.dot_pairs(y, z),
                exp(x.mul(V::splat(1e9))),
            ] {
                keep(lanes, out);
            }
            out.extend([x.sum(), x.largest()]);
        }
    }
}

dispatch! {
    unsafe fn on_bits(isa; x: &[f32], y: &[f32], z: &[f32], out: &mut Vec<f32>) = on_bits_lanes
}

#[inline(always)]
unsafe fn on_bits_lanes<V: Lanes>(x: &[f32], y: &[f32], z: &[f32], out: &mut Vec<f32>) {
    for (x, y) in x.chunks_exact(32).zip(y.chunks_exact(32)) {
        // SAFETY: thirty-two values each, and sixteen of the table.
        unsafe {
            let pairs = V::load_pairs(x.as_ptr());
            let (x, y) = (V::load(x.as_ptr()), V::load(y.as_ptr()));
            for lanes in [
                pairs,
                x.max(y),
                x.min(y),
                y.max(x),
                y.min(x),
                x.high(),
                x.low(),
                x.lookup(V::load(z.as_ptr())),
                x.next_four_bits(),
                x.scale_by_power(y),
            ] {
                keep(lanes, out);
            }
        }
    }
}

dispatch! {
    unsafe fn widened(isa; halves: &[u16], bytes: &[i8], out: &mut Vec<f32>) = widened_lanes
}

#[inline(always)]
unsafe fn widened_lanes<V: Lanes>(halves: &[u16], bytes: &[i8], out: &mut Vec<f32>) {
    // SAFETY: sixteen values each.
    unsafe {
        for halves in halves.chunks_exact(16) {
            V::prefetch(halves.as_ptr().cast());
            keep(V::load_bf16(halves.as_ptr()), out);
            if halves.iter().all(|x| x & 0x7c00 != 0x7c00) {
                keep(V::load_f16(halves.as_ptr()), out);
            }
        }
        for bytes in bytes.chunks_exact(16) {
            keep(V::load_i8(bytes.as_ptr()), out);
        }
        // Any address may be asked for.
        V::prefetch(std::ptr::null());
    }
}

dispatch! {
    unsafe fn transposed(isa; x: &[f32], out: &mut Vec<f32>) = transposed_lanes
}

#[inline(always)]
unsafe fn transposed_lanes<V: Lanes>(x: &[f32], out: &mut Vec<f32>) {
    // SAFETY: sixteen rows of sixteen values.
    unsafe {
        let mut rows = [V::splat(0.0); 16];
        for (row, x) in rows.iter_mut().zip(x.chunks_exact(16)) {
            *row = V::load(x.as_ptr());
        }
        V::transpose(&mut rows);
        for row in &rows {
            keep(*row, out);
        }
    }
}

#[inline(always)]
unsafe fn keep<V: Lanes>(lanes: V, out: &mut Vec<f32>) {
    let mut values = [0f32; 16];
    // SAFETY: the array holds sixteen values.
    unsafe { lanes.store(values.as_mut_ptr()) };
    out.extend(values);
}

/// Runs `f` on every set of this machine, and asserts that the bits are the portable ones.
fn on_every_set(what: &str, f: impl Fn(Isa, &mut Vec<f32>)) {
    let mut want = Vec::new();
    f(Isa::Portable, &mut want);
    assert!(!want.is_empty(), "{what}");
    for isa in Isa::available() {
        let mut got = Vec::new();
        f(isa, &mut got);
        assert_eq!(got.len(), want.len(), "{what} of {isa}");
        for (place, (got, want)) in got.iter().zip(&want).enumerate() {
            assert_eq!(
                got.to_bits(),
                want.to_bits(),
                "{what} of {isa}: value {place} is {got:e}, not {want:e}"
            );
        }
    }
}

#[test]
fn arithmetic_has_the_portable_bits() {
    let [x, y, z] = [1, 2, 3].map(|seed| numbers(16 * 64, seed));
    // SAFETY: whole parts of sixteen values; the set is one of this machine's.
    on_every_set("arithmetic", |isa, out| unsafe {
        arithmetic(isa, &x, &y, &z, out);
    });
}

#[test]
fn any_bits_are_treated_as_the_portable_set_does() {
    let (mut x, mut y) = (bits(32 * 64, 4), bits(32 * 64, 5));
    for (i, special) in [
        f32::NAN,
        -f32::NAN,
        f32::from_bits(0x7f80_0001),
        f32::INFINITY,
        f32::NEG_INFINITY,
        0.0,
        -0.0,
        1.0,
    ]
    .into_iter()
    .enumerate()
    {
        // Each with each other, in the half that lanes are loaded from.
        for k in 0..8 {
            x[32 * i + k] = special;
            y[32 * k + i] = special;
        }
    }
    let table = numbers(16, 6);
    // SAFETY: whole parts of thirty-two values; the set is one of this machine's.
    on_every_set("bits", |isa, out| unsafe {
        on_bits(isa, &x, &y, &table, out);
    });
}

#[test]
fn narrow_values_are_widened_to_themselves() {
    let halves: Vec<u16> = (0..=u16::MAX).collect();
    let bytes: Vec<i8> = (i8::MIN..=i8::MAX).collect();
    // SAFETY: whole parts of sixteen values; the set is one of this machine's.
    on_every_set("widening", |isa, out| unsafe {
        widened(isa, &halves, &bytes, out);
    });
    let finite = halves.iter().filter(|x| *x & 0x7c00 != 0x7c00);
    for half in finite {
        let want = half::f16::from_bits(*half).to_f32();
        assert_eq!(super::f16_value(*half).to_bits(), want.to_bits());
    }
}

#[test]
fn rows_become_columns() {
    let x = bits(256, 7);
    // SAFETY: sixteen rows of sixteen values; the set is one of this machine's.
    on_every_set("transpose", |isa, out| unsafe { transposed(isa, &x, out) });
    let mut rows = [Portable([0.0; 16]); 16];
    for (row, x) in rows.iter_mut().zip(x.as_chunks().0) {
        row.0 = *x;
    }
    // SAFETY: no instruction set is needed.
    unsafe { Portable::transpose(&mut rows) };
    for (c, row) in rows.iter().enumerate() {
        for (r, value) in row.0.iter().enumerate() {
            assert_eq!(value.to_bits(), x[16 * r + c].to_bits());
        }
    }
}
