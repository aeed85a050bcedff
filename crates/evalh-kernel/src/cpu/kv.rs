//! Keys and values of many sequences in one pool of fixed-size blocks.

use super::packed::Precision;
use super::tile::PANEL;
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ops::Range;

/// Tokens of a block: a panel's columns, so that a block of keys is a panel.
pub const BLOCK_TOKENS: usize = PANEL;

/// Sizes of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KvShape {
    /// Decoder layers.
    pub layers: usize,
    /// Key and value heads of a layer.
    pub heads: usize,
    /// Values of a head.
    pub head_dim: usize,
    /// How keys and values are held.
    pub precision: Precision,
}

impl KvShape {
    fn padded_dim(self) -> usize {
        self.head_dim.next_multiple_of(PANEL)
    }

    /// What one head's keys take in a block, in units of four bytes: a value, or a pair of them.
    fn key_values(self) -> usize {
        self.precision.steps(self.head_dim) * BLOCK_TOKENS
    }

    /// What one head's keys and values take in a block, in the same units.
    fn head_values(self) -> usize {
        self.key_values() + self.padded_dim() * self.precision.steps(BLOCK_TOKENS)
    }

    /// Bytes that one token takes over all layers.
    pub fn bytes_per_token(self) -> usize {
        self.layers * self.heads * self.head_values() * size_of::<f32>() / BLOCK_TOKENS
    }
}

/// A pool of blocks, each holding [`BLOCK_TOKENS`] tokens for all layers, of one sequence or of several that begin alike.
///
/// A head's keys lie as `[head_dim][token]` and its values as `[head_dim / 32][token][32]`, both of them panels of the
/// inner loop; in bf16 two of `head_dim` and two tokens stand in one. Memory is taken from the system as blocks are first used.
#[derive(Debug)]
pub struct KvPool {
    shape: KvShape,
    blocks: usize,
    values: ZeroedBuffer,
    free: Vec<u32>,
    /// How many tables each block is in.
    holders: Vec<u32>,
}

/// The blocks of one sequence, in order.
#[derive(Debug, Default, Clone)]
pub struct BlockTable {
    blocks: Vec<u32>,
    len: usize,
}

impl BlockTable {
    /// Tokens whose keys and values are held.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no token is held.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Block numbers, in token order.
    pub(super) fn blocks(&self) -> &[u32] {
        &self.blocks
    }
}

/// The pool has no room for so many more tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfBlocks {
    /// Blocks asked for.
    pub needed: usize,
    /// Blocks left.
    pub free: usize,
}

impl KvPool {
    /// A pool for `tokens` tokens in all, rounded up to whole blocks; `None` where the memory cannot be had.
    pub fn new(shape: KvShape, tokens: usize) -> Option<Self> {
        let blocks = tokens.div_ceil(BLOCK_TOKENS);
        let number = u32::try_from(blocks).ok()?;
        let count = shape
            .layers
            .checked_mul(shape.heads)?
            .checked_mul(shape.head_values())?
            .checked_mul(blocks)?;
        Some(Self {
            shape,
            blocks,
            values: ZeroedBuffer::new(count)?,
            free: (0..number).rev().collect(),
            holders: vec![0; blocks],
        })
    }

    /// Sizes of the cache.
    pub fn shape(&self) -> KvShape {
        self.shape
    }

    /// Tokens for which free blocks are left.
    pub fn free_tokens(&self) -> usize {
        self.free.len() * BLOCK_TOKENS
    }

    /// Makes room for `tokens` more tokens of a sequence and counts them as held. A block that others hold too is copied
    /// before it would be written to.
    ///
    /// # Errors
    /// When the pool has too few blocks; the table is then unchanged.
    pub fn extend(&mut self, table: &mut BlockTable, tokens: usize) -> Result<(), OutOfBlocks> {
        let more = (table.len + tokens).div_ceil(BLOCK_TOKENS) - table.blocks.len();
        let shared = table.blocks.last().copied().filter(|last| {
            tokens > 0
                && !table.len.is_multiple_of(BLOCK_TOKENS)
                && self.holders[*last as usize] > 1
        });
        let needed = more + usize::from(shared.is_some());
        if needed > self.free.len() {
            return Err(OutOfBlocks {
                needed,
                free: self.free.len(),
            });
        }
        if let Some(shared) = shared {
            table.blocks.pop();
            self.holders[shared as usize] -= 1;
            let own = self.take_block(&mut table.blocks);
            self.copy_block(shared, own, self.shape.layers);
        }
        for _ in 0..more {
            self.take_block(&mut table.blocks);
        }
        table.len += tokens;
        Ok(())
    }

    /// A table of a sequence's first `len` tokens, or all that there are. Both hold their blocks from then on; a last one
    /// that is not full is copied when either goes on.
    pub fn share(&mut self, table: &BlockTable, len: usize) -> BlockTable {
        let len = len.min(table.len);
        let blocks = table.blocks[..len.div_ceil(BLOCK_TOKENS)].to_vec();
        for block in &blocks {
            self.holders[*block as usize] += 1;
        }
        BlockTable { blocks, len }
    }

    /// Forgets all but the first `len` tokens of a sequence and takes back the blocks they leave without a holder.
    pub fn truncate(&mut self, table: &mut BlockTable, len: usize) {
        let kept = len.div_ceil(BLOCK_TOKENS).min(table.blocks.len());
        for block in table.blocks.drain(kept..).rev() {
            let holders = &mut self.holders[block as usize];
            *holders -= 1;
            if *holders == 0 {
                self.free.push(block);
            }
        }
        table.len = table.len.min(len);
    }

    /// Gives a free block, of which there is one, to a table.
    fn take_block(&mut self, blocks: &mut Vec<u32>) -> u32 {
        let Some(block) = self.free.pop() else {
            unreachable!("free blocks were counted before")
        };
        self.holders[block as usize] = 1;
        blocks.push(block);
        block
    }

    /// Takes over what the first `layers` layers hold of some tokens of another sequence, which holds the same tokens up
    /// to their end. Whole blocks are copied: what they hold of earlier tokens is the same in both.
    ///
    /// # Panics
    /// When either sequence has not so many tokens, or the pool not so many layers.
    pub fn take_over(
        &mut self,
        from: &BlockTable,
        to: &BlockTable,
        tokens: &Range<usize>,
        layers: usize,
    ) {
        assert!(
            tokens.end <= from.len && tokens.end <= to.len && layers <= self.shape.layers,
            "{layers} layers of tokens {tokens:?} in sequences of {} and {}",
            from.len,
            to.len
        );
        for block in tokens.start / BLOCK_TOKENS..tokens.end.div_ceil(BLOCK_TOKENS) {
            self.copy_block(from.blocks[block], to.blocks[block], layers);
        }
    }

    /// Copies what the first `layers` layers hold.
    fn copy_block(&mut self, from: u32, to: u32, layers: usize) {
        let length = self.shape.heads * self.shape.head_values();
        for layer in 0..layers {
            let source = self.key_offset(layer, from, 0);
            let target = self.key_offset(layer, to, 0);
            self.values
                .as_mut_slice()
                .copy_within(source..source + length, target);
        }
    }

    /// Takes a sequence's blocks back.
    pub fn release(&mut self, table: &mut BlockTable) {
        self.truncate(table, 0);
    }

    /// First unit of a head's keys in a block.
    pub(super) fn key_offset(&self, layer: usize, block: u32, head: usize) -> usize {
        assert!(
            layer < self.shape.layers && (block as usize) < self.blocks && head < self.shape.heads
        );
        ((layer * self.blocks + block as usize) * self.shape.heads + head)
            * self.shape.head_values()
    }

    /// First unit of a head's values in a block.
    pub(super) fn value_offset(&self, layer: usize, block: u32, head: usize) -> usize {
        self.key_offset(layer, block, head) + self.shape.key_values()
    }

    /// All values of the pool.
    pub(super) fn values(&self) -> &[f32] {
        self.values.as_slice()
    }

    /// All values of the pool.
    pub(super) fn values_mut(&mut self) -> &mut [f32] {
        self.values.as_mut_slice()
    }
}

/// Zeroes straight from the system's allocator, which hands out pages only as they are touched.
///
/// That holds for ordinary alignments alone: zeroes of a larger one are written by the standard library, page by page. So
/// the buffer is asked for with an ordinary one, a little longer, and begins at the first cache line.
#[derive(Debug)]
struct ZeroedBuffer {
    /// What was allocated.
    allocated: *mut u8,
    /// The first value, at the beginning of a cache line.
    pointer: *mut f32,
    len: usize,
}

/// Bytes of a cache line.
const CACHE_LINE: usize = 64;

impl ZeroedBuffer {
    /// Room for the values from any first cache line on.
    fn layout(len: usize) -> Option<Layout> {
        let bytes = len.checked_mul(size_of::<f32>())?.checked_add(CACHE_LINE)?;
        Layout::from_size_align(bytes, align_of::<f32>()).ok()
    }

    fn new(len: usize) -> Option<Self> {
        // SAFETY: the layout is not empty.
        let allocated = unsafe { alloc_zeroed(Self::layout(len)?) };
        if allocated.is_null() {
            return None;
        }
        let ahead = allocated.align_offset(CACHE_LINE);
        assert!(ahead < CACHE_LINE, "a byte can be at any address");
        #[allow(clippy::cast_ptr_alignment, reason = "it is a cache line's beginning")]
        // SAFETY: less than a cache line ahead, and one was allocated beside the values.
        let pointer = unsafe { allocated.add(ahead) }.cast::<f32>();
        assert!(
            pointer.is_aligned(),
            "a cache line begins where a value can"
        );
        Some(Self {
            allocated,
            pointer,
            len,
        })
    }

    fn as_slice(&self) -> &[f32] {
        // SAFETY: `len` zeroed values from `pointer` on were allocated and are owned.
        unsafe { std::slice::from_raw_parts(self.pointer, self.len) }
    }

    fn as_mut_slice(&mut self) -> &mut [f32] {
        // SAFETY: as above, and borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.pointer, self.len) }
    }
}

impl Drop for ZeroedBuffer {
    fn drop(&mut self) {
        let Some(layout) = Self::layout(self.len) else {
            handle_alloc_error(Layout::new::<f32>())
        };
        // SAFETY: allocated in `new` with the same layout.
        unsafe { dealloc(self.allocated, layout) }
    }
}

// SAFETY: the buffer owns its memory, like a boxed slice.
unsafe impl Send for ZeroedBuffer {}
// SAFETY: as above.
unsafe impl Sync for ZeroedBuffer {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_given_out_once_and_come_back() {
        let shape = KvShape {
            layers: 2,
            heads: 1,
            head_dim: 8,
            precision: Precision::F32,
        };
        let mut pool = KvPool::new(shape, 3 * BLOCK_TOKENS - 1).unwrap();
        let (mut a, mut b) = (BlockTable::default(), BlockTable::default());
        pool.extend(&mut a, 1).unwrap();
        pool.extend(&mut b, BLOCK_TOKENS + 1).unwrap();
        assert!(!a.blocks().iter().any(|x| b.blocks().contains(x)));
        pool.extend(&mut a, BLOCK_TOKENS - 1).unwrap();
        assert_eq!(
            pool.extend(&mut a, 1),
            Err(OutOfBlocks { needed: 1, free: 0 })
        );
        assert_eq!(
            (a.len(), b.len(), pool.free_tokens()),
            (BLOCK_TOKENS, BLOCK_TOKENS + 1, 0)
        );
        pool.truncate(&mut b, BLOCK_TOKENS);
        assert_eq!(
            (b.len(), b.blocks().len(), pool.free_tokens()),
            (BLOCK_TOKENS, 1, BLOCK_TOKENS)
        );
        pool.release(&mut b);
        assert!(b.is_empty());
        assert_eq!(pool.free_tokens(), 2 * BLOCK_TOKENS);
        pool.extend(&mut a, 1).unwrap();
    }

    #[test]
    fn shared_blocks_are_freed_by_their_last_holder_and_copied_before_a_change() {
        let shape = KvShape {
            layers: 2,
            heads: 1,
            head_dim: 8,
            precision: Precision::F32,
        };
        let mut pool = KvPool::new(shape, 4 * BLOCK_TOKENS).unwrap();
        let mut a = BlockTable::default();
        pool.extend(&mut a, 2 * BLOCK_TOKENS + 1).unwrap();
        for layer in 0..2 {
            let at = pool.key_offset(layer, a.blocks()[1], 0);
            pool.values_mut()[at + 3] = 7.0 + layer as f32;
        }
        // No more than there are.
        let mut b = pool.share(&a, 10 * BLOCK_TOKENS);
        assert_eq!((b.len(), b.blocks()), (2 * BLOCK_TOKENS + 1, a.blocks()));
        pool.release(&mut b);
        let mut b = pool.share(&a, 2 * BLOCK_TOKENS - 5);
        assert_eq!(
            (b.len(), b.blocks()),
            (2 * BLOCK_TOKENS - 5, &a.blocks()[..2])
        );
        assert_eq!(pool.free_tokens(), BLOCK_TOKENS);

        // `b` goes on from within a shared block: its block is now its own, with what was in it.
        pool.extend(&mut b, 1).unwrap();
        assert_ne!(b.blocks()[1], a.blocks()[1]);
        for layer in 0..2 {
            let at = pool.key_offset(layer, b.blocks()[1], 0);
            assert_eq!(
                pool.values()[at + 3].to_bits(),
                (7.0 + layer as f32).to_bits()
            );
        }
        assert_eq!(pool.free_tokens(), 0);

        pool.release(&mut a);
        assert_eq!(pool.free_tokens(), 2 * BLOCK_TOKENS);
        pool.release(&mut b);
        assert_eq!(pool.free_tokens(), 4 * BLOCK_TOKENS);
    }

    #[test]
    fn lower_layers_are_taken_over_and_no_others() {
        let shape = KvShape {
            layers: 3,
            heads: 2,
            head_dim: 8,
            precision: Precision::F32,
        };
        let mut pool = KvPool::new(shape, 6 * BLOCK_TOKENS).unwrap();
        let (mut a, mut b) = (BlockTable::default(), BlockTable::default());
        pool.extend(&mut a, 2 * BLOCK_TOKENS + 3).unwrap();
        pool.extend(&mut b, 2 * BLOCK_TOKENS + 3).unwrap();
        let value =
            |layer: usize, block: usize, head: usize| 1.0 + (layer * 9 + block * 3 + head) as f32;
        let places = || {
            (0..3).flat_map(|layer| {
                (0..3).flat_map(move |block| [(layer, block, 0), (layer, block, 1)])
            })
        };
        for (layer, block, head) in places() {
            let at = pool.value_offset(layer, a.blocks()[block], head);
            pool.values_mut()[at + 7] = value(layer, block, head);
        }
        // From within the second block on.
        pool.take_over(&a, &b, &(BLOCK_TOKENS + 5..2 * BLOCK_TOKENS + 1), 2);
        for (layer, block, head) in places() {
            let at = pool.value_offset(layer, b.blocks()[block], head) + 7;
            let taken = layer < 2 && block > 0;
            let want = if taken {
                value(layer, block, head)
            } else {
                0.0
            };
            assert_eq!(pool.values()[at].to_bits(), want.to_bits());
        }
    }

    #[test]
    fn a_buffer_begins_at_a_cache_line_and_is_zero() {
        for len in [0, 1, 15, 16, 1 << 20] {
            let mut buffer = ZeroedBuffer::new(len).unwrap();
            assert_eq!(buffer.pointer.align_offset(CACHE_LINE), 0);
            assert!(buffer.as_slice().iter().all(|value| value.to_bits() == 0));
            buffer.as_mut_slice().fill(1.0);
            assert_eq!(buffer.as_slice().len(), len);
        }
    }

    #[test]
    fn a_pool_larger_than_any_memory_is_refused() {
        let shape = KvShape {
            layers: 64,
            heads: 64,
            head_dim: 128,
            precision: Precision::F32,
        };
        assert!(KvPool::new(shape, usize::MAX / 2).is_none());
        assert!(KvPool::new(shape, 1 << 36).is_none());
    }
}
