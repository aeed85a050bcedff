//! A writer of GGUF files, so that tests can write any file, sound or not.

/// A block type as the file numbers it: id, values a block, bytes a block.
pub type Block = (u32, usize, usize);

/// All supported block types.
pub const BLOCKS: [Block; 15] = [
    (0, 1, 4),
    (1, 1, 2),
    (30, 1, 2),
    (2, 32, 18),
    (3, 32, 20),
    (6, 32, 22),
    (7, 32, 24),
    (8, 32, 34),
    (10, 256, 84),
    (11, 256, 110),
    (12, 256, 144),
    (13, 256, 176),
    (14, 256, 210),
    (20, 32, 18),
    (23, 256, 136),
];

/// Single precision.
pub const F32: Block = BLOCKS[0];

/// A file in the making.
#[derive(Debug, Clone)]
pub struct Gguf {
    /// Written as it is.
    pub version: u32,
    /// Key, type number, encoded value.
    pub metadata: Vec<(String, u32, Vec<u8>)>,
    /// Name, extents (innermost first), type number, offset from the start of the data.
    pub tensors: Vec<(String, Vec<u64>, u32, u64)>,
    /// Tensor data, each tensor at a multiple of 32.
    pub data: Vec<u8>,
}

fn text(value: &str) -> Vec<u8> {
    [&(value.len() as u64).to_le_bytes()[..], value.as_bytes()].concat()
}

impl Gguf {
    pub fn new() -> Self {
        Self {
            version: 3,
            metadata: Vec::new(),
            tensors: Vec::new(),
            data: Vec::new(),
        }
    }

    /// Sets a key, replacing an earlier value.
    pub fn set(mut self, key: &str, kind: u32, value: Vec<u8>) -> Self {
        self = self.without(key);
        self.metadata.push((key.to_owned(), kind, value));
        self
    }

    pub fn without(mut self, key: &str) -> Self {
        self.metadata.retain(|(known, ..)| known != key);
        self
    }

    pub fn without_tensor(mut self, name: &str) -> Self {
        self.tensors.retain(|(known, ..)| known != name);
        self
    }

    pub fn u32(self, key: &str, value: u32) -> Self {
        self.set(key, 4, value.to_le_bytes().to_vec())
    }

    pub fn f32(self, key: &str, value: f32) -> Self {
        self.set(key, 6, value.to_le_bytes().to_vec())
    }

    pub fn bool(self, key: &str, value: bool) -> Self {
        self.set(key, 7, vec![value.into()])
    }

    pub fn string(self, key: &str, value: &str) -> Self {
        self.set(key, 8, text(value))
    }

    pub fn strings(self, key: &str, values: &[&str]) -> Self {
        let head = [
            &8u32.to_le_bytes()[..],
            &(values.len() as u64).to_le_bytes(),
        ]
        .concat();
        self.set(
            key,
            9,
            values
                .iter()
                .fold(head, |all, value| [all, text(value)].concat()),
        )
    }

    pub fn f32s(self, key: &str, values: &[f32]) -> Self {
        self.array(key, 6, values.iter().map(|value| value.to_le_bytes()))
    }

    pub fn i32s(self, key: &str, values: &[i32]) -> Self {
        self.array(key, 5, values.iter().map(|value| value.to_le_bytes()))
    }

    /// An array of four-byte values of a type.
    fn array(self, key: &str, kind: u32, values: impl ExactSizeIterator<Item = [u8; 4]>) -> Self {
        let mut bytes = kind.to_le_bytes().to_vec();
        bytes.extend((values.len() as u64).to_le_bytes());
        bytes.extend(values.flatten());
        self.set(key, 9, bytes)
    }

    /// Adds a tensor with its data.
    pub fn tensor(mut self, name: &str, extents: &[u64], block: Block, data: &[u8]) -> Self {
        self.data.resize(self.data.len().next_multiple_of(32), 0);
        self.tensors.push((
            name.to_owned(),
            extents.to_vec(),
            block.0,
            self.data.len() as u64,
        ));
        self.data.extend_from_slice(data);
        self
    }

    /// Gives the embedding of [`tiny_llama`] another number of rows.
    pub fn resized(mut self, rows: u64) -> Self {
        self.tensors
            .retain(|(name, ..)| name != "token_embd.weight");
        self.counting("token_embd.weight", &[8, rows])
    }

    /// Adds a tensor whose values are 0, 1, 2 ...
    pub fn counting(self, name: &str, extents: &[u64]) -> Self {
        let count: u64 = extents.iter().product();
        let data: Vec<u8> = (0..count).flat_map(|i| (i as f32).to_le_bytes()).collect();
        self.tensor(name, extents, F32, &data)
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        out.extend(self.version.to_le_bytes());
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend((self.metadata.len() as u64).to_le_bytes());
        for (key, kind, value) in &self.metadata {
            out.extend(text(key));
            out.extend(kind.to_le_bytes());
            out.extend(value);
        }
        for (name, extents, kind, offset) in &self.tensors {
            out.extend(text(name));
            out.extend((extents.len() as u32).to_le_bytes());
            out.extend(extents.iter().flat_map(|n| n.to_le_bytes()));
            out.extend(kind.to_le_bytes());
            out.extend(offset.to_le_bytes());
        }
        out.resize(out.len().next_multiple_of(32), 0);
        out.extend(&self.data);
        out
    }
}

/// A llama of one layer: hidden size 8, 2 heads (1 of keys and values) of 4, 4 tokens. All weights are F32 and count up.
pub fn tiny_llama() -> Gguf {
    Gguf::new()
        .string("general.architecture", "llama")
        .u32("llama.context_length", 64)
        .u32("llama.embedding_length", 8)
        .u32("llama.block_count", 1)
        .u32("llama.feed_forward_length", 16)
        .u32("llama.attention.head_count", 2)
        .u32("llama.attention.head_count_kv", 1)
        .f32("llama.attention.layer_norm_rms_epsilon", 1e-5)
        .f32("llama.rope.freq_base", 50_000.0)
        .string("tokenizer.ggml.model", "gpt2")
        .string("tokenizer.ggml.pre", "smollm")
        .strings("tokenizer.ggml.tokens", &["a", "b", "ab", "<|im_end|>"])
        .i32s("tokenizer.ggml.token_type", &[1, 1, 1, 3])
        .strings("tokenizer.ggml.merges", &["a b"])
        .u32("tokenizer.ggml.eos_token_id", 0)
        .counting("token_embd.weight", &[8, 4])
        .counting("output_norm.weight", &[8])
        .counting("blk.0.attn_norm.weight", &[8])
        .counting("blk.0.attn_q.weight", &[8, 8])
        .counting("blk.0.attn_k.weight", &[8, 4])
        .counting("blk.0.attn_k.bias", &[4])
        .counting("blk.0.attn_v.weight", &[8, 4])
        .counting("blk.0.attn_output.weight", &[8, 8])
        .counting("blk.0.ffn_norm.weight", &[8])
        .counting("blk.0.ffn_gate.weight", &[8, 16])
        .counting("blk.0.ffn_up.weight", &[8, 16])
        .counting("blk.0.ffn_down.weight", &[16, 8])
}
