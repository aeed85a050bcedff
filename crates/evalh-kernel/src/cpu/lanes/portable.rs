//! Plain Rust.

use super::{Lanes, bf16_bits, f16_value};

/// The portable set. Compiled for every target; on x86-64 its fused product is a library call.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Portable(pub(super) [f32; 16]);

impl Portable {
    #[inline(always)]
    fn zip(self, o: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], o.0[i])))
    }
}

impl Lanes for Portable {
    // The registers are not known here, so nothing is cut.
    const HELD: usize = 30;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        Self([x; 16])
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        // SAFETY: the caller vouches for sixteen readable values.
        Self(unsafe { p.cast::<[f32; 16]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn load_bf16(p: *const u16) -> Self {
        // SAFETY: the caller vouches for sixteen readable values.
        let raw = unsafe { p.cast::<[u16; 16]>().read_unaligned() };
        Self(raw.map(|x| f32::from_bits(u32::from(x) << 16)))
    }
    #[inline(always)]
    unsafe fn load_f16(p: *const u16) -> Self {
        // SAFETY: the caller vouches for sixteen readable values.
        Self(unsafe { p.cast::<[u16; 16]>().read_unaligned() }.map(f16_value))
    }
    #[inline(always)]
    unsafe fn load_i8(p: *const i8) -> Self {
        // SAFETY: the caller vouches for sixteen readable values.
        Self(unsafe { p.cast::<[i8; 16]>().read_unaligned() }.map(f32::from))
    }
    #[inline(always)]
    unsafe fn lookup(self, table: Self) -> Self {
        Self(self.0.map(|x| table.0[(x.to_bits() & 15) as usize]))
    }
    #[inline(always)]
    unsafe fn next_four_bits(self) -> Self {
        Self(self.0.map(|x| f32::from_bits(x.to_bits() >> 4)))
    }
    #[inline(always)]
    unsafe fn prefetch(_: *const u8) {}
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        // SAFETY: the caller vouches for sixteen writable values.
        unsafe { p.cast::<[f32; 16]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn mul_add(self, a: Self, b: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i].mul_add(a.0[i], b.0[i])))
    }
    #[inline(always)]
    unsafe fn add(self, o: Self) -> Self {
        self.zip(o, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(self, o: Self) -> Self {
        self.zip(o, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul(self, o: Self) -> Self {
        self.zip(o, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn div(self, o: Self) -> Self {
        self.zip(o, |a, b| a / b)
    }
    #[inline(always)]
    unsafe fn max(self, o: Self) -> Self {
        self.zip(o, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    unsafe fn min(self, o: Self) -> Self {
        self.zip(o, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    unsafe fn scale_by_power(self, magic: Self) -> Self {
        self.zip(magic, |y, m| {
            f32::from_bits(y.to_bits().wrapping_add(m.to_bits() << 23))
        })
    }
    #[inline(always)]
    unsafe fn high(self) -> Self {
        Self(self.0.map(|x| f32::from_bits(x.to_bits() & 0xffff_0000)))
    }
    #[inline(always)]
    unsafe fn low(self) -> Self {
        Self(self.0.map(|x| f32::from_bits(x.to_bits() << 16)))
    }
    #[inline(always)]
    unsafe fn load_pairs(p: *const f32) -> Self {
        // SAFETY: the caller vouches for thirty-two readable values.
        let values = unsafe { p.cast::<[[f32; 2]; 16]>().read_unaligned() };
        Self(values.map(|[low, high]| f32::from_bits(bf16_bits(low) | bf16_bits(high) << 16)))
    }
    #[inline(always)]
    unsafe fn transpose(rows: &mut [Self; 16]) {
        let from = *rows;
        for (c, row) in rows.iter_mut().enumerate() {
            row.0 = from.map(|row| row.0[c]);
        }
    }
}
