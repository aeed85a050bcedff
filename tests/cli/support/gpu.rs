//! A GPU, where this build and this machine have one.

use super::{Evalh, fixtures};
use std::sync::LazyLock;

/// Whether `--device wgpu` computes here; a software driver will do. It does not where the binary is built without the
/// feature `wgpu`, or no driver answers; the test is then skipped by its name.
pub fn has_gpu(test: &str) -> bool {
    static READY: LazyLock<Result<(), String>> = LazyLock::new(|| {
        if !cfg!(feature = "wgpu") {
            return Err("built without the feature wgpu".to_owned());
        }
        let llama = fixtures().join("llama");
        let shown = Evalh::new().run(&format!("verify {} --device wgpu", llama.display()));
        if shown.err.contains("does not answer on this machine") {
            return Err(shown.err);
        }
        assert_eq!(shown.code, Some(0), "{}{}", shown.out, shown.err);
        Ok(())
    });
    match &*READY {
        Ok(()) => true,
        Err(why) => {
            eprintln!("skipped {test}: {why}");
            false
        }
    }
}
