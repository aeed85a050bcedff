//! Values for tests, and gradients by central differences.

/// Values between -1 and 1 that look random.
pub(super) fn values(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(747_796_405).wrapping_add(1);
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// The same values as `f64`.
pub(super) fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}

/// The gradient of `f` at `at` by central differences.
pub(super) fn gradient(at: &[f32], f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    const STEP: f64 = 1e-5;
    let mut x = wide(at);
    (0..x.len())
        .map(|i| {
            let here = x[i];
            x[i] = here + STEP;
            let above = f(&x);
            x[i] = here - STEP;
            let below = f(&x);
            x[i] = here;
            (above - below) / (2.0 * STEP)
        })
        .collect()
}

/// Asserts that `got` is `want` up to `tolerance` of the largest wanted value.
pub(super) fn assert_close(got: &[f32], want: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    let scale = want.iter().fold(0.0, |m: f64, w| m.max(w.abs()));
    assert!(scale > 0.0, "{what}: nothing to compare");
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let off = (f64::from(*got) - want).abs();
        assert!(
            off <= tolerance * scale,
            "{what}: {got} at {i}, not {want}, where the largest is {scale}"
        );
    }
}

/// Asserts that two slices have the same bits.
pub(super) fn assert_same(a: &[f32], b: &[f32], what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert_eq!(a.to_bits(), b.to_bits(), "{what}: {a} and {b} at {i}");
    }
}

/// What `f` gives with one thread and with three, which must be the same; on every instruction set, too.
pub(super) fn on_all_sets(what: &str, f: impl Fn(crate::cpu::Isa) -> Vec<f32> + Sync) -> Vec<f32> {
    let mut first: Option<Vec<f32>> = None;
    for isa in crate::cpu::Isa::available() {
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let got = pool.build().unwrap().install(|| f(isa));
            match &first {
                None => first = Some(got),
                Some(first) => assert_same(&got, first, &format!("{what}, {isa}, {threads}")),
            }
        }
    }
    first.unwrap()
}
