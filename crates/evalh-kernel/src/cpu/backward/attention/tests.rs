use super::*;
use crate::cpu::backward::differences::{assert_close, gradient, on_all_sets, values, wide};

const PLAIN: AttentionShape = AttentionShape {
    heads: 6,
    kv_heads: 2,
    head_dim: 6,
    scale: 0.9,
    soft_cap: None,
    window: None,
    layout: QkvLayout::Concatenated,
};

const SHAPES: [AttentionShape; 5] = [
    PLAIN,
    AttentionShape {
        window: Some(5),
        ..PLAIN
    },
    AttentionShape {
        head_dim: 40,
        window: Some(37),
        soft_cap: Some(1.5),
        ..PLAIN
    },
    AttentionShape {
        heads: 3,
        kv_heads: 3,
        head_dim: 20,
        layout: QkvLayout::Interleaved,
        ..PLAIN
    },
    AttentionShape {
        heads: 1,
        kv_heads: 1,
        soft_cap: Some(0.7),
        ..PLAIN
    },
];

/// Outputs and logarithms of the sums of one sequence, by their definition.
fn definition(shape: AttentionShape, qkv: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (dim, group) = (shape.head_dim, shape.heads / shape.kv_heads);
    let rows: Vec<&[f64]> = qkv.chunks(shape.qkv_width()).collect();
    // Where each head lies, by the layout's own words.
    let at = |part: usize, head: usize| match shape.layout {
        QkvLayout::Concatenated => [0, shape.heads, shape.heads + shape.kv_heads][part] + head,
        QkvLayout::Interleaved => 3 * head + part,
    };
    let head = |t: usize, part: usize, head: usize| &rows[t][at(part, head) * dim..][..dim];
    let (mut out, mut log_sums) = (Vec::new(), Vec::new());
    for t in 0..rows.len() {
        let first = shape.window.map_or(0, |w| (t + 1).saturating_sub(w));
        for h in 0..shape.heads {
            let scores: Vec<f64> = (first..=t)
                .map(|s| {
                    let products = head(t, 0, h).iter().zip(head(s, 1, h / group));
                    let score = products.map(|(a, b)| a * b).sum::<f64>() * f64::from(shape.scale);
                    shape.soft_cap.map_or(score, |cap| {
                        f64::from(cap) * (score / f64::from(cap)).tanh()
                    })
                })
                .collect();
            let sum: f64 = scores.iter().map(|s| s.exp()).sum();
            log_sums.push(sum.ln());
            for d in 0..dim {
                let parts = (first..=t).zip(&scores);
                out.push(
                    parts
                        .map(|(s, x)| x.exp() / sum * head(s, 2, h / group)[d])
                        .sum(),
                );
            }
        }
    }
    (out, log_sums)
}

/// Outputs, logarithms and gradients of a batch.
fn run(
    isa: Isa,
    shape: AttentionShape,
    qkv: &[f32],
    sequences: &[Range<usize>],
    d_out: &[f32],
) -> [Vec<f32>; 3] {
    let tokens = qkv.len() / shape.qkv_width();
    let mut out = vec![f32::NAN; tokens * shape.out_width()];
    let mut log_sums = vec![f32::NAN; tokens * shape.heads];
    let mut d_qkv = vec![f32::NAN; qkv.len()];
    attend_sequences(isa, qkv, shape, sequences, &mut out, &mut log_sums);
    attend_sequences_backward(
        isa, qkv, shape, sequences, &out, &log_sums, d_out, &mut d_qkv,
    );
    [out, log_sums, d_qkv]
}

#[test]
fn outputs_and_gradients_are_those_of_the_definition() {
    for shape in SHAPES {
        let tokens = 37;
        let qkv = values(tokens * shape.qkv_width(), 1);
        let d_out = values(tokens * shape.out_width(), 2);
        let sequences = std::slice::from_ref(&(0..tokens)).to_vec();
        let what = format!("{shape:?}");
        let got = on_all_sets(&what, |isa| {
            run(isa, shape, &qkv, &sequences, &d_out).concat()
        });
        let (out, rest) = got.split_at(d_out.len());
        let (log_sums, d_qkv) = rest.split_at(tokens * shape.heads);
        let (want_out, want_sums) = definition(shape, &wide(&qkv));
        assert_close(out, &want_out, 2e-6, &what);
        assert_close(log_sums, &want_sums, 2e-6, &what);
        // A few of the inputs, spread over queries, keys and values of all tokens.
        let some: Vec<usize> = (0..qkv.len()).step_by(qkv.len() / 300 + 1).collect();
        let at: Vec<f32> = some.iter().map(|i| qkv[*i]).collect();
        let want = gradient(&at, |at| {
            let mut qkv = wide(&qkv);
            some.iter().zip(at).for_each(|(i, x)| qkv[*i] = *x);
            let (out, _) = definition(shape, &qkv);
            out.iter().zip(wide(&d_out)).map(|(o, d)| o * d).sum()
        });
        let d: Vec<f32> = some.iter().map(|i| d_qkv[*i]).collect();
        assert_close(&d, &want, 1e-5, &what);
    }
}

#[test]
fn long_sequences_have_the_gradients_of_the_definition() {
    for shape in SHAPES {
        let tokens = 230;
        let qkv = values(tokens * shape.qkv_width(), 3);
        let d_out = values(tokens * shape.out_width(), 4);
        let [_, _, d_qkv] = run(
            Isa::detect(),
            shape,
            &qkv,
            std::slice::from_ref(&(0..tokens)),
            &d_out,
        );
        let some: Vec<usize> = (0..qkv.len()).step_by(qkv.len() / 9).collect();
        let at: Vec<f32> = some.iter().map(|i| qkv[*i]).collect();
        let want = gradient(&at, |at| {
            let mut qkv = wide(&qkv);
            some.iter().zip(at).for_each(|(i, x)| qkv[*i] = *x);
            let (out, _) = definition(shape, &qkv);
            out.iter().zip(wide(&d_out)).map(|(o, d)| o * d).sum()
        });
        let d: Vec<f32> = some.iter().map(|i| d_qkv[*i]).collect();
        assert_close(&d, &want, 2e-5, &format!("{shape:?}"));
    }
}

#[test]
fn a_sequence_in_a_batch_is_as_it_is_alone() {
    for shape in SHAPES {
        let sequences = [0..70, 70..70, 70..103, 103..104, 104..204];
        let qkv = values(204 * shape.qkv_width(), 5);
        let d_out = values(204 * shape.out_width(), 6);
        let together = run(Isa::detect(), shape, &qkv, &sequences, &d_out);
        for sequence in sequences {
            let part = |all: &[f32]| {
                let width = all.len() / 204;
                all[sequence.start * width..sequence.end * width].to_vec()
            };
            let own = std::slice::from_ref(&(0..sequence.len())).to_vec();
            let alone = run(Isa::detect(), shape, &part(&qkv), &own, &part(&d_out));
            assert_eq!(alone, together.each_ref().map(|all| part(all)), "{shape:?}");
        }
    }
}

#[test]
fn what_is_no_number_shows() {
    let mut qkv = values(20 * PLAIN.qkv_width(), 1);
    qkv[3 * PLAIN.qkv_width() + PLAIN.key(0)] = f32::NAN;
    for isa in Isa::available() {
        let [out, _, _] = run(
            isa,
            PLAIN,
            &qkv,
            std::slice::from_ref(&(0..20)),
            &vec![1.0; 20 * PLAIN.out_width()],
        );
        let bad = |t: usize| out[t * PLAIN.out_width()].is_nan();
        assert!((0..20).all(|t| bad(t) == (t >= 3)), "{isa}");
    }
}
