//! Hostile archives and pickles, built by hand.

use super::*;
use proptest::prelude::*;

/// A zip entry as this test writes it: name, method, size said to be unpacked, bytes.
struct Entry<'a>(&'a str, u16, usize, &'a [u8]);

fn stored<'a>(name: &'a str, bytes: &'a [u8]) -> Entry<'a> {
    Entry(name, 0, bytes.len(), bytes)
}

/// A zip archive without checksums, which `torch.save` may leave out too.
fn zip(entries: &[Entry<'_>]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    let le = |n: usize| (n as u32).to_le_bytes();
    for Entry(name, method, unpacked, bytes) in entries {
        let common = [
            &[10, 0, 0, 0][..],
            &method.to_le_bytes(),
            &[0; 8],
            &le(bytes.len()),
            &le(*unpacked),
            &(name.len() as u16).to_le_bytes(),
            &[0, 0],
        ]
        .concat();
        directory.extend(
            [
                &b"PK\x01\x02\x0a\x00"[..],
                &common,
                &[0; 10],
                &le(out.len()),
            ]
            .concat(),
        );
        directory.extend(name.as_bytes());
        out.extend([&b"PK\x03\x04"[..], &common, name.as_bytes(), bytes].concat());
    }
    let count = (entries.len() as u16).to_le_bytes();
    let end = [
        &b"PK\x05\x06\0\0\0\0"[..],
        &count,
        &count,
        &le(directory.len()),
        &le(out.len()),
        &[0, 0],
    ];
    [&out[..], &directory, &end.concat()].concat()
}

fn text(text: &str) -> Vec<u8> {
    [
        b"X",
        &(text.len() as u32).to_le_bytes()[..],
        text.as_bytes(),
    ]
    .concat()
}

/// A tensor of two values over a storage of that many.
fn tensor(key: &str, values: u8, shape: &[u8]) -> Vec<u8> {
    [
        &b"ctorch._utils\n_rebuild_tensor_v2\n(("[..],
        &text("storage"),
        b"ctorch\nFloatStorage\n",
        &text(key),
        &text("cpu"),
        &[b'K', values],
        b"tQK\0(",
        shape,
        b"tK\x01\x85\x89ccollections\nOrderedDict\n)RtR",
    ]
    .concat()
}

fn state_dict(items: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let items = items
        .iter()
        .flat_map(|(name, value)| [text(name), value.clone()].concat());
    [&b"\x80\x02}("[..], &items.collect::<Vec<_>>(), b"u."].concat()
}

fn sound() -> Vec<u8> {
    let pickle = state_dict(&[
        ("a", tensor("0", 2, b"K\x02")),
        ("b", tensor("1", 3, b"K\x02")),
    ]);
    zip(&[
        stored("x/data.pkl", &pickle),
        stored("x/data/0", &[0; 8]),
        stored("x/data/1", &[0; 12]),
    ])
}

fn refusal(file: &[u8]) -> String {
    assert!(is_torch(file));
    directory(Path::new("m.bin"), file).unwrap_err().to_string()
}

fn refusal_of(pickle: &[u8]) -> String {
    refusal(&zip(&[
        stored("x/data.pkl", pickle),
        stored("x/data/0", &[0; 8]),
    ]))
}

#[test]
fn a_sound_archive_is_read() {
    let tensors = directory(Path::new("m.bin"), &sound()).unwrap();
    let found: Vec<_> = tensors
        .iter()
        .map(|t| (t.name.as_str(), t.data.len()))
        .collect();
    assert_eq!(found, [("a", 8), ("b", 8)]);
}

#[test]
fn archives_that_lie_are_refused() {
    let pickle = state_dict(&[("a", tensor("0", 2, b"K\x02"))]);
    let base = || stored("x/data.pkl", &pickle);
    for (entries, words) in [
        // A zip bomb: few bytes that would unpack to many.
        (
            vec![base(), Entry("x/data/0", 8, 1 << 30, &[0; 8])],
            "x/data/0 is a compressed entry",
        ),
        (
            vec![Entry("x/data.pkl", 8, 1 << 30, &pickle)],
            "x/data.pkl is a compressed entry",
        ),
        (
            vec![base(), Entry("x/data/0", 0, 4, &[0; 8])],
            "x/data/0: is stored in 8 bytes but said to have 4",
        ),
        (
            vec![base(), stored("x/data/0", &[0; 4])],
            "a: is in a storage of 2 values, but data/0 has 4 bytes",
        ),
        (vec![base()], "a: is in data/0, which the archive lacks"),
        (vec![base(), base()], "x/data.pkl: occurs twice"),
        (
            vec![base(), stored("y/data/0", &[0; 8])],
            "y/data/0: is outside of the archive's folder",
        ),
        (
            vec![base(), stored("0", &[0; 8])],
            "0: is outside of the archive's folder",
        ),
        (vec![stored("x/data/0", &[0; 8])], "data.pkl: is missing"),
        (
            vec![base(), stored("x/byteorder", b"big")],
            "byteorder is \"big\"",
        ),
        (vec![base(), stored("x/constants.pkl", b"")], "TorchScript"),
    ] {
        let error = refusal(&zip(&entries));
        assert!(error.contains(words), "{words} in {error}");
    }
    let large = vec![b'N'; LARGEST_PICKLE + 1];
    assert!(refusal(&zip(&[stored("x/data.pkl", &large)])).contains("a pickle of 8388609 bytes"));
    let whole = sound();
    for len in [4, 30, whole.len() / 2, whole.len() - 1] {
        refusal(&whole[..len]);
    }
}

#[test]
fn entries_that_share_bytes_are_refused() {
    let mut file = sound();
    // The directory's entry of data/1 is made to point at the local header of data/0.
    let offset_of = |name: &[u8]| {
        let places: Vec<_> = (0..file.len() - name.len())
            .filter(|&i| &file[i..i + name.len()] == name)
            .collect();
        (places[0] - 30, places[1] - 4)
    };
    let ((first, _), (_, second)) = (offset_of(b"x/data/0"), offset_of(b"x/data/1"));
    file[second..second + 4].copy_from_slice(&(first as u32).to_le_bytes());
    let error = refusal(&file);
    assert!(error.contains("overlaps data/"), "{error}");
}

#[test]
fn pickles_that_do_more_than_describe_tensors_are_refused_by_name() {
    let call = |name: &str| state_dict(&[("a", format!("c{name}\n)R").into_bytes())]);
    for name in [
        "os\nsystem",
        "posix\nsystem",
        "builtins\neval",
        "torch\nload",
        "torch._utils\n_rebuild_tensor_v3",
    ] {
        let error = refusal_of(&call(name));
        let global = name.replace('\n', ".");
        assert!(
            error.contains(&format!("a pickle that uses {global}")),
            "{error}"
        );
        assert!(error.contains("save model.state_dict() anew"), "{error}");
    }
    for (pickle, words) in [
        (&b"\x80\x04."[..], "pickle protocol 4"),
        (b"\x80\x02\x81.", "the opcode 0x81"),
        (
            b"\x80\x02ctorch\nFloatStorage\n)R.",
            "calls Storage(F32) with other arguments",
        ),
        (b"\x80\x02]}b.", "sets attributes of an object"),
        (b"\x80\x02K\x01.", "the root is no dictionary"),
        (
            b"\x80\x02}X\x01\0\0\0aK\x01s.",
            "the root is a dictionary without tensors",
        ),
    ] {
        let error = refusal_of(pickle);
        assert!(error.contains(words), "{words} in {error}");
    }
}

#[test]
fn pickles_that_are_broken_are_refused() {
    for (pickle, words) in [
        (&b"\x80\x02"[..], "ends in the middle"),
        (b".", "takes more values than it gives"),
        (b"K\x01t.", "ends a group that it did not begin"),
        (b"h\0.", "refers to a value that it did not give"),
        (b"X\xff\xff\xff\xffa.", "a text that is longer than it"),
        (b"X\x01\0\0\0\xff.", "a text that is no UTF-8"),
        (b"\x8a\xff", "ends in the middle"),
        (b"\x8a\x09aaaaaaaaa.", "an integer of more than 64 bits"),
        (b"}K\x01as.", "appends to what is no list"),
        (b"](K\x01K\x01u.", "sets an item of what is no dictionary"),
        (b"}(K\x01u.", "a key without a value"),
        (b"(K\x01(\x85.", "takes more values than it gives"),
        (
            b"K\x01Q.",
            "a storage that is not described as PyTorch does",
        ),
        (b"ctorch", "a name without an end"),
        (b"}q\0h\0\x85R.", "calls what is no function"),
    ] {
        let error = refusal_of(pickle);
        assert!(error.contains(words), "{words} in {error}");
    }
    let deep = vec![b'('; 1 << 15];
    assert!(refusal_of(&deep).contains("pending values"));
    let empty = [&b"\x80\x02]("[..], &[b')'; 1000], b"e."].concat();
    assert!(refusal_of(&empty).contains("next to nothing but empty values"));
}

#[test]
fn a_dictionary_that_holds_itself_ends() {
    // d = {}; d["a"] = d
    let error = refusal_of(b"\x80\x02}q\0X\x01\0\0\0ah\0s.");
    assert!(error.contains("a dictionary without tensors"), "{error}");
}

#[test]
fn tensors_that_do_not_fit_their_storage_are_refused() {
    let one = |tensor| refusal_of(&state_dict(&[("a", tensor)]));
    assert!(one(tensor("0", 2, b"K\x03")).contains("a: reaches past its storage of 2 values"));
    assert!(
        one(tensor("0", 3, b"K\x02"))
            .contains("a: is in a storage of 3 values, but data/0 has 8 bytes")
    );
    assert!(one(tensor("0", 2, b"K\x01K\x02")).contains("strides do not fit its shape"));
    assert!(one(tensor("0", 2, b"\x8a\x01\xff")).contains("shape are not up to 8 counts"));
    // Stride 0 repeats one value two thousand million times.
    let expanded = tensor("0", 2, b"J\0\0\0\x7f");
    let stride = expanded.windows(3).position(|w| w == b"tK\x01").unwrap() + 2;
    let mut expanded = expanded;
    expanded[stride] = 0;
    assert!(
        one(expanded).contains("a is an expanded view of 2130706432 values over a storage of 2")
    );
    assert!(
        refusal_of(&state_dict(&[
            ("a", tensor("0", 2, b"K\x02")),
            ("a", tensor("0", 2, b"K\x02"))
        ]))
        .contains("a: occurs twice")
    );
    assert!(
        refusal_of(&state_dict(&[
            ("a", tensor("0", 2, b"K\x02")),
            ("b", b"K\x01".to_vec())
        ]))
        .contains("b is a value that is no tensor")
    );
}

#[test]
fn several_state_dicts_are_ambiguous() {
    let inner = state_dict(&[("a", tensor("0", 2, b"K\x02"))]);
    let inner = inner[2..inner.len() - 1].to_vec();
    let error = refusal_of(&state_dict(&[("model", inner.clone()), ("ema", inner)]));
    assert!(error.contains("several state dicts, model, ema"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn mutated_archives_never_panic_and_stay_in_range(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut: prop::sample::Index,
    ) {
        let mut file = sound();
        for (at, byte) in edits {
            let at = at.index(file.len());
            file[at] = byte;
        }
        let len = file.len();
        for bytes in [&file[..], &file[..cut.index(len)]] {
            for tensor in directory(Path::new("m.bin"), bytes).unwrap_or_default() {
                prop_assert!(tensor.data.start <= tensor.data.end && tensor.data.end <= bytes.len());
                prop_assert!(tensor.elements() <= bytes.len());
            }
        }
    }

    #[test]
    fn random_pickles_never_panic(pickle in prop::collection::vec(
        prop::sample::select(b"\x80\x02.(N\x88\x89JKM\x8aGX)]}t\x85\x86\x87aesuqrhjcRbQ\0\x01\n".to_vec()), 0..64,
    )) {
        let _ = machine::run(&pickle);
    }
}
