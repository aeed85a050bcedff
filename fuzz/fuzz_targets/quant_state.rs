//! The state of a 4-bit weight, in a folder whose other tensors are sound. The first byte chooses the variant.

#![no_main]

use evalh_checkpoint::{Checkpoint, WeightSource as _};
use libfuzzer_sys::fuzz_target;
use safetensors::{
    Dtype,
    tensor::{TensorView, serialize},
};
use std::sync::LazyLock;

static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let config =
        r#"{"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": true}}"#;
    std::fs::write(folder.path().join("config.json"), config).expect("it can be written to");
    folder
});

/// The code books of NF4 and FP4.
const MAP: &[u8] = include_bytes!("../seeds/quant_map.bin");

fuzz_target!(|input: &[u8]| {
    let Some((&variant, state)) = input.split_first() else {
        return;
    };
    let nested = variant & 1 == 1;
    let blocks = 1 + usize::from(variant >> 1);
    let packed = vec![0x5a; 32 * blocks];
    let map = &MAP[if variant & 2 == 2 { 64..128 } else { 0..64 }];
    let floats = vec![0u8; 4 * 256.max(blocks)];
    let book = if variant & 2 == 2 { "fp4" } else { "nf4" };
    let state_name = format!("w.quant_state.bitsandbytes__{book}");
    let view = |dtype, shape: Vec<usize>, bytes| TensorView::new(dtype, shape, bytes);
    let mut tensors = vec![
        ("w", view(Dtype::U8, vec![packed.len(), 1], &packed)),
        ("w.quant_map", view(Dtype::F32, vec![16], map)),
        (&*state_name, view(Dtype::U8, vec![state.len()], state)),
    ];
    if nested {
        let scales = blocks.div_ceil(256);
        tensors.extend([
            ("w.absmax", view(Dtype::U8, vec![blocks], &floats[..blocks])),
            (
                "w.nested_absmax",
                view(Dtype::F32, vec![scales], &floats[..4 * scales]),
            ),
            (
                "w.nested_quant_map",
                view(Dtype::F32, vec![256], &floats[..1024]),
            ),
        ]);
    } else {
        tensors.push((
            "w.absmax",
            view(Dtype::F32, vec![blocks], &floats[..4 * blocks]),
        ));
    }
    let tensors = tensors
        .into_iter()
        .map(|(name, view)| (name, view.expect("the shapes fit")));
    let bytes = serialize(tensors, None).expect("the tensors are sound");
    std::fs::write(FOLDER.path().join("model.safetensors"), bytes).expect("it can be written to");
    if let Ok(checkpoint) = Checkpoint::open(FOLDER.path()) {
        let info = checkpoint.tensor("w").expect("the weight is there");
        let values = checkpoint
            .read_f32("w")
            .expect("a checked weight can be read");
        assert_eq!(values.len(), info.elements());
        assert!(values.len() <= 2 * packed.len());
    }
});
