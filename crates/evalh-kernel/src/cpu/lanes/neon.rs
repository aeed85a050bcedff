//! NEON: four registers.

use super::Lanes;
#[allow(
    clippy::wildcard_imports,
    reason = "the intrinsics have names of their own"
)]
use std::arch::aarch64::*;
use std::arch::asm;

/// NEON: four registers of four.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Neon(float32x4_t, float32x4_t, float32x4_t, float32x4_t);

/// Fours of lanes. Closures take the instruction set too, since every aarch64 target has it.
impl Neon {
    /// From the place of each four's first lane.
    #[inline(always)]
    fn places(f: impl Fn(usize) -> float32x4_t) -> Self {
        Self(f(0), f(4), f(8), f(12))
    }
    #[inline(always)]
    fn each(self, f: impl Fn(float32x4_t) -> float32x4_t) -> Self {
        Self(f(self.0), f(self.1), f(self.2), f(self.3))
    }
    #[inline(always)]
    fn zip(self, o: Self, f: impl Fn(float32x4_t, float32x4_t) -> float32x4_t) -> Self {
        Self(
            f(self.0, o.0),
            f(self.1, o.1),
            f(self.2, o.2),
            f(self.3, o.3),
        )
    }
    #[inline(always)]
    fn fours(self) -> [float32x4_t; 4] {
        [self.0, self.1, self.2, self.3]
    }
}

// SAFETY (all methods): called only from functions compiled for NEON, on pointers the caller vouches for.
impl Lanes for Neon {
    // Seven times four of 32 registers.
    const HELD: usize = 7;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        let four = unsafe { vdupq_n_f32(x) };
        Self(four, four, four, four)
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        Self::places(|at| unsafe { vld1q_f32(p.add(at)) })
    }
    #[inline(always)]
    unsafe fn load_bf16(p: *const u16) -> Self {
        Self::places(|at| unsafe { vreinterpretq_f32_u32(vshll_n_u16::<16>(vld1_u16(p.add(at)))) })
    }
    #[inline(always)]
    unsafe fn load_f16(p: *const u16) -> Self {
        Self::places(|at| unsafe { vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p.add(at)))) })
    }
    #[inline(always)]
    unsafe fn load_i8(p: *const i8) -> Self {
        unsafe {
            let bytes = vld1q_s8(p);
            let (low, high) = (vmovl_s8(vget_low_s8(bytes)), vmovl_high_s8(bytes));
            Self(
                vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))),
                vcvtq_f32_s32(vmovl_high_s16(low)),
                vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))),
                vcvtq_f32_s32(vmovl_high_s16(high)),
            )
        }
    }
    #[inline(always)]
    unsafe fn lookup(self, table: Self) -> Self {
        unsafe {
            // The table's 64 bytes are what one lookup of bytes can reach: value n is bytes 4n to 4n + 3.
            let bytes = table.fours().map(|four| vreinterpretq_u8_f32(four));
            let bytes = uint8x16x4_t(bytes[0], bytes[1], bytes[2], bytes[3]);
            self.each(|four| {
                let index = vandq_u32(vreinterpretq_u32_f32(four), vdupq_n_u32(15));
                let first = vdupq_n_u32(0x0302_0100);
                let places = vmlaq_u32(first, index, vdupq_n_u32(0x0404_0404));
                vreinterpretq_f32_u8(vqtbl4q_u8(bytes, vreinterpretq_u8_u32(places)))
            })
        }
    }
    #[inline(always)]
    unsafe fn next_four_bits(self) -> Self {
        self.each(|four| unsafe {
            vreinterpretq_f32_u32(vshrq_n_u32::<4>(vreinterpretq_u32_f32(four)))
        })
    }
    #[inline(always)]
    unsafe fn prefetch(p: *const u8) {
        // The intrinsic is not stable. Memory that is not there is no error.
        unsafe {
            asm!("prfm pldl1keep, [{}]", in(reg) p, options(nostack, readonly, preserves_flags));
        }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        for (index, four) in self.fours().into_iter().enumerate() {
            unsafe { vst1q_f32(p.add(4 * index), four) }
        }
    }
    #[inline(always)]
    unsafe fn mul_add(self, a: Self, b: Self) -> Self {
        unsafe {
            Self(
                vfmaq_f32(b.0, self.0, a.0),
                vfmaq_f32(b.1, self.1, a.1),
                vfmaq_f32(b.2, self.2, a.2),
                vfmaq_f32(b.3, self.3, a.3),
            )
        }
    }
    #[inline(always)]
    unsafe fn add(self, o: Self) -> Self {
        self.zip(o, |a, b| unsafe { vaddq_f32(a, b) })
    }
    #[inline(always)]
    unsafe fn sub(self, o: Self) -> Self {
        self.zip(o, |a, b| unsafe { vsubq_f32(a, b) })
    }
    #[inline(always)]
    unsafe fn mul(self, o: Self) -> Self {
        self.zip(o, |a, b| unsafe { vmulq_f32(a, b) })
    }
    #[inline(always)]
    unsafe fn div(self, o: Self) -> Self {
        self.zip(o, |a, b| unsafe { vdivq_f32(a, b) })
    }
    // By comparison: NEON's own maximum and minimum hand on NaN whichever side it is on.
    #[inline(always)]
    unsafe fn max(self, o: Self) -> Self {
        self.zip(o, |a, b| unsafe { vbslq_f32(vcgtq_f32(a, b), a, b) })
    }
    #[inline(always)]
    unsafe fn min(self, o: Self) -> Self {
        self.zip(o, |a, b| unsafe { vbslq_f32(vcltq_f32(a, b), a, b) })
    }
    #[inline(always)]
    unsafe fn scale_by_power(self, magic: Self) -> Self {
        self.zip(magic, |y, m| unsafe {
            let shift = vshlq_n_u32::<23>(vreinterpretq_u32_f32(m));
            vreinterpretq_f32_u32(vaddq_u32(vreinterpretq_u32_f32(y), shift))
        })
    }
    #[inline(always)]
    unsafe fn high(self) -> Self {
        self.each(|pair| unsafe {
            let mask = vdupq_n_u32(0xffff_0000);
            vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(pair), mask))
        })
    }
    #[inline(always)]
    unsafe fn low(self) -> Self {
        self.each(|pair| unsafe {
            vreinterpretq_f32_u32(vshlq_n_u32::<16>(vreinterpretq_u32_f32(pair)))
        })
    }
    #[inline(always)]
    unsafe fn load_pairs(p: *const f32) -> Self {
        Self::places(|at| unsafe {
            let float32x4x2_t(low, high) = vld2q_f32(p.add(2 * at));
            vreinterpretq_f32_u32(vsriq_n_u32::<16>(rounded(high), rounded(low)))
        })
    }
    #[inline(always)]
    unsafe fn transpose(rows: &mut [Self; 16]) {
        unsafe { transpose(rows) }
    }
}

/// The bits of each value with its bf16 neighbour, ties to even, in the high half; what is not a number stays so.
///
/// By arithmetic: the processor's own rounding to bf16 is an extension that not all have.
#[inline(always)]
unsafe fn rounded(x: float32x4_t) -> uint32x4_t {
    // SAFETY: arithmetic on lanes only.
    unsafe {
        let bits = vreinterpretq_u32_f32(x);
        let odd = vandq_u32(vshrq_n_u32::<16>(bits), vdupq_n_u32(1));
        let sum = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
        let nan = vorrq_u32(bits, vdupq_n_u32(0x0040_0000));
        vbslq_u32(vceqq_f32(x, x), sum, nan)
    }
}

/// Squares of four by four, each to its place on the other side.
#[inline(always)]
unsafe fn transpose(rows: &mut [Neon; 16]) {
    // SAFETY: moves lanes only.
    unsafe {
        let mut columns = [[vdupq_n_f32(0.0); 4]; 16];
        for (index, rows) in rows.chunks_exact(4).enumerate() {
            let rows = [
                rows[0].fours(),
                rows[1].fours(),
                rows[2].fours(),
                rows[3].fours(),
            ];
            for (square, columns) in columns.chunks_exact_mut(4).enumerate() {
                let [a, b, c, d] = rows.map(|row| row[square]);
                let even = [vtrn1q_f32(a, b), vtrn1q_f32(c, d)].map(|x| vreinterpretq_f64_f32(x));
                let odd = [vtrn2q_f32(a, b), vtrn2q_f32(c, d)].map(|x| vreinterpretq_f64_f32(x));
                columns[0][index] = vreinterpretq_f32_f64(vtrn1q_f64(even[0], even[1]));
                columns[1][index] = vreinterpretq_f32_f64(vtrn1q_f64(odd[0], odd[1]));
                columns[2][index] = vreinterpretq_f32_f64(vtrn2q_f64(even[0], even[1]));
                columns[3][index] = vreinterpretq_f32_f64(vtrn2q_f64(odd[0], odd[1]));
            }
        }
        for (row, [a, b, c, d]) in rows.iter_mut().zip(columns) {
            *row = Neon(a, b, c, d);
        }
    }
}
