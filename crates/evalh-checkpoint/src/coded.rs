//! Weights as codes: a few bits a value, and a scale a group of values.

/// A matrix as codes, row-major, as its file stores it: in f32 it would take several times the memory.
///
/// The value of a place is `number * scale + minimum` of its group, the product and the sum rounded once together, where
/// the number is what the code stands for; without minimums it is the product, rounded. These are, bit for bit, the
/// values that [`WeightSource::read_f32`](crate::WeightSource::read_f32) gives.
#[derive(Debug, Clone, PartialEq)]
pub struct CodedTensor {
    /// Name of the type, in lower case: `q4_1`.
    pub name: &'static str,
    /// Rows.
    pub rows: usize,
    /// Values of a row, a multiple of `group`.
    pub columns: usize,
    /// Neighbours in a row that share a scale, a multiple of 8.
    pub group: usize,
    /// A code for each value.
    pub codes: CodedValues,
    /// A scale for each group.
    pub scales: GroupFactors,
    /// A minimum for each group, where the type has them, in the form of the scales.
    pub minimums: Option<GroupFactors>,
}

/// Codes, row-major.
#[derive(Debug, Clone, PartialEq)]
pub enum CodedValues {
    /// Two a byte, the first in the low half.
    Four {
        /// Half a byte for each value.
        codes: Vec<u8>,
        /// The number that each code stands for.
        table: [f32; 16],
    },
    /// Each its own number, in two's complement.
    Eight(Vec<u8>),
}

/// Scales or minimums, row-major.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupFactors {
    /// IEEE half precision, as bits.
    F16(Vec<u16>),
    /// Single precision.
    F32(Vec<f32>),
}

impl GroupFactors {
    fn is_finite(&self, index: usize) -> bool {
        const EXPONENT: u16 = 0x7C00;
        match self {
            Self::F16(bits) => bits[index] & EXPONENT != EXPONENT,
            Self::F32(values) => values[index].is_finite(),
        }
    }

    fn append(&mut self, other: Self) {
        match (self, other) {
            (Self::F16(own), Self::F16(other)) => own.extend(other),
            (Self::F32(own), Self::F32(other)) => own.extend(other),
            (Self::F16(_), Self::F32(_)) | (Self::F32(_), Self::F16(_)) => {
                unreachable!("one type has one form of scales")
            }
        }
    }
}

impl CodedTensor {
    /// The number of values that are NaN or infinite. Numbers are finite and products of them too small to overflow, so
    /// it is all values of a group or none.
    pub fn count_non_finite(&self) -> usize {
        let groups = self.rows * self.columns / self.group;
        let finite = |index: &usize| {
            let minimums = self.minimums.as_ref();
            self.scales.is_finite(*index) && minimums.is_none_or(|m| m.is_finite(*index))
        };
        (0..groups).filter(|index| !finite(index)).count() * self.group
    }

    /// Whether both have codes of one type and rows of one length.
    pub fn joins(&self, other: &Self) -> bool {
        (self.name, self.columns) == (other.name, other.columns)
    }

    /// Adds the rows of another, which [`joins`](Self::joins) this one.
    ///
    /// # Panics
    /// When it does not.
    pub fn append(&mut self, other: Self) {
        assert!(
            self.joins(&other),
            "{} with {} columns after {} with {}",
            other.name,
            other.columns,
            self.name,
            self.columns
        );
        self.rows += other.rows;
        match (&mut self.codes, other.codes) {
            (CodedValues::Four { codes, .. }, CodedValues::Four { codes: other, .. })
            | (CodedValues::Eight(codes), CodedValues::Eight(other)) => codes.extend(other),
            _ => unreachable!("one type has codes of one width"),
        }
        self.scales.append(other.scales);
        if let (Some(own), Some(other)) = (&mut self.minimums, other.minimums) {
            own.append(other);
        }
    }
}
