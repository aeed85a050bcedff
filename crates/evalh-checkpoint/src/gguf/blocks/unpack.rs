//! The values of one block of each quantised type.

use half::f16;

/// Unpacks block after block.
pub(super) fn each<const BYTES: usize, const LEN: usize>(
    data: &[u8],
    out: &mut [f32],
    unpack: impl Fn(&[u8; BYTES], &mut [f32; LEN]),
) {
    for (block, values) in data.as_chunks().0.iter().zip(out.as_chunks_mut().0) {
        unpack(block, values);
    }
}

/// The half-precision number at a fixed place of a block.
fn half<const N: usize>(block: &[u8; N], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

pub(super) fn q4_0(block: &[u8; 18], out: &mut [f32; 32]) {
    let scale = half(block, 0);
    let (low, high) = out.split_at_mut(16);
    for ((&q, low), high) in block[2..].iter().zip(low).zip(high) {
        *low = (i32::from(q & 0xF) - 8) as f32 * scale;
        *high = (i32::from(q >> 4) - 8) as f32 * scale;
    }
}

pub(super) fn q4_1(block: &[u8; 20], out: &mut [f32; 32]) {
    let (scale, minimum) = (half(block, 0), half(block, 2));
    let (low, high) = out.split_at_mut(16);
    for ((&q, low), high) in block[4..].iter().zip(low).zip(high) {
        *low = f32::from(q & 0xF) * scale + minimum;
        *high = f32::from(q >> 4) * scale + minimum;
    }
}

/// The fifth bits of a block of 32.
fn fifth_bits<const N: usize>(block: &[u8; N], at: usize) -> u32 {
    u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]])
}

pub(super) fn q5_0(block: &[u8; 22], out: &mut [f32; 32]) {
    let (scale, fifths) = (half(block, 0), fifth_bits(block, 2));
    let (low, high) = out.split_at_mut(16);
    for (j, ((&q, low), high)) in block[6..].iter().zip(low).zip(high).enumerate() {
        let (first, second) = (
            ((fifths >> j) & 1) as i32,
            ((fifths >> (j + 16)) & 1) as i32,
        );
        *low = ((i32::from(q & 0xF) | first << 4) - 16) as f32 * scale;
        *high = ((i32::from(q >> 4) | second << 4) - 16) as f32 * scale;
    }
}

pub(super) fn q5_1(block: &[u8; 24], out: &mut [f32; 32]) {
    let (scale, minimum, fifths) = (half(block, 0), half(block, 2), fifth_bits(block, 4));
    let (low, high) = out.split_at_mut(16);
    for (j, ((&q, low), high)) in block[8..].iter().zip(low).zip(high).enumerate() {
        let (first, second) = ((fifths >> j) & 1, (fifths >> (j + 16)) & 1);
        *low = (u32::from(q & 0xF) | first << 4) as f32 * scale + minimum;
        *high = (u32::from(q >> 4) | second << 4) as f32 * scale + minimum;
    }
}

pub(super) fn q8_0(block: &[u8; 34], out: &mut [f32; 32]) {
    let scale = half(block, 0);
    for (&q, value) in block[2..].iter().zip(out) {
        *value = f32::from(q as i8) * scale;
    }
}

pub(super) fn q2_k(block: &[u8; 84], out: &mut [f32; 256]) {
    let (scale, minimum) = (half(block, 80), half(block, 82));
    for (group, values) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        // Groups of 16: of each half of the block, four times two neighbours that share their bytes' bit pair.
        let (side, pair, within) = (group / 8, group % 8 / 2, group % 2);
        let packed = block[group];
        let scale = scale * f32::from(packed & 0xF);
        let minimum = minimum * f32::from(packed >> 4);
        let quants = &block[16 + 32 * side + 16 * within..];
        for (value, q) in values.iter_mut().zip(quants) {
            *value = scale * f32::from((q >> (2 * pair)) & 3) - minimum;
        }
    }
}

pub(super) fn q3_k(block: &[u8; 110], out: &mut [f32; 256]) {
    let scale = half(block, 108);
    let (thirds, packed) = (&block[..32], &block[96..108]);
    for (group, values) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let (side, pair, within) = (group / 8, group % 8 / 2, group % 2);
        let low = (packed[group % 8] >> (4 * (group / 8))) & 0xF;
        let high = (packed[8 + group % 4] >> (2 * (group / 4))) & 3;
        let scale = scale * (i32::from(low | high << 4) - 32) as f32;
        let quants = &block[32 + 32 * side + 16 * within..];
        let thirds = &thirds[16 * within..];
        for ((value, q), third) in values.iter_mut().zip(quants).zip(thirds) {
            let low = i32::from((q >> (2 * pair)) & 3);
            let high = i32::from((third >> (4 * side + pair)) & 1);
            *value = scale * (low - 4 * (1 - high)) as f32;
        }
    }
}

/// What the 4 bits of the non-linear types stand for.
const NON_LINEAR: [i8; 16] = [
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
];

fn non_linear(quants: &[u8], scale: f32, out: &mut [f32]) {
    let (low, high) = out.split_at_mut(16);
    for ((&q, low), high) in quants.iter().zip(low).zip(high) {
        *low = scale * f32::from(NON_LINEAR[usize::from(q & 0xF)]);
        *high = scale * f32::from(NON_LINEAR[usize::from(q >> 4)]);
    }
}

pub(super) fn iq4_nl(block: &[u8; 18], out: &mut [f32; 32]) {
    non_linear(&block[2..], half(block, 0), out);
}

pub(super) fn iq4_xs(block: &[u8; 136], out: &mut [f32; 256]) {
    let (scale, highs) = (half(block, 0), u16::from_le_bytes([block[2], block[3]]));
    let groups = block[8..].as_chunks::<16>().0;
    let values = out.as_chunks_mut::<32>().0;
    for (i, (quants, values)) in groups.iter().zip(values).enumerate() {
        let low = (block[4 + i / 2] >> (4 * (i % 2))) & 0xF;
        let high = ((highs >> (2 * i)) & 3) as u8;
        let scale = scale * (i32::from(low | high << 4) - 32) as f32;
        non_linear(quants, scale, values);
    }
}

/// The scale and minimum of the `j`th of 8 groups of 32: 6 bits each, packed into 12 bytes.
fn scale_and_minimum(packed: &[u8], j: usize) -> (f32, f32) {
    let (scale, minimum) = if j < 4 {
        (packed[j] & 63, packed[j + 4] & 63)
    } else {
        (
            (packed[j + 4] & 0xF) | (packed[j - 4] >> 6) << 4,
            (packed[j + 4] >> 4) | (packed[j] >> 6) << 4,
        )
    };
    (scale.into(), minimum.into())
}

pub(super) fn q4_k(block: &[u8; 144], out: &mut [f32; 256]) {
    let (scale, minimum, packed) = (half(block, 0), half(block, 2), &block[4..16]);
    let pairs = block[16..]
        .as_chunks::<32>()
        .0
        .iter()
        .zip(out.as_chunks_mut::<64>().0);
    for (pair, (quants, values)) in pairs.enumerate() {
        let (s1, m1) = scale_and_minimum(packed, 2 * pair);
        let (s2, m2) = scale_and_minimum(packed, 2 * pair + 1);
        let (s1, m1, s2, m2) = (scale * s1, minimum * m1, scale * s2, minimum * m2);
        let (low, high) = values.split_at_mut(32);
        for ((&q, low), high) in quants.iter().zip(low).zip(high) {
            *low = s1 * f32::from(q & 0xF) - m1;
            *high = s2 * f32::from(q >> 4) - m2;
        }
    }
}

pub(super) fn q5_k(block: &[u8; 176], out: &mut [f32; 256]) {
    let (scale, minimum, packed) = (half(block, 0), half(block, 2), &block[4..16]);
    let fifths = &block[16..48];
    let pairs = block[48..]
        .as_chunks::<32>()
        .0
        .iter()
        .zip(out.as_chunks_mut::<64>().0);
    for (pair, (quants, values)) in pairs.enumerate() {
        let (s1, m1) = scale_and_minimum(packed, 2 * pair);
        let (s2, m2) = scale_and_minimum(packed, 2 * pair + 1);
        let (s1, m1, s2, m2) = (scale * s1, minimum * m1, scale * s2, minimum * m2);
        let (low, high) = values.split_at_mut(32);
        for (((&q, &fifth), low), high) in quants.iter().zip(fifths).zip(low).zip(high) {
            let (first, second) = ((fifth >> (2 * pair)) & 1, (fifth >> (2 * pair + 1)) & 1);
            *low = s1 * f32::from((q & 0xF) | first << 4) - m1;
            *high = s2 * f32::from((q >> 4) | second << 4) - m2;
        }
    }
}

pub(super) fn q6_k(block: &[u8; 210], out: &mut [f32; 256]) {
    let scale = half(block, 208);
    let lows = block[..128].as_chunks::<64>().0;
    let highs = block[128..192].as_chunks::<32>().0;
    let scales = block[192..208].as_chunks::<8>().0;
    let halves = lows
        .iter()
        .zip(highs)
        .zip(scales)
        .zip(out.as_chunks_mut::<128>().0);
    for (((low, high), scales), values) in halves {
        for l in 0..32 {
            let quarter =
                |bits: u8, shift: u32| i32::from(bits | ((high[l] >> shift) & 3) << 4) - 32;
            let quants = [
                quarter(low[l] & 0xF, 0),
                quarter(low[l + 32] & 0xF, 2),
                quarter(low[l] >> 4, 4),
                quarter(low[l + 32] >> 4, 6),
            ];
            for (i, q) in quants.into_iter().enumerate() {
                let group = f32::from(scales[l / 16 + 2 * i] as i8);
                values[l + 32 * i] = scale * group * q as f32;
            }
        }
    }
}
