//! Causal attention over whole sequences, and its gradients.
//!
//! A task is one key head of one sequence with the query heads that share it, worked on by one thread. Scores are never
//! held for more than a few queries; the gradients compute them again from their sums, block by block, as `FlashAttention`
//! does (Dao, 2023), and skip the blocks that nobody sees.

mod backward;
mod forward;
mod heads;
mod rows;

use super::Shared;
use crate::cpu::attention::{AttentionShape, QkvLayout};
use crate::cpu::isa::Isa;
use heads::Heads;
use rayon::prelude::*;
use std::cell::RefCell;
use std::ops::Range;

thread_local! {
    /// Buffers, which a task needs anew for every few tokens.
    static FORWARD: RefCell<forward::Scratch> = RefCell::default();
    static BACKWARD: RefCell<backward::Scratch> = RefCell::default();
}

/// Attends causally within each of `sequences`, ranges of tokens that cover the batch in order.
///
/// `qkv` is `[tokens, qkv_width]`: queries and keys, both rotated already, and values of each token. `out` is `[tokens,
/// out_width]`; `log_sums`, `[tokens, heads]`, get the natural logarithm of the sum of each query's exponentiated scores,
/// which [`attend_sequences_backward`] needs. Both are written.
///
/// # Panics
/// When a shape does not fit.
pub fn attend_sequences(
    isa: Isa,
    qkv: &[f32],
    shape: AttentionShape,
    sequences: &[Range<usize>],
    out: &mut [f32],
    log_sums: &mut [f32],
) {
    check(qkv, shape, sequences, out, log_sums);
    let (out, log_sums) = (Shared(out.as_mut_ptr()), Shared(log_sums.as_mut_ptr()));
    (0..sequences.len() * shape.kv_heads)
        .into_par_iter()
        .for_each(|task| {
            let heads = Heads::new(isa, qkv, shape, sequences, task);
            let emit = |token: usize, head: usize, values: &[f32], log_sum| {
                // SAFETY: each task writes its own tokens' and heads' places, inside the lengths checked above.
                unsafe {
                    *log_sums.at(token * shape.heads + head) = log_sum;
                    let to = out.at(token * shape.out_width() + head * shape.head_dim);
                    std::ptr::copy_nonoverlapping(values.as_ptr(), to, values.len());
                }
            };
            FORWARD.with_borrow_mut(|scratch| forward::run(&heads, scratch, emit));
        });
}

/// Gradients of [`attend_sequences`]: `d_qkv`, like `qkv`, is written, from `d_out`, the gradient of `out`.
///
/// `out` and `log_sums` are what the forward pass wrote; the scores are computed again. Queries and keys are the rotated
/// ones, and so are their gradients.
///
/// # Panics
/// When a shape does not fit.
#[allow(clippy::too_many_arguments)]
pub fn attend_sequences_backward(
    isa: Isa,
    qkv: &[f32],
    shape: AttentionShape,
    sequences: &[Range<usize>],
    out: &[f32],
    log_sums: &[f32],
    d_out: &[f32],
    d_qkv: &mut [f32],
) {
    check(qkv, shape, sequences, out, log_sums);
    assert!(
        d_out.len() == out.len() && d_qkv.len() == qkv.len(),
        "gradients like the outputs and the inputs"
    );
    let to = Shared(d_qkv.as_mut_ptr());
    (0..sequences.len() * shape.kv_heads)
        .into_par_iter()
        .for_each(|task| {
            let heads = Heads::new(isa, qkv, shape, sequences, task);
            let given = backward::Given {
                out,
                log_sums,
                d_out,
            };
            let emit = |first, values: &[f32]| {
                // SAFETY: each task writes its own tokens' and heads' places, inside the lengths checked above.
                unsafe {
                    std::ptr::copy_nonoverlapping(values.as_ptr(), to.at(first), values.len());
                }
            };
            BACKWARD.with_borrow_mut(|scratch| backward::run(&heads, &given, scratch, emit));
        });
}

fn check(
    qkv: &[f32],
    shape: AttentionShape,
    sequences: &[Range<usize>],
    out: &[f32],
    log_sums: &[f32],
) {
    let tokens = log_sums.len() / shape.heads;
    assert_eq!(
        (qkv.len(), out.len(), log_sums.len()),
        (
            tokens * shape.qkv_width(),
            tokens * shape.out_width(),
            tokens * shape.heads
        ),
        "queries, keys, values, outputs and sums of {tokens} tokens"
    );
    assert!(
        shape.heads.is_multiple_of(shape.kv_heads)
            && (shape.layout == QkvLayout::Concatenated || shape.heads == shape.kv_heads),
        "a key head for as many query heads"
    );
    assert!(shape.window != Some(0), "a token sees itself");
    let mut next = 0;
    for sequence in sequences {
        assert!(
            sequence.start == next && sequence.end >= next,
            "sequences follow one another"
        );
        next = sequence.end;
    }
    assert_eq!(next, tokens, "every token belongs to a sequence");
}

#[cfg(test)]
mod tests;
