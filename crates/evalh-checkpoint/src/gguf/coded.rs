//! The codes of a tensor's rows, in Hugging Face's order.

use super::blocks::{BlockType, Coding, Factors};
use super::layout::RowOrder;
use crate::{CodedTensor, CodedValues, GroupFactors};
use rayon::prelude::*;

/// Values that one thread converts at a time.
const VALUES_A_TASK: usize = 1 << 16;

/// A matrix of quantised blocks as it lies in its file.
pub(super) struct CodedRows<'a> {
    pub(super) data: &'a [u8],
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) block: BlockType,
    pub(super) order: RowOrder,
}

impl CodedRows<'_> {
    /// The codes and scales, unless the values are numbers of their own.
    pub(super) fn read(&self) -> Option<CodedTensor> {
        let coding = self.block.coding()?;
        let (scales, minimums) = self.factors(&coding);
        Some(CodedTensor {
            name: coding.name,
            rows: self.rows,
            columns: self.columns,
            group: coding.group,
            codes: self.codes(&coding),
            scales,
            minimums,
        })
    }

    fn codes(&self, coding: &Coding) -> CodedValues {
        let table = coding.numbers.table();
        let bytes = if table.is_some() {
            self.columns / 2
        } else {
            self.columns
        };
        let mut codes = vec![0; self.rows * bytes];
        let rows_a_task = self.rows_a_task();
        codes
            .par_chunks_mut(rows_a_task * bytes)
            .enumerate()
            .for_each(|(task, out)| {
                for (i, out) in out.chunks_exact_mut(bytes).enumerate() {
                    coding.write_codes(self.row(task * rows_a_task + i), out);
                }
            });
        match table {
            Some(table) => CodedValues::Four { codes, table },
            None => CodedValues::Eight(codes),
        }
    }

    fn factors(&self, coding: &Coding) -> (GroupFactors, Option<GroupFactors>) {
        match coding.factors {
            Factors::Halves => {
                let write = |data: &[u8], scales: &mut [u16], minimums: &mut [u16]| {
                    coding.write_halves(data, scales, minimums);
                };
                let (scales, minimums) = self.written(coding, write);
                (GroupFactors::F16(scales), minimums.map(GroupFactors::F16))
            }
            Factors::Derived(write) => {
                let (scales, minimums) = self.written(coding, write);
                (GroupFactors::F32(scales), minimums.map(GroupFactors::F32))
            }
        }
    }

    /// Scales, and minimums where the type has them.
    fn written<T: Copy + Default + Send>(
        &self,
        coding: &Coding,
        write: impl Fn(&[u8], &mut [T], &mut [T]) + Sync,
    ) -> (Vec<T>, Option<Vec<T>>) {
        let groups = self.columns / coding.group;
        let mut scales = vec![T::default(); self.rows * groups];
        let rows_a_task = self.rows_a_task();
        if !coding.minimums {
            let rows = scales.par_chunks_mut(groups).with_min_len(rows_a_task);
            rows.enumerate()
                .for_each(|(row, scales)| write(self.row(row), scales, &mut []));
            return (scales, None);
        }
        let mut minimums = scales.clone();
        scales
            .par_chunks_mut(groups)
            .zip(minimums.par_chunks_mut(groups))
            .with_min_len(rows_a_task)
            .enumerate()
            .for_each(|(row, (scales, minimums))| write(self.row(row), scales, minimums));
        (scales, Some(minimums))
    }

    fn rows_a_task(&self) -> usize {
        (VALUES_A_TASK / self.columns).max(1)
    }

    /// The blocks of a row.
    fn row(&self, row: usize) -> &[u8] {
        let bytes = self.columns / self.block.len() * self.block.bytes();
        &self.data[self.order.stored(row) * bytes..][..bytes]
    }
}
