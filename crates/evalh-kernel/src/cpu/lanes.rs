//! Sixteen `f32` lanes, written once for every instruction set.
//!
//! All sets round alike: products are fused with their sum, and every reduction has a fixed order. So a result has
//! the same bits whichever set computes it, which the tests assert.

/// Sixteen `f32` values on which arithmetic acts lane by lane.
pub(super) trait Lanes: Copy {
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
    /// Pairs of bf16 values: `self` in the low bits and `high` in the high ones, each rounded to nearest, ties to even.
    unsafe fn pair(self, high: Self) -> Self;
    /// Each lane's sixteen bf16 pairs from thirty-two values in memory, an even place in the low bits.
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

/// The portable set. Compiled for every target; on x86-64 its fused product is a library call.
#[derive(Clone, Copy)]
pub(super) struct Portable([f32; 16]);

impl Portable {
    #[inline(always)]
    fn zip(self, o: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], o.0[i])))
    }
}

impl Lanes for Portable {
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
    unsafe fn pair(self, high: Self) -> Self {
        self.zip(high, |low, high| {
            f32::from_bits(bf16_bits(low) | bf16_bits(high) << 16)
        })
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

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    use super::{Lanes, Portable};
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
        unsafe fn pair(self, high: Self) -> Self {
            unsafe {
                let low = _mm512_srli_epi32::<16>(rounded(self.0));
                let high =
                    _mm512_and_si512(rounded(high.0), _mm512_set1_epi32(0xffff_0000_u32 as i32));
                Self(_mm512_castsi512_ps(_mm512_or_si512(low, high)))
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
                Self(low).pair(Self(_mm512_permutex2var_ps(a, odd, b)))
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
                let low = [_mm512_unpacklo_ps(a, b), _mm512_unpacklo_ps(c, d)]
                    .map(|x| _mm512_castps_pd(x));
                let high = [_mm512_unpackhi_ps(a, b), _mm512_unpackhi_ps(c, d)]
                    .map(|x| _mm512_castps_pd(x));
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

    /// AVX2 with FMA: two registers of eight.
    #[derive(Clone, Copy)]
    pub(in crate::cpu) struct Avx2(__m256, __m256);

    // SAFETY (all methods): called only from functions compiled for AVX2 and FMA, on pointers the caller vouches for.
    impl Lanes for Avx2 {
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
                    let bias = _mm256_set1_ps(super::HALF_BIAS);
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
                let half = |p: *const i8| {
                    _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(p.cast())))
                };
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
                let half = |x: __m256| {
                    _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_castps_si256(x)))
                };
                Self(half(self.0), half(self.1))
            }
        }
        #[inline(always)]
        unsafe fn pair(self, high: Self) -> Self {
            // Through memory: only packing does this, once for many products.
            unsafe {
                let Portable(pairs) = self.portable().pair(high.portable());
                Self::load(pairs.as_ptr())
            }
        }
        #[inline(always)]
        unsafe fn load_pairs(p: *const f32) -> Self {
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
}
