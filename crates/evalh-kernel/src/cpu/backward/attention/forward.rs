//! The outputs of a task's queries.

use super::heads::{Heads, Query, STEP, panel};
use super::rows::softmax;
use crate::cpu::backward::pack::turn;
use crate::cpu::backward::product::{Rows, block};
use crate::cpu::tile::{PANEL, ROWS};

/// Buffers of a thread, reused from task to task.
#[derive(Default)]
pub(super) struct Scratch {
    keys: Vec<f32>,
    values: Vec<f32>,
    queries: Vec<f32>,
    turned: Vec<f32>,
    scores: Vec<f32>,
    weights: Vec<f32>,
    outputs: Vec<f32>,
}

/// Gives each query its output and its logarithm: (token of the batch, query head, output, logarithm).
pub(super) fn run(
    heads: &Heads<'_>,
    scratch: &mut Scratch,
    mut emit: impl FnMut(usize, usize, &[f32], f32),
) {
    let tokens = heads.tokens.len();
    if tokens == 0 {
        return;
    }
    heads.pack_turned(heads.rows_from(heads.key_at(0)), &mut scratch.keys);
    heads.pack(
        heads.rows_from(heads.value_at(0)),
        tokens,
        &mut scratch.values,
    );
    let queries: Vec<Query> = heads.queries(0..tokens).collect();
    for queries in queries.chunks(ROWS) {
        let sums = run_block(heads, queries, scratch);
        let outputs = scratch.outputs.chunks_exact(heads.padded());
        for (((token, head), output), sum) in queries.iter().zip(outputs).zip(sums) {
            let output = &output[..heads.shape.head_dim];
            emit(heads.tokens.start + token, *head, output, sum);
        }
    }
}

/// Writes the outputs of up to [`ROWS`] queries, gives back the logarithms.
fn run_block(heads: &Heads<'_>, queries: &[Query], scratch: &mut Scratch) -> [f32; ROWS] {
    let (isa, shape, m, dim) = (heads.isa, heads.shape, queries.len(), heads.shape.head_dim);
    // From the panel with the first token that the first query sees to the last one that the last query sees.
    let seen = queries[m - 1].0 + 1;
    let first_panel = shape.first_seen(queries[0].0) / PANEL;
    let origin = first_panel * PANEL;
    let width = (seen - origin).next_multiple_of(PANEL);

    scratch.queries.clear();
    for query in queries {
        let row = heads.rows_from(heads.query_at(*query));
        scratch.queries.extend_from_slice(&row.values[..dim]);
    }
    let rows = Rows {
        values: &scratch.queries,
        step: dim,
    };
    scratch.turned.resize(dim * STEP, 0.0);
    turn(isa, rows, m, dim, &mut scratch.turned, STEP);
    let turned = Rows {
        values: &scratch.turned,
        step: STEP,
    };
    scratch.scores.resize(m * width, 0.0);
    for column in (0..width).step_by(PANEL) {
        let keys = panel(&scratch.keys, (origin + column) / PANEL * dim);
        let scores = &mut scratch.scores[column..];
        block(isa, dim, (turned, m), (keys, PANEL), scores, width, false);
    }

    let (mut sums, mut logarithms) = ([0f32; ROWS], [0f32; ROWS]);
    let rows = scratch.scores.chunks_exact_mut(width).zip(queries);
    for (i, (row, (token, _))) in rows.enumerate() {
        let visible = shape.first_seen(*token) - origin..token + 1 - origin;
        let (top, sum) = softmax(isa, row, visible, shape);
        (sums[i], logarithms[i]) = (sum, top + sum.ln());
    }

    scratch.weights.resize((seen - origin) * STEP, 0.0);
    let rows = Rows {
        values: &scratch.scores,
        step: width,
    };
    turn(isa, rows, m, seen - origin, &mut scratch.weights, STEP);
    let weights = Rows {
        values: &scratch.weights,
        step: STEP,
    };
    let (padded, tokens) = (heads.padded(), heads.tokens.len());
    scratch.outputs.resize(m * padded, 0.0);
    for column in (0..padded).step_by(PANEL) {
        let values = panel(&scratch.values, column / PANEL * tokens + origin);
        let columns = PANEL.min(padded - column);
        let outputs = &mut scratch.outputs[column..];
        let k = seen - origin;
        block(
            isa,
            k,
            (weights, m),
            (values, columns),
            outputs,
            padded,
            false,
        );
    }
    for (row, sum) in scratch.outputs.chunks_exact_mut(padded).zip(sums) {
        let inverse = 1.0 / sum;
        for v in row {
            *v *= inverse;
        }
    }
    logarithms
}
