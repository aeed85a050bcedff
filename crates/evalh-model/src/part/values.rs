//! A weight's values as they were read.

use evalh_checkpoint::{CodedTensor, CodedValues, GroupFactors};
use evalh_kernel::{CodeValues, CodedRows, Compute, Factors, Weight};

/// A matrix `[outputs, inputs]`.
#[derive(Debug)]
pub(crate) enum Values {
    /// Row-major.
    Plain(Vec<f32>),
    /// As the checkpoint stores them, the rows of one after those of another.
    Coded(Vec<CodedTensor>),
}

impl From<Vec<f32>> for Values {
    fn from(values: Vec<f32>) -> Self {
        Self::Plain(values)
    }
}

impl Values {
    /// The weight in the form its set of primitives wants.
    pub(crate) fn weight(self, compute: &Compute, outputs: usize, inputs: usize) -> Weight {
        match self {
            Self::Plain(values) => compute.weight(values, outputs, inputs),
            Self::Coded(parts) => {
                let parts: Vec<CodedRows<'_>> = parts.iter().map(rows).collect();
                compute.coded_weight(&parts)
            }
        }
    }
}

fn rows(coded: &CodedTensor) -> CodedRows<'_> {
    CodedRows {
        name: coded.name,
        outputs: coded.rows,
        inputs: coded.columns,
        group: coded.group,
        codes: match &coded.codes {
            CodedValues::Four { codes, table } => CodeValues::Four { codes, table },
            CodedValues::Eight(codes) => CodeValues::Eight(codes),
        },
        scales: factors(&coded.scales),
        minimums: coded.minimums.as_ref().map(factors),
    }
}

fn factors(factors: &GroupFactors) -> Factors<'_> {
    match factors {
        GroupFactors::F16(bits) => Factors::F16(bits),
        GroupFactors::F32(values) => Factors::F32(values),
    }
}
