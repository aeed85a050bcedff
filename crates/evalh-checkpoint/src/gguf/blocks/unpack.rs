//! What lies where in a block of each quantised type.

/// Unpacks block after block.
fn each<const BYTES: usize, const LEN: usize>(
    data: &[u8],
    out: &mut [u8],
    unpack: impl Fn(&[u8; BYTES], &mut [u8; LEN]),
) {
    for (block, codes) in data.as_chunks().0.iter().zip(out.as_chunks_mut().0) {
        unpack(block, codes);
    }
}

/// Codes, one a byte, of whole blocks.
pub(super) mod codes {
    use super::each;

    /// First the low halves of bytes, then their high halves.
    fn halves(quants: &[u8], out: &mut [u8]) {
        let (low, high) = out.split_at_mut(quants.len());
        for ((&q, low), high) in quants.iter().zip(low).zip(high) {
            (*low, *high) = (q & 0xF, q >> 4);
        }
    }

    pub(in super::super) fn q4_0(data: &[u8], out: &mut [u8]) {
        each(data, out, |block: &[u8; 18], out: &mut [u8; 32]| {
            halves(&block[2..], out);
        });
    }

    pub(in super::super) fn q4_1(data: &[u8], out: &mut [u8]) {
        each(data, out, |block: &[u8; 20], out: &mut [u8; 32]| {
            halves(&block[4..], out);
        });
    }

    /// Adds the fifth bits of a block of 32.
    fn add_fifths(fifths: [u8; 4], out: &mut [u8; 32]) {
        let fifths = u32::from_le_bytes(fifths);
        for (j, code) in out.iter_mut().enumerate() {
            *code |= (((fifths >> j) & 1) as u8) << 4;
        }
    }

    pub(in super::super) fn q5_0(data: &[u8], out: &mut [u8]) {
        each(data, out, |block: &[u8; 22], out: &mut [u8; 32]| {
            halves(&block[6..], out);
            add_fifths([block[2], block[3], block[4], block[5]], out);
            for code in out {
                *code = code.wrapping_sub(16);
            }
        });
    }

    pub(in super::super) fn q5_1(data: &[u8], out: &mut [u8]) {
        each(data, out, |block: &[u8; 24], out: &mut [u8; 32]| {
            halves(&block[8..], out);
            add_fifths([block[4], block[5], block[6], block[7]], out);
        });
    }

    pub(in super::super) fn q8_0(data: &[u8], out: &mut [u8]) {
        each(data, out, |block: &[u8; 34], out: &mut [u8; 32]| {
            out.copy_from_slice(&block[2..]);
        });
    }

    pub(in super::super) fn q2_k(data: &[u8], out: &mut [u8]) {
        each(data, out, |block: &[u8; 84], out: &mut [u8; 256]| {
            pairs_of_bits(&block[16..80], out);
        });
    }

    /// Groups of 16: of each half of the block, four times two neighbours that share their bytes' bit pair.
    fn pairs_of_bits(quants: &[u8], out: &mut [u8; 256]) {
        for (group, codes) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
            let (side, pair, within) = (group / 8, group % 8 / 2, group % 2);
            let quants = &quants[32 * side + 16 * within..];
            for (code, q) in codes.iter_mut().zip(quants) {
                *code = (q >> (2 * pair)) & 3;
            }
        }
    }

    pub(in super::super) fn q3_k(data: &[u8], out: &mut [u8]) {
        each(data, out, |block: &[u8; 110], out: &mut [u8; 256]| {
            pairs_of_bits(&block[32..96], out);
            for (eighth, codes) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
                for (code, third) in codes.iter_mut().zip(&block[..32]) {
                    *code |= ((third >> eighth) & 1) << 2;
                }
            }
        });
    }

    pub(in super::super) fn iq4_nl(data: &[u8], out: &mut [u8]) {
        q4_0(data, out);
    }

    pub(in super::super) fn iq4_xs(data: &[u8], out: &mut [u8]) {
        each(data, out, |block: &[u8; 136], out: &mut [u8; 256]| {
            let groups = block[8..].as_chunks::<16>().0;
            for (quants, codes) in groups.iter().zip(out.as_chunks_mut::<32>().0) {
                halves(quants, codes);
            }
        });
    }

    pub(in super::super) fn q4_k(data: &[u8], out: &mut [u8]) {
        each(data, out, |block: &[u8; 144], out: &mut [u8; 256]| {
            pairs_of_groups(&block[16..], out);
        });
    }

    /// Pairs of groups of 32, the first in the low halves of their bytes.
    fn pairs_of_groups(quants: &[u8], out: &mut [u8; 256]) {
        let pairs = quants.as_chunks::<32>().0.iter();
        for (quants, codes) in pairs.zip(out.as_chunks_mut::<64>().0) {
            halves(quants, codes);
        }
    }

    pub(in super::super) fn q5_k(data: &[u8], out: &mut [u8]) {
        each(data, out, |block: &[u8; 176], out: &mut [u8; 256]| {
            pairs_of_groups(&block[48..], out);
            for (eighth, codes) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
                for (code, fifth) in codes.iter_mut().zip(&block[16..48]) {
                    *code |= ((fifth >> eighth) & 1) << 4;
                }
            }
        });
    }

    pub(in super::super) fn q6_k(data: &[u8], out: &mut [u8]) {
        each(data, out, |block: &[u8; 210], out: &mut [u8; 256]| {
            let lows = block[..128].as_chunks::<64>().0;
            let highs = block[128..192].as_chunks::<32>().0;
            let sides = lows.iter().zip(highs).zip(out.as_chunks_mut::<128>().0);
            for ((low, high), codes) in sides {
                halves(low, codes);
                for (quarter, codes) in codes.as_chunks_mut::<32>().0.iter_mut().enumerate() {
                    for (code, high) in codes.iter_mut().zip(high) {
                        *code |= ((high >> (2 * quarter)) & 3) << 4;
                        *code = code.wrapping_sub(32);
                    }
                }
            }
        });
    }
}

/// Scales, and minimums to add, of the groups of whole super-blocks.
pub(super) mod factors {
    use half::f16;

    /// The half-precision number at a fixed place of a block.
    fn half<const N: usize>(block: &[u8; N], at: usize) -> f32 {
        f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
    }

    /// Writes block after block, of so many groups.
    fn each<const BYTES: usize, const GROUPS: usize>(
        data: &[u8],
        scales: &mut [f32],
        minimums: &mut [f32],
        write: impl Fn(&[u8; BYTES], usize) -> (f32, f32),
    ) {
        let groups = scales.as_chunks_mut::<GROUPS>().0.iter_mut();
        let mut minimums = minimums.iter_mut();
        for (block, scales) in data.as_chunks().0.iter().zip(groups) {
            for (group, scale) in scales.iter_mut().enumerate() {
                let (own, minimum) = write(block, group);
                *scale = own;
                if let Some(place) = minimums.next() {
                    *place = minimum;
                }
            }
        }
    }

    pub(in super::super) fn q2_k(data: &[u8], scales: &mut [f32], minimums: &mut [f32]) {
        each::<84, 16>(data, scales, minimums, |block, group| {
            let (scale, minimum, packed) = (half(block, 80), half(block, 82), block[group]);
            let minimum = minimum * f32::from(packed >> 4);
            (scale * f32::from(packed & 0xF), -minimum)
        });
    }

    pub(in super::super) fn q3_k(data: &[u8], scales: &mut [f32], minimums: &mut [f32]) {
        each::<110, 16>(data, scales, minimums, |block, group| {
            let packed = &block[96..108];
            let low = (packed[group % 8] >> (4 * (group / 8))) & 0xF;
            let high = (packed[8 + group % 4] >> (2 * (group / 4))) & 3;
            let scale = half(block, 108) * (i32::from(low | high << 4) - 32) as f32;
            (scale, 0.0)
        });
    }

    pub(in super::super) fn iq4_xs(data: &[u8], scales: &mut [f32], minimums: &mut [f32]) {
        each::<136, 8>(data, scales, minimums, |block, group| {
            let highs = u16::from_le_bytes([block[2], block[3]]);
            let low = (block[4 + group / 2] >> (4 * (group % 2))) & 0xF;
            let high = ((highs >> (2 * group)) & 3) as u8;
            let scale = half(block, 0) * (i32::from(low | high << 4) - 32) as f32;
            (scale, 0.0)
        });
    }

    /// The scale and minimum of the `j`th of 8 groups of 32: 6 bits each, packed into 12 bytes.
    fn six_bits<const N: usize>(block: &[u8; N], j: usize) -> (f32, f32) {
        let packed = &block[4..16];
        let (scale, minimum) = if j < 4 {
            (packed[j] & 63, packed[j + 4] & 63)
        } else {
            (
                (packed[j + 4] & 0xF) | (packed[j - 4] >> 6) << 4,
                (packed[j + 4] >> 4) | (packed[j] >> 6) << 4,
            )
        };
        let minimum = half(block, 2) * f32::from(minimum);
        (half(block, 0) * f32::from(scale), -minimum)
    }

    pub(in super::super) fn q4_k(data: &[u8], scales: &mut [f32], minimums: &mut [f32]) {
        each::<144, 8>(data, scales, minimums, six_bits);
    }

    pub(in super::super) fn q5_k(data: &[u8], scales: &mut [f32], minimums: &mut [f32]) {
        each::<176, 8>(data, scales, minimums, six_bits);
    }

    pub(in super::super) fn q6_k(data: &[u8], scales: &mut [f32], minimums: &mut [f32]) {
        each::<210, 16>(data, scales, minimums, |block, group| {
            let scale = half(block, 208) * f32::from(block[192 + group].cast_signed());
            (scale, 0.0)
        });
    }
}
