//! Norms and activations of every set against their definitions in f64.

use burn::tensor::{Device, Tensor, TensorData};
use evalh_kernel::{Activation, Compute, ComputeSet, HeadNorm, Isa, NormKind};

const ALL: [Activation; 6] = [
    Activation::Silu,
    Activation::Gelu,
    Activation::GeluTanh,
    Activation::QuickGelu,
    Activation::Relu,
    Activation::Tanh,
];

/// Every set of this machine.
fn sets() -> impl Iterator<Item = Compute> {
    Isa::available()
        .into_iter()
        .map(Compute::cpu_with)
        .chain([Compute::burn(Device::flex())])
}

fn wave(n: usize, seed: f32) -> Vec<f32> {
    (0..n)
        .map(|i| (i as f32 * 0.7 + seed).sin() * 3.0 + 0.5)
        .collect()
}

fn tensor(values: &[f32], width: usize) -> Tensor<2> {
    let shape = [values.len() / width, width];
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex())
}

/// Runs `f` on every set: within `tolerance` of `want` (absolute, or relative to values above one), and the same bits
/// on all CPU sets.
fn check(what: &str, want: &[f64], tolerance: f64, f: impl Fn(&Compute) -> Vec<f32>) {
    let mut first: Option<Vec<f32>> = None;
    for compute in sets() {
        let (set, got) = (compute.set(), f(&compute));
        assert_eq!(got.len(), want.len(), "{what} {set}");
        for (i, (g, w)) in got.iter().zip(want).enumerate() {
            let difference = (f64::from(*g) - w).abs();
            assert!(
                difference <= tolerance * w.abs().max(1.0),
                "{what} {set}: {g} at {i}, not {w}"
            );
        }
        if matches!(set, ComputeSet::Cpu(..)) {
            let first = first.get_or_insert_with(|| got.clone());
            let mut pairs = first.iter().zip(&got);
            assert!(
                pairs.all(|(a, b)| a.to_bits() == b.to_bits()),
                "{what} {set}: other bits than the best set's"
            );
        }
    }
}

/// The error function by a series whose terms are all of one sign.
fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 {
        return x.signum();
    }
    let (mut term, mut sum, mut n) = (x, x, 0.0);
    while term.abs() > 1e-18 {
        n += 1.0;
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
    }
    2.0 / std::f64::consts::PI.sqrt() * (-x * x).exp() * sum
}

fn definition(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Gelu => 0.5 * x * (1.0 + erf(x / 2f64.sqrt())),
        Activation::GeluTanh => {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
            0.5 * x * (1.0 + inner.tanh())
        }
        Activation::QuickGelu => x / (1.0 + (-1.702 * x).exp()),
        Activation::Relu => x.max(0.0),
        Activation::Tanh => x.tanh(),
    }
}

#[test]
fn activations_are_those_of_their_definitions() {
    let width = 67;
    let x: Vec<f32> = (-20_100..20_100).map(|i| i as f32 * 1e-3).collect();
    for activation in ALL {
        let of = |x: f32| definition(activation, f64::from(x));
        let want: Vec<f64> = x.iter().map(|x| of(*x)).collect();
        check(&format!("{activation:?}"), &want, 1e-6, |compute| {
            compute.to_host(compute.activate(tensor(&x, width), activation))
        });
        let up = |i: usize| (i as f32).sin();
        let gate_up: Vec<f32> = x
            .chunks(width)
            .flat_map(|gate| gate.iter().copied().chain((0..width).map(up)))
            .collect();
        let want: Vec<f64> = x
            .iter()
            .enumerate()
            .map(|(i, x)| of(*x) * f64::from(up(i % width)))
            .collect();
        check(&format!("{activation:?} gate"), &want, 1e-6, |compute| {
            compute.to_host(compute.gate(tensor(&gate_up, 2 * width), activation))
        });
    }
}

#[test]
fn an_activation_hides_no_nan() {
    for compute in sets() {
        for activation in [Activation::Gelu, Activation::GeluTanh, Activation::Tanh] {
            let x = tensor(&[f32::NAN, 1.0], 2);
            let out = compute.to_host(compute.activate(x, activation));
            assert!(out[0].is_nan() && !out[1].is_nan(), "{activation:?}");
        }
    }
}

/// The norm of one slice.
fn norm(x: &[f64], kind: NormKind, eps: f64) -> Vec<f64> {
    let n = x.len() as f64;
    let mean = match kind {
        NormKind::Rms => 0.0,
        NormKind::Layer => x.iter().sum::<f64>() / n,
    };
    let square = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    x.iter()
        .map(|x| (x - mean) / (square + eps).sqrt())
        .collect()
}

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|x| f64::from(*x)).collect()
}

#[test]
fn layer_norm_is_that_of_its_definition() {
    let width = 37;
    let (x, residual) = (wave(3 * width, 0.0), wave(3 * width, 2.0));
    let (weight, bias) = (wave(width, 5.0), wave(width, 7.0));
    for (with_residual, with_weight, with_bias) in [
        (false, false, false),
        (true, true, true),
        (true, true, false),
        (false, false, true),
    ] {
        let sum: Vec<f64> = x
            .iter()
            .zip(&residual)
            .map(|(x, r)| f64::from(if with_residual { x + r } else { *x }))
            .collect();
        let mut want = sum.clone();
        for row in sum.chunks(width) {
            let normed = norm(row, NormKind::Layer, 1e-5).into_iter().enumerate();
            want.extend(normed.map(|(i, v)| {
                let factor = if with_weight { weight[i] } else { 1.0 };
                v * f64::from(factor) + f64::from(if with_bias { bias[i] } else { 0.0 })
            }));
        }
        check("layer norm", &want, 2e-6, |compute| {
            let [weight, bias] = [&weight, &bias].map(|v| compute.vector(v.clone()));
            let (stream, normed) = compute.layer_norm(
                tensor(&x, width),
                with_residual.then(|| tensor(&residual, width)),
                with_weight.then_some(&weight),
                with_bias.then_some(&bias),
                1e-5,
            );
            let mut all = compute.to_host(stream);
            all.extend(compute.to_host(normed));
            all
        });
    }
}

#[test]
fn a_row_far_from_zero_keeps_its_variance() {
    let x: Vec<f32> = (0..64).map(|i| 1000.0 + (i % 2) as f32 * 0.5).collect();
    let want = norm(&wide(&x), NormKind::Layer, 1e-12);
    check("far row", &want, 1e-6, |compute| {
        let normed = compute.layer_norm(tensor(&x, 64), None, None, None, 1e-12);
        compute.to_host(normed.1)
    });
}

#[test]
fn norms_of_columns_touch_nothing_else() {
    let (width, columns) = (50, 5..41);
    let x = wave(4 * width, 0.0);
    for kind in [NormKind::Rms, NormKind::Layer] {
        // Weights shared by the slices, one a slice, and one slice of all columns.
        for (group, len, biased) in [(9, 9, false), (9, 36, true), (36, 36, true)] {
            let (weight, bias) = (wave(len, 3.0), wave(len, 4.0));
            let mut want = wide(&x);
            for row in want.chunks_mut(width) {
                for (g, slice) in row[columns.clone()].chunks_mut(group).enumerate() {
                    let normed = norm(slice, kind, 1e-6);
                    for (i, (to, from)) in slice.iter_mut().zip(normed).enumerate() {
                        let at = (g * group + i) % len;
                        let summand = if biased { bias[at] } else { 0.0 };
                        *to = from * f64::from(weight[at]) + f64::from(summand);
                    }
                }
            }
            check("columns", &want, 2e-6, |compute| {
                let [weight, bias] = [&weight, &bias].map(|v| compute.vector(v.clone()));
                let norm = HeadNorm {
                    kind,
                    weight: &weight,
                    bias: biased.then_some(&bias),
                    eps: 1e-6,
                };
                let x = tensor(&x, width);
                compute.to_host(compute.norm_columns(x, columns.clone(), group, norm))
            });
        }
    }
}
