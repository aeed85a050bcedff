//! AVX-512: one register.

use super::Lanes;
#[allow(
    clippy::wildcard_imports,
    reason = "the intrinsics have names of their own"
)]
use std::arch::x86_64::*;

/// AVX-512F; with its own products of bf16 pairs where `PAIRS` is set.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Wide<const PAIRS: bool>(__m512);

/// AVX-512F.
pub(in crate::cpu) type Avx512 = Wide<false>;
/// AVX-512F with AVX512-BF16.
pub(in crate::cpu) type Avx512Bf16 = Wide<true>;

// SAFETY (all methods): called only from functions compiled for AVX-512F, and for AVX512-BF16 where `PAIRS` is set, on
// pointers the caller vouches for.
impl<const PAIRS: bool> Lanes for Wide<PAIRS> {
    // Of 32 registers.
    const HELD: usize = 30;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        unsafe { Self(_mm512_set1_ps(x)) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        unsafe { Self(_mm512_loadu_ps(p)) }
    }
    #[inline(always)]
    unsafe fn load_bf16(p: *const u16) -> Self {
        unsafe {
            let wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(p.cast()));
            Self(_mm512_castsi512_ps(_mm512_slli_epi32::<16>(wide)))
        }
    }
    #[inline(always)]
    unsafe fn load_f16(p: *const u16) -> Self {
        unsafe { Self(_mm512_cvtph_ps(_mm256_loadu_si256(p.cast()))) }
    }
    #[inline(always)]
    unsafe fn load_i8(p: *const i8) -> Self {
        unsafe {
            let wide = _mm512_cvtepi8_epi32(_mm_loadu_si128(p.cast()));
            Self(_mm512_cvtepi32_ps(wide))
        }
    }
    #[inline(always)]
    unsafe fn lookup(self, table: Self) -> Self {
        // The permutation reads the low four bits of each index and no others.
        unsafe { Self(_mm512_permutexvar_ps(_mm512_castps_si512(self.0), table.0)) }
    }
    #[inline(always)]
    unsafe fn next_four_bits(self) -> Self {
        unsafe {
            let bits = _mm512_srli_epi32::<4>(_mm512_castps_si512(self.0));
            Self(_mm512_castsi512_ps(bits))
        }
    }
    #[inline(always)]
    unsafe fn prefetch(p: *const u8) {
        unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        unsafe { _mm512_storeu_ps(p, self.0) }
    }
    #[inline(always)]
    unsafe fn mul_add(self, a: Self, b: Self) -> Self {
        unsafe { Self(_mm512_fmadd_ps(self.0, a.0, b.0)) }
    }
    #[inline(always)]
    unsafe fn add(self, o: Self) -> Self {
        unsafe { Self(_mm512_add_ps(self.0, o.0)) }
    }
    #[inline(always)]
    unsafe fn sub(self, o: Self) -> Self {
        unsafe { Self(_mm512_sub_ps(self.0, o.0)) }
    }
    #[inline(always)]
    unsafe fn mul(self, o: Self) -> Self {
        unsafe { Self(_mm512_mul_ps(self.0, o.0)) }
    }
    #[inline(always)]
    unsafe fn div(self, o: Self) -> Self {
        unsafe { Self(_mm512_div_ps(self.0, o.0)) }
    }
    #[inline(always)]
    unsafe fn max(self, o: Self) -> Self {
        unsafe { Self(_mm512_max_ps(self.0, o.0)) }
    }
    #[inline(always)]
    unsafe fn min(self, o: Self) -> Self {
        unsafe { Self(_mm512_min_ps(self.0, o.0)) }
    }
    #[inline(always)]
    unsafe fn scale_by_power(self, magic: Self) -> Self {
        unsafe {
            let shift = _mm512_slli_epi32::<23>(_mm512_castps_si512(magic.0));
            Self(_mm512_castsi512_ps(_mm512_add_epi32(
                _mm512_castps_si512(self.0),
                shift,
            )))
        }
    }
    #[inline(always)]
    unsafe fn high(self) -> Self {
        unsafe {
            let mask = _mm512_set1_epi32(0xffff_0000_u32 as i32);
            let bits = _mm512_and_si512(_mm512_castps_si512(self.0), mask);
            Self(_mm512_castsi512_ps(bits))
        }
    }
    #[inline(always)]
    unsafe fn low(self) -> Self {
        unsafe {
            let bits = _mm512_slli_epi32::<16>(_mm512_castps_si512(self.0));
            Self(_mm512_castsi512_ps(bits))
        }
    }
    #[inline(always)]
    unsafe fn load_pairs(p: *const f32) -> Self {
        unsafe {
            let (a, b) = (_mm512_loadu_ps(p), _mm512_loadu_ps(p.add(16)));
            let places =
                _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            let low = _mm512_permutex2var_ps(a, places, b);
            let odd = _mm512_add_epi32(places, _mm512_set1_epi32(1));
            let high = _mm512_permutex2var_ps(a, odd, b);
            let low = _mm512_srli_epi32::<16>(rounded(low));
            let high = _mm512_and_si512(rounded(high), _mm512_set1_epi32(0xffff_0000_u32 as i32));
            Self(_mm512_castsi512_ps(_mm512_or_si512(low, high)))
        }
    }
    #[inline(always)]
    unsafe fn transpose(rows: &mut [Self; 16]) {
        unsafe { transpose(rows) }
    }
    #[inline(always)]
    unsafe fn dot_pairs(self, o: Self, acc: Self) -> Self {
        unsafe {
            if PAIRS {
                return Self(dot_pairs(acc.0, self.0, o.0));
            }
            let acc = self.high().mul_add(o.high(), acc);
            self.low().mul_add(o.low(), acc)
        }
    }
}

/// The bits of each value with its bf16 neighbour, ties to even, in the high half; what is not a number stays so.
#[inline(always)]
unsafe fn rounded(x: __m512) -> __m512i {
    // SAFETY: arithmetic on lanes only.
    unsafe {
        let bits = _mm512_castps_si512(x);
        let odd = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
        let bias = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
        let sum = _mm512_add_epi32(bits, bias);
        let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(x, x);
        _mm512_mask_or_epi32(sum, nan, bits, _mm512_set1_epi32(0x0040_0000))
    }
}

/// `acc` plus the products of bf16 pairs.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn dot_pairs(acc: __m512, x: __m512, y: __m512) -> __m512 {
    // SAFETY: sixty-four bytes either way.
    let pairs = |x| unsafe { std::mem::transmute::<__m512, __m512bh>(x) };
    _mm512_dpbf16_ps(acc, pairs(x), pairs(y))
}

/// Pairs of lanes, then pairs of those, then quarters change places.
#[inline(always)]
unsafe fn transpose<const PAIRS: bool>(rows: &mut [Wide<PAIRS>; 16]) {
    // SAFETY: moves lanes only.
    unsafe {
        let mut fours = [[_mm512_setzero_ps(); 4]; 4];
        for (four, rows) in fours.iter_mut().zip(rows.chunks_exact(4)) {
            let [a, b, c, d] = [rows[0].0, rows[1].0, rows[2].0, rows[3].0];
            let low =
                [_mm512_unpacklo_ps(a, b), _mm512_unpacklo_ps(c, d)].map(|x| _mm512_castps_pd(x));
            let high =
                [_mm512_unpackhi_ps(a, b), _mm512_unpackhi_ps(c, d)].map(|x| _mm512_castps_pd(x));
            *four = [
                _mm512_castpd_ps(_mm512_unpacklo_pd(low[0], low[1])),
                _mm512_castpd_ps(_mm512_unpackhi_pd(low[0], low[1])),
                _mm512_castpd_ps(_mm512_unpacklo_pd(high[0], high[1])),
                _mm512_castpd_ps(_mm512_unpackhi_pd(high[0], high[1])),
            ];
        }
        for c in 0..4 {
            let [a, b, x, y] = [fours[0][c], fours[1][c], fours[2][c], fours[3][c]];
            let even = [
                _mm512_shuffle_f32x4::<0x88>(a, b),
                _mm512_shuffle_f32x4::<0x88>(x, y),
            ];
            let odd = [
                _mm512_shuffle_f32x4::<0xdd>(a, b),
                _mm512_shuffle_f32x4::<0xdd>(x, y),
            ];
            rows[c] = Wide(_mm512_shuffle_f32x4::<0x88>(even[0], even[1]));
            rows[c + 4] = Wide(_mm512_shuffle_f32x4::<0x88>(odd[0], odd[1]));
            rows[c + 8] = Wide(_mm512_shuffle_f32x4::<0xdd>(even[0], even[1]));
            rows[c + 12] = Wide(_mm512_shuffle_f32x4::<0xdd>(odd[0], odd[1]));
        }
    }
}
