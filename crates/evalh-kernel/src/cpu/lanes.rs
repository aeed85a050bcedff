//! Sixteen `f32` lanes, written once for every instruction set.
//!
//! All sets round alike: products are fused with their sum, and every reduction has a fixed order. So a result has
//! the same bits whichever set computes it, which the tests assert.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(test)]
mod tests;

#[cfg(target_arch = "x86_64")]
pub(super) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(super) use avx512::{Avx512, Avx512Bf16};
#[cfg(target_arch = "aarch64")]
pub(super) use neon::Neon;
pub(super) use portable::Portable;

/// Sixteen `f32` values on which arithmetic acts lane by lane.
pub(super) trait Lanes: Copy {
    /// How many of these the registers hold, beside what else a loop needs. It is what inner loops are cut to.
    const HELD: usize;

    /// All lanes the same value.
    unsafe fn splat(x: f32) -> Self;
    /// Sixteen values from memory, unaligned.
    unsafe fn load(p: *const f32) -> Self;
    /// Sixteen bf16 values from memory, widened.
    unsafe fn load_bf16(p: *const u16) -> Self;
    /// Sixteen finite half-precision values from memory, widened.
    unsafe fn load_f16(p: *const u16) -> Self;
    /// Sixteen signed bytes from memory, as numbers.
    unsafe fn load_i8(p: *const i8) -> Self;
    /// The values of a table of sixteen which the low four of each lane's bits name.
    unsafe fn lookup(self, table: Self) -> Self;
    /// Each lane's bits moved down by four, so that the next four are the low ones.
    unsafe fn next_four_bits(self) -> Self;
    /// Asks for a line of memory that will be read soon. The address need not be valid.
    unsafe fn prefetch(p: *const u8);
    /// Sixteen values to memory, unaligned.
    unsafe fn store(self, p: *mut f32);
    /// `self * a + b`, rounded once.
    unsafe fn mul_add(self, a: Self, b: Self) -> Self;
    unsafe fn add(self, o: Self) -> Self;
    unsafe fn sub(self, o: Self) -> Self;
    unsafe fn mul(self, o: Self) -> Self;
    unsafe fn div(self, o: Self) -> Self;
    /// The larger of the two; the second where the first is NaN, as the x86 instruction does.
    unsafe fn max(self, o: Self) -> Self;
    /// The smaller of the two; the second where the first is NaN.
    unsafe fn min(self, o: Self) -> Self;
    /// Adds `n` to the exponent, where `n` is the integer in the low bits of `magic` (see [`exp`]).
    unsafe fn scale_by_power(self, magic: Self) -> Self;
    /// Of each lane as a pair of bf16 values, the one in the high bits, widened.
    unsafe fn high(self) -> Self;
    /// The one in the low bits.
    unsafe fn low(self) -> Self;
    /// Sixteen bf16 pairs from thirty-two values in memory, an even place in the low bits, each rounded to nearest, ties
    /// to even.
    unsafe fn load_pairs(p: *const f32) -> Self;
    /// Turns sixteen rows of sixteen values into columns.
    unsafe fn transpose(rows: &mut [Self; 16]);

    /// `acc` plus the two products of bf16 pairs, the high one first, each fused with its sum: the order of x86's
    /// instruction, which takes subnormal numbers for zero besides.
    #[inline(always)]
    unsafe fn dot_pairs(self, o: Self, acc: Self) -> Self {
        // SAFETY: arithmetic on lanes only.
        unsafe {
            let acc = self.high().mul_add(o.high(), acc);
            self.low().mul_add(o.low(), acc)
        }
    }

    /// Sum of the lanes: halves added to halves, in this order for every set.
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        let mut v = [0f32; 16];
        // SAFETY: the array holds sixteen values.
        unsafe { self.store(v.as_mut_ptr()) };
        for half in [8, 4, 2, 1] {
            for i in 0..half {
                v[i] += v[i + half];
            }
        }
        v[0]
    }

    /// Largest lane.
    #[inline(always)]
    unsafe fn largest(self) -> f32 {
        let mut v = [0f32; 16];
        // SAFETY: the array holds sixteen values.
        unsafe { self.store(v.as_mut_ptr()) };
        v.into_iter().fold(f32::NEG_INFINITY, f32::max)
    }
}

/// Adding this rounds to an integer, which then stands in the low bits of the sum.
const MAGIC: f32 = 12_582_912.0;

/// e to the power of each lane, within 2 units in the last place for -87 to 88 and clamped outside.
///
/// Cephes' `expf`: the argument is reduced by a multiple of ln 2 held in two parts, then a polynomial.
#[inline(always)]
pub(super) unsafe fn exp<V: Lanes>(x: V) -> V {
    // SAFETY: arithmetic on lanes only; the caller vouches for the instruction set.
    unsafe {
        let x = x.max(V::splat(-87.0)).min(V::splat(88.0));
        let magic = x.mul_add(V::splat(std::f32::consts::LOG2_E), V::splat(MAGIC));
        let n = magic.sub(V::splat(MAGIC));
        let r = n.mul_add(V::splat(-0.693_359_4), x);
        let r = n.mul_add(V::splat(2.121_944_4e-4), r);
        let mut p = V::splat(1.987_569_1e-4);
        for c in [
            1.398_2e-3,
            8.333_452e-3,
            4.166_579_6e-2,
            1.666_666_6e-1,
            0.5,
        ] {
            p = p.mul_add(r, V::splat(c));
        }
        let y = p.mul_add(r.mul(r), r).add(V::splat(1.0));
        y.scale_by_power(magic)
    }
}

/// What a half-precision number's exponent and fraction, moved into place, lack in the exponent's bias: 2 to the
/// power of 112.
const HALF_BIAS: f32 = f32::from_bits((112 + 127) << 23);

/// The value of a finite half-precision number.
#[inline(always)]
pub(super) fn f16_value(bits: u16) -> f32 {
    let bits = u32::from(bits);
    let magnitude = f32::from_bits((bits & 0x7FFF) << 13) * HALF_BIAS;
    f32::from_bits(magnitude.to_bits() | (bits & 0x8000) << 16)
}

/// The bf16 value nearest to `x`, ties to even, in the low bits; what is not a number stays so. Without a branch, so that
/// the compiler can take several at once.
#[inline(always)]
pub(super) fn bf16_bits(x: f32) -> u32 {
    let bits = x.to_bits();
    let rounded = bits.wrapping_add(0x7fff + (bits >> 16 & 1));
    (if x.is_nan() {
        bits | 0x40_0000
    } else {
        rounded
    }) >> 16
}
