//! One layer: attention and MLP, each before a norm.

use super::config::{EncoderConfig, PositionProjections, RelativeAttention};
use super::part::{Part, scope};
use super::positions::Distances;
use crate::LoraId;
use crate::part::{Embedding, Linear, Norm};
use burn::tensor::Tensor;
use evalh_kernel::{BidirectionalShape, Compute, RelativePositions};
use std::ops::Range;

/// One layer.
#[derive(Debug)]
pub(super) struct Layer {
    pub qkv: Linear,
    pub attention_output: Linear,
    pub attention_norm: Norm,
    pub intermediate: Linear,
    pub output: Linear,
    pub output_norm: Norm,
    /// Projections of the relative positions, where the content's do not serve them.
    pub position_key: Option<Linear>,
    pub position_query: Option<Linear>,
}

/// The embeddings of relative positions, which all layers share.
#[derive(Debug)]
pub(super) struct RelativeEmbeddings {
    pub table: Embedding,
    pub norm: Option<Norm>,
}

/// What all layers read beside the hidden values.
pub(super) struct Pass<'a> {
    pub compute: &'a Compute,
    pub config: &'a EncoderConfig,
    pub sequences: &'a [Range<usize>],
    pub adapter: Option<LoraId>,
    /// The relative positions that occur, and their embeddings.
    pub relative: Option<(RelativeAttention, Distances, Tensor<2>)>,
}

/// `x` on the tape, where it is `recorded` and not on it yet.
pub(super) fn begun(compute: &Compute, x: Tensor<2>, recorded: bool) -> Tensor<2> {
    if recorded && !x.is_autodiff() {
        compute.begin(x)
    } else {
        x
    }
}

impl RelativeEmbeddings {
    /// The embeddings of the positions that sequences of up to `longest` tokens have, on the tape where it is `recorded`.
    pub(super) fn rows(
        &self,
        compute: &Compute,
        distances: &Distances,
        adapter: Option<LoraId>,
        recorded: bool,
    ) -> Tensor<2> {
        let ids: Vec<u32> = distances.used.clone().map(|row| row as u32).collect();
        let scope = scope(ids.len(), adapter);
        let rows = self.table.forward(compute, &ids, &scope);
        let rows = begun(compute, rows, recorded);
        match &self.norm {
            Some(norm) => norm.forward(compute, rows, None, &scope).1,
            None => rows,
        }
    }
}

impl Layer {
    /// The layer's output for the given rows of `x` (all where there is no choice), `[rows, hidden]`.
    pub(super) fn forward(
        &self,
        pass: &Pass<'_>,
        x: Tensor<2>,
        wanted: Option<&[usize]>,
    ) -> Tensor<2> {
        let Pass {
            compute,
            config,
            adapter,
            ..
        } = *pass;
        let all = scope(x.dims()[0], adapter);
        let qkv = self.qkv.forward(compute, &x, &all);
        let shape = BidirectionalShape {
            heads: config.heads,
            head_dim: config.head_dim(),
            scale: 1.0 / ((config.head_dim() * config.score_terms) as f32).sqrt(),
        };
        let positions = pass.relative.as_ref().map(|(kind, distances, rows)| {
            let [keys, queries] = self.positions(pass, kind, rows);
            RelativePositions {
                keys,
                queries,
                rows: &distances.rows,
            }
        });
        let mut attended = compute.attend_all(qkv, shape, pass.sequences, positions.as_ref());
        let mut x = x;
        if let Some(wanted) = wanted {
            attended = compute.select_rows(attended, wanted);
            x = compute.select_rows(x, wanted);
        }
        let rows = scope(x.dims()[0], adapter);
        let out = self.attention_output.forward(compute, &attended, &rows);
        let h = self.attention_norm.forward(compute, out, Some(x), &rows).1;
        let inner = self.intermediate.forward(compute, &h, &rows);
        let inner = compute.activate(inner, config.activation);
        let out = self.output.forward(compute, &inner, &rows);
        self.output_norm.forward(compute, out, Some(h), &rows).1
    }

    /// Keys and queries of the relative positions.
    fn positions(
        &self,
        pass: &Pass<'_>,
        kind: &RelativeAttention,
        rows: &Tensor<2>,
    ) -> [Option<Tensor<2>>; 2] {
        let all = scope(rows.dims()[0], pass.adapter);
        if kind.projections == PositionProjections::Shared {
            let width = pass.config.hidden_size;
            let content = self.qkv.forward(pass.compute, rows, &all);
            return [
                kind.to_position
                    .then(|| content.clone().narrow(1, width, width)),
                kind.from_position.then(|| content.narrow(1, 0, width)),
            ];
        }
        [&self.position_key, &self.position_query].map(|linear| {
            let linear = linear.as_ref()?;
            Some(linear.forward(pass.compute, rows, &all))
        })
    }

    /// Every linear, to be trained.
    pub(super) fn linears_mut(&mut self) -> Vec<&mut Linear> {
        let mut linears = vec![
            &mut self.qkv,
            &mut self.attention_output,
            &mut self.intermediate,
            &mut self.output,
        ];
        linears.extend(&mut self.position_key);
        linears.extend(&mut self.position_query);
        linears
    }

    pub(super) fn parts(&self) -> Vec<&dyn Part> {
        let mut parts: Vec<&dyn Part> = vec![
            &self.qkv,
            &self.attention_output,
            &self.attention_norm,
            &self.intermediate,
            &self.output,
            &self.output_norm,
        ];
        let positions = self.position_key.iter().chain(&self.position_query);
        parts.extend(positions.map(|linear| linear as &dyn Part));
        parts
    }

    pub(super) fn parts_mut(&mut self) -> Vec<&mut dyn Part> {
        let mut parts: Vec<&mut dyn Part> = vec![
            &mut self.qkv,
            &mut self.attention_output,
            &mut self.attention_norm,
            &mut self.intermediate,
            &mut self.output,
            &mut self.output_norm,
        ];
        let positions = self.position_key.iter_mut().chain(&mut self.position_query);
        parts.extend(positions.map(|linear| linear as &mut dyn Part));
        parts
    }
}
