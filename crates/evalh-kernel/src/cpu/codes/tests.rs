//! Codes multiply like the values they stand for, whichever set computes.

use crate::cpu::{CodeValues, CodedRows, Factors, Isa, PackedWeight, multiply};

/// Numbers without order.
struct Noise(u32);

impl Noise {
    fn bits(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }

    fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.bits() as u8).collect()
    }

    /// Any finite half-precision numbers, subnormal and negative ones among them.
    fn halves(&mut self, n: usize) -> Vec<u16> {
        let finite = |bits: u16| {
            if bits & 0x7C00 == 0x7C00 {
                bits ^ 0x4000
            } else {
                bits
            }
        };
        (0..n).map(|_| finite(self.bits() as u16)).collect()
    }

    fn floats(&mut self, n: usize) -> Vec<f32> {
        (0..n)
            .map(|_| self.bits() as f32 / (1 << 23) as f32 - 1.0)
            .collect()
    }
}

/// The value of a half-precision number, from its definition.
fn half(bits: u16) -> f32 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 0x3FF));
    let magnitude = match exponent {
        0 => fraction * 2f32.powi(-24),
        _ => (1024.0 + fraction) * 2f32.powi(exponent - 25),
    };
    if bits >> 15 == 1 {
        -magnitude
    } else {
        magnitude
    }
}

#[derive(Clone, Copy)]
struct Case {
    eight: bool,
    halves: bool,
    minimums: bool,
    group: usize,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for group in [8, 16, 32, 64] {
        for bits in 0..8 {
            cases.push(Case {
                eight: bits & 1 > 0,
                halves: bits & 2 > 0,
                minimums: bits & 4 > 0,
                group,
            });
        }
    }
    cases
}

/// Codes of a case as a weight, and the values they stand for.
fn weight(case: Case, outputs: usize, inputs: usize, seed: u32) -> (PackedWeight, Vec<f32>) {
    let mut noise = Noise(seed);
    let (count, groups) = (outputs * inputs, outputs * inputs / case.group);
    let table: [f32; 16] = std::array::from_fn(|i| i as f32 * 1.5 - 9.0);
    let codes = noise.bytes(if case.eight { count } else { count / 2 });
    let halves = [noise.halves(groups), noise.halves(groups)];
    let floats = [noise.floats(groups), noise.floats(groups)];
    let factors = |which: usize| {
        if case.halves {
            Factors::F16(&halves[which])
        } else {
            Factors::F32(&floats[which])
        }
    };
    let rows = CodedRows {
        name: "codes",
        outputs,
        inputs,
        group: case.group,
        codes: if case.eight {
            CodeValues::Eight(&codes)
        } else {
            CodeValues::Four {
                codes: &codes,
                table: &table,
            }
        },
        scales: factors(0),
        minimums: case.minimums.then(|| factors(1)),
    };
    let values = (0..count).map(|i| {
        let number = if case.eight {
            f32::from(codes[i] as i8)
        } else {
            table[usize::from(codes[i / 2] >> (4 * (i % 2)) & 15)]
        };
        let factor = |which: usize| {
            if case.halves {
                half(halves[which][i / case.group])
            } else {
                floats[which][i / case.group]
            }
        };
        if case.minimums {
            number.mul_add(factor(0), factor(1))
        } else {
            number * factor(0)
        }
    });
    (PackedWeight::coded(&rows), values.collect())
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn rows_come_back_as_the_values_of_their_codes() {
    for case in cases() {
        let (coded, values) = weight(case, 37, 128, 1);
        assert_eq!(bits(&coded.to_rows()), bits(&values));
        assert_eq!(coded.dtypes(), ["codes"]);
    }
}

#[test]
fn codes_multiply_like_their_values_bit_for_bit() {
    for case in cases() {
        for (rows, outputs, inputs) in [
            (1, 200, 128),
            (2, 97, 64),
            (3, 64, 192),
            (4, 33, 64),
            (7, 130, 64),
            (12, 40, 64),
            (13, 31, 128),
            (26, 65, 64),
        ] {
            check(case, rows, outputs, inputs);
        }
    }
}

/// A weight deeper than the inputs that are written out at once.
#[test]
fn deep_weights_go_on_where_they_left_off() {
    for rows in [1, 13] {
        for case in cases().into_iter().filter(|case| case.group == 32) {
            check(case, rows, 33, 4160);
        }
    }
}

fn check(case: Case, rows: usize, outputs: usize, inputs: usize) {
    let (coded, values) = weight(case, outputs, inputs, 2);
    let plain = PackedWeight::new(&values, outputs, inputs);
    let x = Noise(3).floats(rows * inputs);
    let width = outputs + 3;
    for isa in Isa::available() {
        for accumulate in [false, true] {
            let before = Noise(4).floats(rows * width);
            let (mut c, mut want) = (before.clone(), before);
            multiply(isa, &x, &coded, &mut c, width, 2, accumulate);
            multiply(isa, &x, &plain, &mut want, width, 2, accumulate);
            assert_eq!(bits(&c), bits(&want), "{isa}, {rows} rows");
        }
    }
}

/// Weights of several kinds as one, as where queries and keys are stored in another type than values.
#[test]
fn joined_weights_multiply_like_their_values() {
    let (four, eight) = (cases()[10], cases()[17]);
    let (a, a_values) = weight(four, 40, 128, 5);
    let (b, b_values) = weight(eight, 33, 128, 6);
    let plain = PackedWeight::new(&[a_values, b_values].concat(), 73, 128);
    let joined = PackedWeight::joined(vec![a, b]);
    assert_eq!(bits(&joined.to_rows()), bits(&plain.to_rows()));
    assert_eq!(joined.dtypes(), ["codes", "codes"]);
    for rows in [1, 20] {
        let x = Noise(7).floats(rows * 128);
        let (mut c, mut want) = (vec![0.0; rows * 75], vec![0.0; rows * 75]);
        multiply(Isa::detect(), &x, &joined, &mut c, 75, 1, false);
        multiply(Isa::detect(), &x, &plain, &mut want, 75, 1, false);
        assert_eq!(bits(&c), bits(&want));
    }
}

#[test]
#[should_panic(expected = "inputs in groups of")]
fn rows_of_no_whole_groups_are_refused() {
    weight(cases()[0], 4, 36, 1);
}
