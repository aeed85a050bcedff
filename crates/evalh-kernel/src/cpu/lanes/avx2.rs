//! AVX2 with FMA: two registers.

use super::{HALF_BIAS, Lanes, Portable};
#[allow(
    clippy::wildcard_imports,
    reason = "the intrinsics have names of their own"
)]
use std::arch::x86_64::*;

/// AVX2 with FMA: two registers of eight.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Avx2(__m256, __m256);

// SAFETY (all methods): called only from functions compiled for AVX2 and FMA, on pointers the caller vouches for.
impl Lanes for Avx2 {
    // Seven times two of 16 registers.
    const HELD: usize = 7;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        unsafe { Self(_mm256_set1_ps(x), _mm256_set1_ps(x)) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        unsafe { Self(_mm256_loadu_ps(p), _mm256_loadu_ps(p.add(8))) }
    }
    #[inline(always)]
    unsafe fn load_bf16(p: *const u16) -> Self {
        unsafe {
            let half = |p: *const u16| {
                let wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(p.cast()));
                _mm256_castsi256_ps(_mm256_slli_epi32::<16>(wide))
            };
            Self(half(p), half(p.add(8)))
        }
    }
    #[inline(always)]
    unsafe fn load_f16(p: *const u16) -> Self {
        unsafe {
            let half = |p: *const u16| {
                let wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(p.cast()));
                let sign = _mm256_and_si256(wide, _mm256_set1_epi32(0x8000));
                let magnitude = _mm256_slli_epi32::<13>(_mm256_xor_si256(wide, sign));
                let bias = _mm256_set1_ps(HALF_BIAS);
                let magnitude = _mm256_mul_ps(_mm256_castsi256_ps(magnitude), bias);
                let sign = _mm256_castsi256_ps(_mm256_slli_epi32::<16>(sign));
                _mm256_or_ps(magnitude, sign)
            };
            Self(half(p), half(p.add(8)))
        }
    }
    #[inline(always)]
    unsafe fn load_i8(p: *const i8) -> Self {
        unsafe {
            let half =
                |p: *const i8| _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(p.cast())));
            Self(half(p), half(p.add(8)))
        }
    }
    #[inline(always)]
    unsafe fn lookup(self, table: Self) -> Self {
        unsafe {
            // The permutations read three bits of each index; the fourth, as a sign, says which of them counts.
            let half = |bits: __m256| {
                let index = _mm256_castps_si256(bits);
                let fourth = _mm256_castsi256_ps(_mm256_slli_epi32::<28>(index));
                _mm256_blendv_ps(
                    _mm256_permutevar8x32_ps(table.0, index),
                    _mm256_permutevar8x32_ps(table.1, index),
                    fourth,
                )
            };
            Self(half(self.0), half(self.1))
        }
    }
    #[inline(always)]
    unsafe fn next_four_bits(self) -> Self {
        unsafe {
            let half = |bits: __m256| {
                _mm256_castsi256_ps(_mm256_srli_epi32::<4>(_mm256_castps_si256(bits)))
            };
            Self(half(self.0), half(self.1))
        }
    }
    #[inline(always)]
    unsafe fn prefetch(p: *const u8) {
        unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        unsafe {
            _mm256_storeu_ps(p, self.0);
            _mm256_storeu_ps(p.add(8), self.1);
        }
    }
    #[inline(always)]
    unsafe fn mul_add(self, a: Self, b: Self) -> Self {
        unsafe {
            Self(
                _mm256_fmadd_ps(self.0, a.0, b.0),
                _mm256_fmadd_ps(self.1, a.1, b.1),
            )
        }
    }
    #[inline(always)]
    unsafe fn add(self, o: Self) -> Self {
        unsafe { Self(_mm256_add_ps(self.0, o.0), _mm256_add_ps(self.1, o.1)) }
    }
    #[inline(always)]
    unsafe fn sub(self, o: Self) -> Self {
        unsafe { Self(_mm256_sub_ps(self.0, o.0), _mm256_sub_ps(self.1, o.1)) }
    }
    #[inline(always)]
    unsafe fn mul(self, o: Self) -> Self {
        unsafe { Self(_mm256_mul_ps(self.0, o.0), _mm256_mul_ps(self.1, o.1)) }
    }
    #[inline(always)]
    unsafe fn div(self, o: Self) -> Self {
        unsafe { Self(_mm256_div_ps(self.0, o.0), _mm256_div_ps(self.1, o.1)) }
    }
    #[inline(always)]
    unsafe fn max(self, o: Self) -> Self {
        unsafe { Self(_mm256_max_ps(self.0, o.0), _mm256_max_ps(self.1, o.1)) }
    }
    #[inline(always)]
    unsafe fn min(self, o: Self) -> Self {
        unsafe { Self(_mm256_min_ps(self.0, o.0), _mm256_min_ps(self.1, o.1)) }
    }
    #[inline(always)]
    unsafe fn scale_by_power(self, magic: Self) -> Self {
        unsafe {
            let half = |y: __m256, m: __m256| {
                let shift = _mm256_slli_epi32::<23>(_mm256_castps_si256(m));
                _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(y), shift))
            };
            Self(half(self.0, magic.0), half(self.1, magic.1))
        }
    }
    #[inline(always)]
    unsafe fn high(self) -> Self {
        unsafe {
            let mask = _mm256_castsi256_ps(_mm256_set1_epi32(0xffff_0000_u32 as i32));
            Self(_mm256_and_ps(self.0, mask), _mm256_and_ps(self.1, mask))
        }
    }
    #[inline(always)]
    unsafe fn low(self) -> Self {
        unsafe {
            let half =
                |x: __m256| _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_castps_si256(x)));
            Self(half(self.0), half(self.1))
        }
    }
    #[inline(always)]
    unsafe fn load_pairs(p: *const f32) -> Self {
        // Through memory: only packing does this, once for many products.
        unsafe {
            let Portable(pairs) = Portable::load_pairs(p);
            Self::load(pairs.as_ptr())
        }
    }
    #[inline(always)]
    unsafe fn transpose(rows: &mut [Self; 16]) {
        unsafe {
            let mut plain = rows.map(|row| row.portable());
            Portable::transpose(&mut plain);
            for (row, Portable(plain)) in rows.iter_mut().zip(plain) {
                *row = Self::load(plain.as_ptr());
            }
        }
    }
}

impl Avx2 {
    /// The lanes in memory.
    #[inline(always)]
    unsafe fn portable(self) -> Portable {
        let mut values = [0f32; 16];
        // SAFETY: the array holds sixteen values.
        unsafe { self.store(values.as_mut_ptr()) };
        Portable(values)
    }
}
