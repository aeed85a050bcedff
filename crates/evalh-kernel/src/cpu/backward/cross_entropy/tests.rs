use super::*;
use crate::cpu::backward::differences::{
    assert_close, assert_same, gradient, on_all_sets, values, wide,
};
use std::ops::Range;

/// The losses by their definition.
fn definition(
    hidden: &[f64],
    head: &[f64],
    bias: &[f64],
    soft_cap: Option<f32>,
    targets: &[u32],
) -> Vec<f64> {
    let width = hidden.len() / targets.len();
    let of_row = |(hidden, target): (&[f64], &u32)| {
        let logits: Vec<f64> = head
            .chunks(width)
            .zip(bias)
            .map(|(head, bias)| {
                let logit = hidden.iter().zip(head).map(|(x, w)| x * w).sum::<f64>() + bias;
                soft_cap.map_or(logit, |cap| {
                    f64::from(cap) * (logit / f64::from(cap)).tanh()
                })
            })
            .collect();
        logits.iter().map(|z| z.exp()).sum::<f64>().ln() - logits[*target as usize]
    };
    hidden.chunks(width).zip(targets).map(of_row).collect()
}

fn turned(head: &[f32], width: usize) -> Vec<f32> {
    (0..width)
        .flat_map(|i| head.iter().skip(i).step_by(width).copied())
        .collect()
}

#[test]
fn losses_and_gradients_are_those_of_the_definition() {
    for (rows, width, vocabulary) in [(1, 3, 1), (3, 5, 37), (7, 9, 50)] {
        for soft_cap in [None, Some(1.5)] {
            for biased in [false, true] {
                check(rows, width, vocabulary, soft_cap, biased);
            }
        }
    }
}

fn check(rows: usize, width: usize, vocabulary: usize, soft_cap: Option<f32>, biased: bool) {
    let (hidden, head) = (values(rows * width, 1), values(vocabulary * width, 2));
    let bias = if biased {
        values(vocabulary, 3)
    } else {
        vec![0.0; vocabulary]
    };
    let targets: Vec<u32> = (0..rows).map(|i| (i * 11 % vocabulary) as u32).collect();
    let packed = PackedWeight::new(&head, vocabulary, width);
    let packed_turned = PackedWeight::new(&turned(&head, width), width, vocabulary);
    let got = on_all_sets("cross-entropy", |isa| {
        let mut d_hidden = vec![0f32; hidden.len()];
        let (mut d_head, mut d_bias) = (vec![0f32; head.len()], vec![0f32; vocabulary]);
        let mut losses = vec![0f32; rows];
        cross_entropy(
            isa,
            &hidden,
            &packed,
            biased.then_some(&bias),
            soft_cap,
            &targets,
            Some((&packed_turned, &mut d_hidden)),
            Some((&mut d_head, Some(&mut d_bias))),
            &mut losses,
        );
        let mut alone = vec![0f32; rows];
        let bias = biased.then_some(&bias[..]);
        cross_entropy(
            isa, &hidden, &packed, bias, soft_cap, &targets, None, None, &mut alone,
        );
        assert_eq!(alone, losses);
        [losses, d_hidden, d_head, d_bias].concat()
    });
    let (hidden64, head64, bias64) = (wide(&hidden), wide(&head), wide(&bias));
    let sum = |hidden: &[f64], head: &[f64], bias: &[f64]| -> f64 {
        definition(hidden, head, bias, soft_cap, &targets)
            .iter()
            .sum()
    };
    let (losses, rest) = got.split_at(rows);
    let (d_hidden, rest) = rest.split_at(hidden.len());
    let (d_head, d_bias) = rest.split_at(head.len());
    let want = definition(&hidden64, &head64, &bias64, soft_cap, &targets);
    for (got, want) in losses.iter().zip(&want) {
        assert!((f64::from(*got) - want).abs() < 1e-5, "{got} {want}");
    }
    if vocabulary == 1 {
        assert!(rest.iter().chain(d_hidden).all(|d| *d == 0.0));
        return;
    }
    let want = gradient(&hidden, |hidden| sum(hidden, &head64, &bias64));
    assert_close(d_hidden, &want, 1e-5, "hidden");
    let want = gradient(&head, |head| sum(&hidden64, head, &bias64));
    assert_close(d_head, &want, 1e-5, "head");
    let want = gradient(&bias, |bias| sum(&hidden64, &head64, bias));
    assert_close(d_bias, &want, 1e-5, "bias");
}

#[test]
fn chunks_of_rows_and_extreme_logits_change_nothing() {
    let (rows, width, vocabulary) = (CHUNK_ROWS + 7, 2, 3000);
    let hidden: Vec<f32> = values(rows * width, 1).iter().map(|x| x * 60.0).collect();
    let head = values(vocabulary * width, 2);
    let targets: Vec<u32> = (0..rows as u32).collect();
    let packed = PackedWeight::new(&head, vocabulary, width);
    let got = on_all_sets("losses", |isa| {
        let mut losses = vec![0f32; rows];
        cross_entropy(
            isa,
            &hidden,
            &packed,
            None,
            None,
            &targets,
            None,
            None,
            &mut losses,
        );
        losses
    });
    let bias = vec![0f64; vocabulary];
    let want = definition(&wide(&hidden), &wide(&head), &bias, None, &targets);
    assert_close(&got, &want, 1e-6, "losses");
}

#[test]
fn a_logit_that_is_no_number_shows() {
    let mut head = values(40 * 2, 2);
    head[2 * 35] = f32::NAN;
    let packed = PackedWeight::new(&head, 40, 2);
    for isa in Isa::available() {
        let mut losses = [0f32];
        cross_entropy(
            isa,
            &[1.0, 2.0],
            &packed,
            None,
            None,
            &[3],
            None,
            None,
            &mut losses,
        );
        assert!(losses[0].is_nan(), "{isa}");
    }
}

#[test]
fn rows_in_one_call_are_as_they_are_in_two() {
    let (rows, width, vocabulary) = (2 * CHUNK_ROWS_OF_HEAD + 5, 4, 33);
    let (hidden, head) = (values(rows * width, 1), values(vocabulary * width, 2));
    let targets: Vec<u32> = (0..rows as u32).map(|i| i * 7 % 33).collect();
    let packed = PackedWeight::new(&head, vocabulary, width);
    let packed_turned = PackedWeight::new(&turned(&head, width), width, vocabulary);
    let run = |parts: &[Range<usize>]| {
        let (mut losses, mut d_hidden) = (vec![0f32; rows], vec![0f32; hidden.len()]);
        let (mut d_head, mut d_bias) = (vec![0f32; head.len()], vec![0f32; vocabulary]);
        for part in parts {
            let values = part.start * width..part.end * width;
            cross_entropy(
                Isa::detect(),
                &hidden[values.clone()],
                &packed,
                None,
                None,
                &targets[part.clone()],
                Some((&packed_turned, &mut d_hidden[values])),
                Some((&mut d_head, Some(&mut d_bias))),
                &mut losses[part.clone()],
            );
        }
        [losses, d_hidden, d_head, d_bias].concat()
    };
    let one = run(std::slice::from_ref(&(0..rows)));
    assert_same(&one, &run(&[0..20, 20..rows]), "two calls");
}
