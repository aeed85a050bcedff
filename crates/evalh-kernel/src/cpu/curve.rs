//! The functions between two weights, on lanes: accurate to a few units in the last place, without branches.
//!
//! Every one hands NaN on: the limits of a clamp stand first in `max` and `min`, which give back the second where
//! either is NaN.

use super::lanes::{Lanes, exp};

/// A function of one value, applied to each lane.
pub(super) trait Curve {
    /// The function.
    ///
    /// # Safety
    /// The machine has the instruction set of `V`.
    unsafe fn at<V: Lanes>(x: V) -> V;

    /// The function, and its derivative.
    ///
    /// # Safety
    /// As for [`Curve::at`].
    unsafe fn with_slope<V: Lanes>(x: V) -> (V, V);
}

/// The coefficients' value at `x`, the highest power first.
#[inline(always)]
unsafe fn polynomial<V: Lanes>(x: V, coefficients: &[f32]) -> V {
    // SAFETY: arithmetic on lanes only; the caller vouches for the instruction set.
    unsafe {
        let mut sum = V::splat(coefficients[0]);
        for c in &coefficients[1..] {
            sum = sum.mul_add(x, V::splat(*c));
        }
        sum
    }
}

/// `x` where it lies within `limit` of zero, else the limit on its side.
#[inline(always)]
unsafe fn clamp<V: Lanes>(x: V, limit: f32) -> V {
    // SAFETY: arithmetic on lanes only; the caller vouches for the instruction set.
    unsafe { V::splat(-limit).max(V::splat(limit).min(x)) }
}

/// The error function, within 3e-7 of it relatively, and exactly -1 and 1 far out.
///
/// The odd rational function that XLA and Eigen use for arguments up to 3.83. It is let run on to 4, where it lies
/// above one by more than its rounding, so that cutting it at one gives exactly one from there on.
#[inline(always)]
pub(super) unsafe fn erf<V: Lanes>(x: V) -> V {
    const OVER: [f32; 5] = [
        0.000_229_050_66,
        0.003_408_291,
        0.050_955_694,
        0.185_208_33,
        std::f32::consts::FRAC_2_SQRT_PI,
    ];
    const UNDER: [f32; 7] = [
        -1.179_160_3e-7,
        0.000_023_547_966,
        0.001_017_962_6,
        0.014_070_47,
        0.110_985_05,
        0.497_469_24,
        1.0,
    ];
    // SAFETY: arithmetic on lanes only; the caller vouches for the instruction set.
    unsafe {
        let x = clamp(x, 4.0);
        let square = x.mul(x);
        let ratio = polynomial(square, &OVER).div(polynomial(square, &UNDER));
        clamp(x.mul(ratio), 1.0)
    }
}

/// The hyperbolic tangent, within 3e-7 of it relatively, and exactly -1 and 1 far out.
///
/// The odd rational function that XLA and Eigen use for arguments up to 7.9. It is let run on to 10 and cut at one, as
/// in [`erf`].
#[inline(always)]
pub(super) unsafe fn tanh<V: Lanes>(x: V) -> V {
    const OVER: [f32; 7] = [
        -2.760_768_5e-16,
        2.000_188e-13,
        -8.604_672e-11,
        5.122_297_3e-8,
        1.485_722_35e-5,
        6.372_619_4e-4,
        4.893_524_6e-3,
    ];
    const UNDER: [f32; 4] = [1.198_258_4e-6, 1.185_347_1e-4, 2.268_434_6e-3, 4.893_525e-3];
    // SAFETY: arithmetic on lanes only; the caller vouches for the instruction set.
    unsafe {
        let x = clamp(x, 10.0);
        let square = x.mul(x);
        let ratio = polynomial(square, &OVER).div(polynomial(square, &UNDER));
        clamp(x.mul(ratio), 1.0)
    }
}

/// `x / (1 + e^(-slope x))`.
#[inline(always)]
unsafe fn sigmoid_times<V: Lanes>(x: V, exponent: V) -> V {
    // SAFETY: arithmetic on lanes only; the caller vouches for the instruction set.
    unsafe { x.div(exp(V::splat(0.0).sub(exponent)).add(V::splat(1.0))) }
}

/// `x s` with `s = 1 / (1 + e^(-slope x))`, and its derivative `s + slope x s (1 - s)`.
#[inline(always)]
unsafe fn sigmoid_times_with_slope<V: Lanes>(x: V, slope: f32) -> (V, V) {
    // SAFETY: arithmetic on lanes only; the caller vouches for the instruction set.
    unsafe {
        let one = V::splat(1.0);
        let sigmoid = one.div(exp(x.mul(V::splat(-slope))).add(one));
        // Far out the sigmoid is small, but no smaller than its clamp: the limit keeps the product so.
        let rise = clamp(x, 64.0).mul(sigmoid).mul(V::splat(slope));
        (x.mul(sigmoid), one.sub(sigmoid).mul_add(rise, sigmoid))
    }
}

pub(super) struct Silu;
impl Curve for Silu {
    #[inline(always)]
    unsafe fn at<V: Lanes>(x: V) -> V {
        // SAFETY: passed on.
        unsafe { sigmoid_times(x, x) }
    }

    #[inline(always)]
    unsafe fn with_slope<V: Lanes>(x: V) -> (V, V) {
        // SAFETY: passed on.
        unsafe { sigmoid_times_with_slope(x, 1.0) }
    }
}

pub(super) struct QuickGelu;
impl Curve for QuickGelu {
    #[inline(always)]
    unsafe fn at<V: Lanes>(x: V) -> V {
        // SAFETY: passed on.
        unsafe { sigmoid_times(x, x.mul(V::splat(1.702))) }
    }

    #[inline(always)]
    unsafe fn with_slope<V: Lanes>(x: V) -> (V, V) {
        // SAFETY: passed on.
        unsafe { sigmoid_times_with_slope(x, 1.702) }
    }
}

pub(super) struct Gelu;
impl Curve for Gelu {
    #[inline(always)]
    unsafe fn at<V: Lanes>(x: V) -> V {
        // SAFETY: passed on.
        unsafe {
            let half = x.mul(V::splat(0.5));
            erf(x.mul(V::splat(std::f32::consts::FRAC_1_SQRT_2))).mul_add(half, half)
        }
    }

    #[inline(always)]
    unsafe fn with_slope<V: Lanes>(x: V) -> (V, V) {
        // SAFETY: passed on.
        unsafe {
            let half = V::splat(0.5);
            let below = erf(x.mul(V::splat(std::f32::consts::FRAC_1_SQRT_2))).mul_add(half, half);
            // The density is zero in `f32` long before the limit, which keeps its square finite.
            let near = clamp(x, 16.0);
            let density = exp(near.mul(near).mul(V::splat(-0.5))).mul(V::splat(0.398_942_3));
            (x.mul(below), near.mul_add(density, below))
        }
    }
}

pub(super) struct GeluTanh;
impl Curve for GeluTanh {
    #[inline(always)]
    unsafe fn at<V: Lanes>(x: V) -> V {
        // SAFETY: passed on.
        unsafe {
            let half = x.mul(V::splat(0.5));
            let cubic = x.mul(x).mul(x).mul_add(V::splat(0.044_715), x);
            tanh(cubic.mul(V::splat(0.797_884_6))).mul_add(half, half)
        }
    }

    #[inline(always)]
    unsafe fn with_slope<V: Lanes>(x: V) -> (V, V) {
        // SAFETY: passed on.
        unsafe {
            let (half, one) = (V::splat(0.5), V::splat(1.0));
            let cubic = x.mul(x).mul(x).mul_add(V::splat(0.044_715), x);
            let t = tanh(cubic.mul(V::splat(0.797_884_6)));
            let below = t.mul_add(half, half);
            // Where the tangent is one its slope is zero: the limit keeps the other factor finite.
            let near = clamp(x, 16.0);
            let inner = near
                .mul(near)
                .mul_add(V::splat(0.107_032_23), V::splat(0.797_884_6));
            let rise = one.sub(t.mul(t)).mul(half).mul(inner);
            (x.mul(below), near.mul_add(rise, below))
        }
    }
}

pub(super) struct Relu;
impl Curve for Relu {
    #[inline(always)]
    unsafe fn at<V: Lanes>(x: V) -> V {
        // SAFETY: passed on.
        unsafe { V::splat(0.0).max(x) }
    }

    #[inline(always)]
    unsafe fn with_slope<V: Lanes>(x: V) -> (V, V) {
        // SAFETY: passed on.
        unsafe {
            // Any positive number times this twice is above one.
            let large = V::splat(f32::MAX);
            let steep = V::splat(0.0).max(x.mul(large).mul(large));
            (Self::at(x), V::splat(1.0).min(steep))
        }
    }
}

pub(super) struct Tanh;
impl Curve for Tanh {
    #[inline(always)]
    unsafe fn at<V: Lanes>(x: V) -> V {
        // SAFETY: passed on.
        unsafe { tanh(x) }
    }

    #[inline(always)]
    unsafe fn with_slope<V: Lanes>(x: V) -> (V, V) {
        // SAFETY: passed on.
        unsafe {
            let t = tanh(x);
            (t, V::splat(1.0).sub(t.mul(t)))
        }
    }
}
