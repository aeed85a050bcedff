//! One layer: attention and MLP, behind and before norms.

use super::mlp::{Experts, Mlp};
use crate::config::{DecoderConfig, Residual};
use crate::part::{HeadNorm, Held, Linear, Norm, Scope, Target, Updates};
use burn::tensor::Tensor;
use evalh_adapter::TargetModule;
use evalh_kernel::{AttentionShape, Compute, KvCache, Rotations, RowSpan};
use std::ops::Range;

/// One layer. A norm that is not there leaves its input as it is.
#[derive(Debug)]
pub(crate) struct Layer {
    pub index: usize,
    pub attention_norm: Option<Norm>,
    pub qkv: Linear,
    pub query_norm: Option<HeadNorm>,
    pub key_norm: Option<HeadNorm>,
    pub attention_output: Linear,
    pub attention_post_norm: Option<Norm>,
    pub mlp_norm: Option<Norm>,
    pub mlp: Block,
    pub mlp_post_norm: Option<Norm>,
}

/// What follows attention.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a model has a few dozen of them")]
pub(crate) enum Block {
    Mlp(Mlp),
    Experts(Experts),
}

/// What a pass over a batch needs beside the stream.
pub(crate) struct Pass<'a> {
    pub compute: &'a Compute,
    pub config: &'a DecoderConfig,
    pub scope: &'a Scope,
    /// One entry for each rotation of the model.
    pub rotations: &'a [Rotations],
    /// Which rotation each layer uses; the first where there is no such list.
    pub rotation_of: &'a [usize],
    pub sight: Sight<'a>,
}

/// What the tokens of a batch see beside themselves.
pub(crate) enum Sight<'a> {
    /// What a cache holds of their sequences, to which they are appended.
    Cached {
        cache: &'a mut KvCache,
        rows: &'a [RowSpan],
    },
    /// Nothing: the sequences are in the batch as a whole, one after another.
    Whole(&'a [Range<usize>]),
}

/// The tokens whose logits are wanted: nothing else is needed of the last layer, once it has remembered all of them.
pub(crate) struct Wanted<'a> {
    /// Their places in the batch, in order; all of them where there is no list.
    pub places: Option<&'a [usize]>,
    /// Their adapters.
    pub scope: &'a Scope,
}

/// The stream, and what the last block gave, which the next norm adds to it.
pub(crate) struct Stream {
    pub x: Tensor<2>,
    pub pending: Option<Tensor<2>>,
}

impl Stream {
    /// The stream of the tokens at these places.
    pub(crate) fn at(self, compute: &Compute, places: &[usize]) -> Self {
        let select = |tensor| compute.select_rows(tensor, places);
        Self {
            x: select(self.x),
            pending: self.pending.map(select),
        }
    }
}

impl Layer {
    /// The stream behind the layer.
    pub(crate) fn forward(&self, pass: &mut Pass<'_>, stream: Stream) -> Stream {
        let scope = pass.scope;
        let wanted = Wanted {
            places: None,
            scope,
        };
        self.forward_for(pass, stream, &wanted)
    }

    /// Appends to the cache, where nothing more of the layer is needed.
    pub(crate) fn remember(&self, pass: &mut Pass<'_>, stream: Stream) {
        let (_, h) = normed(
            self.attention_norm.as_ref(),
            pass.compute,
            (stream.x, stream.pending),
            pass.scope,
        );
        self.attend(pass, &h);
    }

    /// The stream behind the layer, of the wanted tokens alone.
    pub(crate) fn forward_for(
        &self,
        pass: &mut Pass<'_>,
        stream: Stream,
        wanted: &Wanted<'_>,
    ) -> Stream {
        let (compute, scope) = (pass.compute, wanted.scope);
        let (mut x, mut h) = normed(
            self.attention_norm.as_ref(),
            compute,
            (stream.x, stream.pending),
            pass.scope,
        );
        let mut attended = self.attend(pass, &h);
        if let Some(places) = wanted.places {
            [x, h, attended] = [x, h, attended].map(|tensor| compute.select_rows(tensor, places));
        }
        attended = self.attention_output.forward(compute, &attended, scope);
        if let Some(norm) = &self.attention_post_norm {
            attended = norm.forward(compute, attended, None, scope).1;
        }
        let (x, h, beside) = match pass.config.residual {
            Residual::Sequential => {
                let (x, h) = normed(self.mlp_norm.as_ref(), compute, (x, Some(attended)), scope);
                (x, h, None)
            }
            Residual::Parallel { shared_norm: true } => (x, h, Some(attended)),
            Residual::Parallel { shared_norm: false } => {
                let (x, h) = normed(self.mlp_norm.as_ref(), compute, (x, None), scope);
                (x, h, Some(attended))
            }
        };
        let mut out = match &self.mlp {
            Block::Mlp(mlp) => mlp.forward(compute, &h, scope),
            Block::Experts(experts) => experts.forward(compute, &h, scope),
        };
        if let Some(norm) = &self.mlp_post_norm {
            out = norm.forward(compute, out, None, scope).1;
        }
        let pending = Some(match beside {
            Some(attended) => attended + out,
            None => out,
        });
        Stream { x, pending }
    }

    /// What each token's heads see of its sequence, `[tokens, heads * head_dim]`; appends to the cache.
    fn attend(&self, pass: &mut Pass<'_>, h: &Tensor<2>) -> Tensor<2> {
        let (compute, scope) = (pass.compute, pass.scope);
        let attention = &pass.config.attention;
        let mut qkv = self.qkv.forward(compute, h, scope);
        if let Some(bound) = attention.clip {
            qkv = qkv.clamp(-bound, bound);
        }
        let queries = attention.heads * attention.head_dim;
        let keys = attention.kv_heads * attention.head_dim;
        for (norm, columns) in [
            (&self.query_norm, 0..queries),
            (&self.key_norm, queries..queries + keys),
        ] {
            if let Some(norm) = norm {
                qkv = norm.forward(compute, qkv, columns, scope);
            }
        }
        let shape = AttentionShape {
            heads: attention.heads,
            kv_heads: attention.kv_heads,
            head_dim: attention.head_dim,
            scale: attention.scales[self.index],
            soft_cap: attention.soft_cap,
            window: attention.windows[self.index],
            layout: attention.layout,
        };
        let rotation = pass.rotation_of.get(self.index).copied().unwrap_or(0);
        let rotations = &pass.rotations[rotation];
        match &mut pass.sight {
            Sight::Cached { cache, rows } => {
                compute.attend(qkv, shape, rotations, cache, self.index, rows)
            }
            Sight::Whole(sequences) => compute.attend_whole(qkv, shape, rotations, sequences),
        }
    }

    /// Every linear.
    pub(crate) fn linears(&self) -> Vec<&Linear> {
        let mut linears = vec![&self.qkv, &self.attention_output];
        match &self.mlp {
            Block::Mlp(mlp) => linears.extend(mlp.linears()),
            Block::Experts(experts) => linears.extend(experts.linears()),
        }
        linears
    }

    /// Every linear, to be trained.
    pub(crate) fn linears_mut(&mut self) -> Vec<&mut Linear> {
        let mut linears = vec![&mut self.qkv, &mut self.attention_output];
        match &mut self.mlp {
            Block::Mlp(mlp) => linears.extend([&mut mlp.first, &mut mlp.down]),
            Block::Experts(experts) => {
                linears.push(&mut experts.router);
                let each = experts.each.iter_mut();
                linears.extend(each.flat_map(|mlp| [&mut mlp.first, &mut mlp.down]));
            }
        }
        linears
    }

    /// Every norm over the stream.
    pub(crate) fn norms(&self) -> impl Iterator<Item = &Norm> {
        [
            &self.attention_norm,
            &self.attention_post_norm,
            &self.mlp_norm,
            &self.mlp_post_norm,
        ]
        .into_iter()
        .flatten()
    }

    /// Every norm over heads.
    pub(crate) fn head_norms(&self) -> impl Iterator<Item = &HeadNorm> {
        [&self.query_norm, &self.key_norm].into_iter().flatten()
    }

    /// What adapters can attach to.
    pub(crate) fn modules(&self) -> impl Iterator<Item = TargetModule> {
        self.linears().into_iter().flat_map(Linear::modules)
    }

    /// Names and shapes of its tensors.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = (String, Vec<usize>)> {
        let linears = self.linears().into_iter().flat_map(Linear::tensors);
        let norms = self.norms().flat_map(Norm::tensors);
        linears
            .chain(norms)
            .chain(self.head_norms().flat_map(HeadNorm::tensors))
    }

    /// Takes over an adapter's updates.
    pub(crate) fn apply(&mut self, compute: &Compute, target: Target, updates: &Updates<'_>) {
        self.qkv.apply(compute, target, updates);
        self.attention_output.apply(compute, target, updates);
        match &mut self.mlp {
            Block::Mlp(mlp) => mlp.apply(compute, target, updates),
            Block::Experts(experts) => experts.apply(compute, target, updates),
        }
        for norm in [
            &mut self.attention_norm,
            &mut self.attention_post_norm,
            &mut self.mlp_norm,
            &mut self.mlp_post_norm,
        ]
        .into_iter()
        .flatten()
        {
            norm.apply(compute, target, updates);
        }
        for norm in [&mut self.query_norm, &mut self.key_norm]
            .into_iter()
            .flatten()
        {
            norm.apply(compute, target, updates);
        }
    }

    /// Every part in which adapters act.
    pub(crate) fn held(&self) -> Vec<&dyn Held> {
        let linears = self.linears().into_iter().map(|l| l as &dyn Held);
        let norms = self.norms().map(|n| n as &dyn Held);
        let heads = self.head_norms().map(|n| n as &dyn Held);
        linears.chain(norms).chain(heads).collect()
    }

    /// Every part in which adapters act.
    pub(crate) fn held_mut(&mut self) -> Vec<&mut dyn Held> {
        let mut held: Vec<&mut dyn Held> = vec![&mut self.qkv, &mut self.attention_output];
        match &mut self.mlp {
            Block::Mlp(mlp) => held.extend(mlp.held_mut()),
            Block::Experts(experts) => held.extend(experts.held_mut()),
        }
        for norm in [
            &mut self.attention_norm,
            &mut self.attention_post_norm,
            &mut self.mlp_norm,
            &mut self.mlp_post_norm,
        ] {
            held.extend(norm.iter_mut().map(|n| n as &mut dyn Held));
        }
        for norm in [&mut self.query_norm, &mut self.key_norm] {
            held.extend(norm.iter_mut().map(|n| n as &mut dyn Held));
        }
        held
    }
}

/// `x + pending`, and its norm where there is one.
fn normed(
    norm: Option<&Norm>,
    compute: &Compute,
    (x, pending): (Tensor<2>, Option<Tensor<2>>),
    scope: &Scope,
) -> (Tensor<2>, Tensor<2>) {
    if let Some(norm) = norm {
        return norm.forward(compute, x, pending, scope);
    }
    let x = match pending {
        Some(pending) => x + pending,
        None => x,
    };
    (x.clone(), x)
}
