//! The header of a safetensors file.

use super::{StoredTensor, stored::elements};
use crate::json::UniqueEntries;
use safetensors::{SafeTensorError, SafeTensors};
use serde::de::IgnoredAny;

/// The tensors of a safetensors file in the order of their data, or the field that is wrong and how.
pub(super) fn directory(file: &[u8]) -> Result<Vec<StoredTensor>, (String, String)> {
    let header = |e: SafeTensorError| ("header".to_owned(), e.to_string());
    let (header_len, metadata) = SafeTensors::read_metadata(file).map_err(header)?;
    // The library keeps the last of two tensors of one name.
    let text = file.get(8..8 + header_len).unwrap_or_default();
    serde_json::from_slice::<UniqueEntries<IgnoredAny>>(text)
        .map_err(|e| ("header".to_owned(), e.to_string()))?;
    let start = 8 + header_len;
    metadata
        .offset_keys()
        .into_iter()
        .map(|name| {
            let info = metadata
                .info(&name)
                .ok_or_else(|| (name.clone(), "has no entry".to_owned()))?;
            if elements(&info.shape).is_none() {
                return Err((name, format!("has the impossible shape {:?}", info.shape)));
            }
            let (from, to) = info.data_offsets;
            Ok(StoredTensor {
                name,
                shape: info.shape.clone(),
                dtype: info.dtype,
                data: start + from..start + to,
                strides: None,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use safetensors::{
        Dtype,
        tensor::{TensorView, serialize},
    };

    fn good() -> Vec<u8> {
        let data: Vec<u8> = (0..48).collect();
        let tensors = [
            (
                "a",
                TensorView::new(Dtype::F32, vec![2, 3], &data[..24]).unwrap(),
            ),
            (
                "b",
                TensorView::new(Dtype::BF16, vec![4], &data[24..32]).unwrap(),
            ),
        ];
        serialize(tensors, None).unwrap()
    }

    fn refusal(header: &str, data: usize) -> String {
        let file = [
            &(header.len() as u64).to_le_bytes()[..],
            header.as_bytes(),
            &vec![0; data],
        ]
        .concat();
        let (field, problem) = directory(&file).unwrap_err();
        assert_eq!(field, "header");
        problem
    }

    #[test]
    fn a_name_used_twice_is_refused() {
        let problem = refusal(
            r#"{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#,
            0,
        );
        assert!(problem.contains("\"a\" occurs twice"), "{problem}");
    }

    #[test]
    fn tensors_that_overlap_and_lengths_that_lie_are_refused() {
        for (entries, data) in [
            // Two tensors over the same bytes.
            (
                r#""a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}"#,
                12,
            ),
            // A shape that needs more bytes than the offsets give.
            (r#""a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}"#, 8),
            // Offsets past the end of the file.
            (
                r#""a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}"#,
                8,
            ),
            // Offsets that run backwards.
            (r#""a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}"#, 8),
            // A shape whose product overflows.
            (
                r#""a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,0]}"#,
                0,
            ),
        ] {
            let problem = refusal(&format!("{{{entries}}}"), data);
            assert!(!problem.is_empty(), "{entries}");
        }
    }

    proptest! {
        #[test]
        fn mutated_files_never_panic_and_stay_in_range(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), cut: prop::sample::Index) {
            let mut file = good();
            for (at, byte) in edits {
                let at = at.index(file.len());
                file[at] = byte;
            }
            let len = file.len();
            for bytes in [&file[..], &file[..cut.index(len)]] {
                for tensor in directory(bytes).unwrap_or_default() {
                    prop_assert!(tensor.data.start <= tensor.data.end && tensor.data.end <= bytes.len());
                }
            }
        }
    }
}
