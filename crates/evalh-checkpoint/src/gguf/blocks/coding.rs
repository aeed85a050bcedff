//! Each quantised type as codes, scales and minimums: all that its values are made of.

use super::BlockType;
use super::unpack::{codes, factors};
use half::f16;

/// Values that are computed through one buffer, which stays in the first-level cache: 4 of the largest blocks.
const BUFFER: usize = 1024;
/// Values of the smallest group.
const SMALLEST_GROUP: usize = 16;

/// What the 4 bits of the non-linear types stand for.
const NON_LINEAR: [f32; 16] = [
    -127.0, -104.0, -83.0, -65.0, -49.0, -35.0, -22.0, -10.0, 1.0, 13.0, 25.0, 38.0, 53.0, 69.0,
    89.0, 113.0,
];

/// How a type's blocks are made of codes in groups, each group with a scale and perhaps a minimum.
#[derive(Clone, Copy)]
pub(in crate::gguf) struct Coding {
    /// Name of the type, in lower case.
    pub(in crate::gguf) name: &'static str,
    /// Values that share a scale.
    pub(in crate::gguf) group: usize,
    pub(in crate::gguf) numbers: Numbers,
    pub(in crate::gguf) factors: Factors,
    pub(in crate::gguf) minimums: bool,
    /// Values and bytes a block.
    block: (usize, usize),
    /// Writes the codes of whole blocks, one a byte.
    codes: fn(&[u8], &mut [u8]),
}

/// Writes the scales of whole blocks, and the minimums where there is room for them.
type Derive = fn(&[u8], &mut [f32], &mut [f32]);

/// What codes stand for.
#[derive(Clone, Copy)]
pub(in crate::gguf) enum Numbers {
    /// Four bits, less an offset.
    Four(u8),
    /// Four bits that index [`NON_LINEAR`].
    NonLinear,
    /// Bytes in two's complement.
    Eight,
}

/// Where the scales of groups are.
#[derive(Clone, Copy)]
pub(in crate::gguf) enum Factors {
    /// At the beginning of each block, which is one group: a half-precision scale, then the minimum.
    Halves,
    /// Computed from those of super-blocks.
    Derived(Derive),
}

impl Numbers {
    /// The number of each code of four bits.
    pub(in crate::gguf) fn table(self) -> Option<[f32; 16]> {
        match self {
            Self::Four(offset) => Some(std::array::from_fn(|i| i as f32 - f32::from(offset))),
            Self::NonLinear => Some(NON_LINEAR),
            Self::Eight => None,
        }
    }
}

impl Coding {
    /// How a type is coded, unless its values are numbers of their own.
    pub(super) fn of(block: BlockType) -> Option<Self> {
        use BlockType as B;
        let coding = |name, group, numbers, minimums, codes, factors| Self {
            name,
            group,
            numbers,
            factors,
            minimums,
            block: (block.len(), block.bytes()),
            codes,
        };
        let halves = |name, numbers, minimums, codes| {
            coding(name, 32, numbers, minimums, codes, Factors::Halves)
        };
        let derived = |name, group, numbers, minimums, codes, factors| {
            coding(
                name,
                group,
                numbers,
                minimums,
                codes,
                Factors::Derived(factors),
            )
        };
        let plain = Numbers::Four(0);
        Some(match block {
            B::F32 | B::F16 | B::BF16 => return None,
            B::Q4_0 => halves("q4_0", Numbers::Four(8), false, codes::q4_0),
            B::Q4_1 => halves("q4_1", plain, true, codes::q4_1),
            B::Q5_0 => halves("q5_0", Numbers::Eight, false, codes::q5_0),
            B::Q5_1 => halves("q5_1", Numbers::Eight, true, codes::q5_1),
            B::Q8_0 => halves("q8_0", Numbers::Eight, false, codes::q8_0),
            B::IQ4_NL => halves("iq4_nl", Numbers::NonLinear, false, codes::iq4_nl),
            B::IQ4_XS => derived(
                "iq4_xs",
                32,
                Numbers::NonLinear,
                false,
                codes::iq4_xs,
                factors::iq4_xs,
            ),
            B::Q2_K => derived("q2_k", 16, plain, true, codes::q2_k, factors::q2_k),
            B::Q3_K => derived(
                "q3_k",
                16,
                Numbers::Four(4),
                false,
                codes::q3_k,
                factors::q3_k,
            ),
            B::Q4_K => derived("q4_k", 32, plain, true, codes::q4_k, factors::q4_k),
            B::Q5_K => derived("q5_k", 32, Numbers::Eight, true, codes::q5_k, factors::q5_k),
            B::Q6_K => derived(
                "q6_k",
                16,
                Numbers::Eight,
                false,
                codes::q6_k,
                factors::q6_k,
            ),
        })
    }

    /// The codes of whole blocks, two a byte where they have four bits.
    pub(in crate::gguf) fn write_codes(&self, data: &[u8], out: &mut [u8]) {
        if matches!(self.numbers, Numbers::Eight) {
            return (self.codes)(data, out);
        }
        let (len, bytes) = self.block;
        let blocks = BUFFER / len;
        let mut buffer = [0; BUFFER];
        for (data, out) in data.chunks(blocks * bytes).zip(out.chunks_mut(BUFFER / 2)) {
            let codes = &mut buffer[..2 * out.len()];
            (self.codes)(data, codes);
            for (out, pair) in out.iter_mut().zip(codes.as_chunks::<2>().0) {
                *out = pair[0] | pair[1] << 4;
            }
        }
    }

    /// The bits of the scales and minimums of whole blocks that begin with them; `minimums` is empty where there are none.
    pub(in crate::gguf) fn write_halves(
        &self,
        data: &[u8],
        scales: &mut [u16],
        minimums: &mut [u16],
    ) {
        let bits = |block: &[u8], at: usize| u16::from_le_bytes([block[at], block[at + 1]]);
        let blocks = || data.chunks_exact(self.block.1);
        for (block, scale) in blocks().zip(scales) {
            *scale = bits(block, 0);
        }
        for (block, minimum) in blocks().zip(minimums) {
            *minimum = bits(block, 2);
        }
    }

    /// The values of whole blocks.
    pub(super) fn dequantise(&self, data: &[u8], out: &mut [f32]) {
        let (len, bytes) = self.block;
        let mut codes = [0; BUFFER];
        let (mut scales, mut minimums) = (
            [0.0; BUFFER / SMALLEST_GROUP],
            [0.0; BUFFER / SMALLEST_GROUP],
        );
        let table = match self.numbers {
            Numbers::NonLinear => Some(&NON_LINEAR),
            Numbers::Four(_) | Numbers::Eight => None,
        };
        let offset = match self.numbers {
            Numbers::Four(offset) => offset,
            Numbers::NonLinear | Numbers::Eight => 0,
        };
        for (data, out) in data
            .chunks(BUFFER / len * bytes)
            .zip(out.chunks_mut(BUFFER))
        {
            let codes = &mut codes[..out.len()];
            (self.codes)(data, codes);
            let groups = out.len() / self.group;
            let (scales, minimums) = (&mut scales[..groups], &mut minimums[..groups]);
            self.read_factors(data, scales, minimums);
            let groups = out
                .chunks_exact_mut(self.group)
                .zip(codes.chunks_exact(self.group));
            for (((out, codes), scale), minimum) in groups.zip(scales).zip(minimums) {
                let number = |code: &u8| match table {
                    Some(table) => table[usize::from(*code & 15)],
                    None => f32::from(code.wrapping_sub(offset).cast_signed()),
                };
                if self.minimums {
                    for (value, code) in out.iter_mut().zip(codes) {
                        *value = number(code) * *scale + *minimum;
                    }
                } else {
                    for (value, code) in out.iter_mut().zip(codes) {
                        *value = number(code) * *scale;
                    }
                }
            }
        }
    }

    fn read_factors(&self, data: &[u8], scales: &mut [f32], minimums: &mut [f32]) {
        let value =
            |block: &[u8], at: usize| f16::from_le_bytes([block[at], block[at + 1]]).to_f32();
        match self.factors {
            Factors::Derived(factors) => factors(data, scales, minimums),
            Factors::Halves => {
                let blocks = data.chunks_exact(self.block.1);
                for ((block, scale), minimum) in blocks.zip(scales).zip(minimums) {
                    *scale = value(block, 0);
                    if self.minimums {
                        *minimum = value(block, 2);
                    }
                }
            }
        }
    }
}
