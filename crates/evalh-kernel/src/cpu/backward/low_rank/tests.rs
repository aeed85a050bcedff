use super::*;
use crate::cpu::backward::differences::{assert_close, gradient, on_all_sets, values, wide};

#[test]
fn the_gradients_are_those_of_the_definition() {
    for (rows, inputs, outputs, rank) in [
        (1, 1, 1, 1),
        (5, 9, 35, 3),
        (14, 33, 20, 8),
        (26, 20, 9, 40),
        (67, 12, 20, 5),
    ] {
        let (width, column, scale) = (outputs + 4, 3, 0.7);
        let x = values(rows * inputs, 1);
        let (a, b) = (values(rank * inputs, 2), values(outputs * rank, 3));
        let dy = values(rows * width, 4);
        let loss = |x: &[f64], a: &[f64], b: &[f64]| {
            let mut sum = 0.0;
            for (x, dy) in x.chunks(inputs).zip(dy.chunks(width)) {
                for (a, j) in a.chunks(inputs).zip(0..) {
                    let inner: f64 = x.iter().zip(a).map(|(x, a)| x * a).sum();
                    for o in 0..outputs {
                        sum += inner * b[o * rank + j] * scale * f64::from(dy[column + o]);
                    }
                }
            }
            sum
        };
        let (x64, a64, b64) = (wide(&x), wide(&a), wide(&b));
        let want_x = gradient(&x, |x| loss(x, &a64, &b64));
        let want_a = gradient(&a, |a| loss(&x64, a, &b64));
        let want_b = gradient(&b, |b| loss(&x64, &a64, b));
        let inner: Vec<f32> = x
            .chunks(inputs)
            .flat_map(|x| a.chunks(inputs).map(move |a| (x, a)))
            .map(|(x, a)| x.iter().zip(a).map(|(x, a)| x * a).sum())
            .collect();
        let part = LowRankPart {
            a: &a,
            b: &b,
            rank,
            scale: scale as f32,
            column,
        };
        let run = |isa, start: f32| {
            let mut dx = vec![start; x.len()];
            let (mut d_a, mut d_b) = (vec![start; a.len()], vec![start; b.len()]);
            low_rank_backward(
                isa,
                &x,
                &inner,
                part,
                &dy,
                width,
                &mut d_a,
                &mut d_b,
                Some(&mut dx),
            );
            [dx, d_a, d_b].concat()
        };
        let got = on_all_sets("low rank", |isa| run(isa, 0.0));
        let (d_x, rest) = got.split_at(x.len());
        assert_close(d_x, &want_x, 1e-5, "x");
        assert_close(&rest[..a.len()], &want_a, 1e-5, "A");
        assert_close(&rest[a.len()..], &want_b, 1e-5, "B");
        for (added, got) in run(Isa::detect(), 2.0).iter().zip(&got) {
            assert!((added - got - 2.0).abs() < 1e-4, "{added} {got}");
        }
    }
}
