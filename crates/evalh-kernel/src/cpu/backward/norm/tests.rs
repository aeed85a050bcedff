use super::*;
use crate::cpu::backward::differences::{assert_close, gradient, on_all_sets, values, wide};

/// The sum of the normed slices, each value times that of `dy`.
fn definition(
    kind: NormKind,
    x: &[f64],
    (weight, bias): (&[f64], &[f64]),
    group: usize,
    eps: f64,
    dy: &[f32],
) -> f64 {
    let mut sum = 0.0;
    for (i, (x, dy)) in x.chunks(group).zip(wide(dy).chunks(group)).enumerate() {
        let mean = match kind {
            NormKind::Rms => 0.0,
            NormKind::Layer => x.iter().sum::<f64>() / group as f64,
        };
        let square = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / group as f64;
        for j in 0..group {
            let at = (i * group + j) % weight.len();
            let n = (x[j] - mean) / (square + eps).sqrt();
            sum += (n * weight[at] + bias[at]) * dy[j];
        }
    }
    sum
}

#[test]
fn whole_rows_have_the_gradients_of_their_definitions() {
    let (width, rows, eps) = (37, 5, 1e-5);
    let [x, dy] = [1, 2].map(|seed| values(rows * width, seed));
    let [weight, bias] = [3, 4].map(|seed| values(width, seed));
    let (x64, weight64, bias64) = (wide(&x), wide(&weight), wide(&bias));
    for kind in [NormKind::Rms, NormKind::Layer] {
        let loss = |x: &[f64], weight: &[f64], bias: &[f64]| {
            definition(kind, x, (weight, bias), width, eps, &dy)
        };
        let want_x = gradient(&x, |x| loss(x, &weight64, &bias64));
        let want_weight = gradient(&weight, |weight| loss(&x64, weight, &bias64));
        let want_bias = gradient(&bias, |bias| loss(&x64, &weight64, bias));
        let got = on_all_sets("norm", |isa| {
            let (mut dx, mut d_weight, mut d_bias) =
                (vec![0f32; x.len()], vec![0f32; width], vec![0f32; width]);
            let (e, w) = (eps as f32, Some(&mut d_weight[..]));
            match kind {
                NormKind::Rms => rms_norm_backward(isa, &x, &weight, e, &dy, &mut dx, w),
                NormKind::Layer => layer_norm_backward(
                    isa,
                    &x,
                    width,
                    &weight,
                    e,
                    &dy,
                    &mut dx,
                    w,
                    Some(&mut d_bias),
                ),
            }
            [dx, d_weight, d_bias].concat()
        });
        assert_close(&got[..x.len()], &want_x, 1e-5, "x");
        assert_close(&got[x.len()..][..width], &want_weight, 1e-5, "weight");
        if kind == NormKind::Layer {
            assert_close(&got[x.len() + width..], &want_bias, 1e-5, "bias");
        }
    }
}

#[test]
fn many_rows_are_summed_alike_by_any_threads_and_added() {
    let (width, rows) = (48, 2000);
    let [x, dy] = [1, 2].map(|seed| values(rows * width, seed));
    let run = |isa, before: f32| {
        let mut sums = vec![before; 2 * width];
        let (w, b) = sums.split_at_mut(width);
        let mut dx = vec![0f32; x.len()];
        layer_norm_backward(isa, &x, width, &[], 1e-5, &dy, &mut dx, Some(w), Some(b));
        sums
    };
    let got = on_all_sets("sums", |isa| run(isa, 0.0));
    let ones = vec![1f64; width];
    let want = gradient(&vec![0f32; width], |bias| {
        definition(NormKind::Layer, &wide(&x), (&ones, bias), width, 1e-5, &dy)
    });
    assert_close(&got[width..], &want, 1e-5, "bias");
    for (added, got) in run(Isa::detect(), 5.0).iter().zip(&got) {
        assert!((added - got - 5.0).abs() < 1e-4);
    }
}

#[test]
fn slices_of_columns_have_the_gradients_of_their_definitions() {
    let (width, rows, group, eps) = (100, 3, 20, 1e-6);
    let columns = 10..70;
    let [x, dy] = [1, 2].map(|seed| values(rows * width, seed));
    let inside = |all: &[f32]| -> Vec<f32> {
        let rows = all.chunks(width);
        rows.flat_map(|row| &row[columns.clone()])
            .copied()
            .collect()
    };
    let (x_in, dy_in) = (inside(&x), inside(&dy));
    for (kind, own) in [
        (NormKind::Rms, group),
        (NormKind::Rms, columns.len()),
        (NormKind::Layer, group),
        (NormKind::Layer, columns.len()),
    ] {
        let [weight, bias] = [3, 4].map(|seed| values(own, seed));
        let (x64, weight64, bias64) = (wide(&x_in), wide(&weight), wide(&bias));
        let loss = |x: &[f64], weight: &[f64], bias: &[f64]| {
            definition(kind, x, (weight, bias), group, eps, &dy_in)
        };
        let want_x = gradient(&x_in, |x| loss(x, &weight64, &bias64));
        let want_weight = gradient(&weight, |weight| loss(&x64, weight, &bias64));
        let want_bias = gradient(&bias, |bias| loss(&x64, &weight64, bias));
        let got = on_all_sets("slices", |isa| {
            let (mut d, mut d_weight, mut d_bias) = (dy.clone(), vec![0f32; own], vec![0f32; own]);
            let norm = NormSlices {
                kind,
                weight: &weight,
                bias: &bias,
                eps: eps as f32,
            };
            let (w, b) = (Some(&mut d_weight[..]), Some(&mut d_bias[..]));
            norm_columns_backward(isa, &x, width, columns.clone(), group, norm, &mut d, w, b);
            [d, d_weight, d_bias].concat()
        });
        let d = &got[..x.len()];
        assert_close(&inside(d), &want_x, 1e-5, "x");
        assert_close(&got[x.len()..][..own], &want_weight, 1e-5, "weight");
        assert_close(&got[x.len() + own..], &want_bias, 1e-5, "bias");
        for (d, dy) in d.chunks(width).zip(dy.chunks(width)) {
            assert!(d[..10] == dy[..10] && d[70..] == dy[70..]);
        }
    }
}
