use super::*;
use evalh_record::training::{LAYERS_SCHEMA, ModelSettings, ProbeMethod, Seconds};
use proptest::prelude::*;

fn read_argument(text: &str) -> Result<Layers, String> {
    text.parse::<Layers>().map_err(|error| error.to_string())
}

#[test]
fn numbers_ranges_names_and_all_are_told_apart() {
    let list = |layers: &[usize]| Ok(Layers::List(layers.to_vec()));
    assert_eq!(read_argument("all"), Ok(Layers::All));
    assert_eq!(read_argument("0-3"), list(&[0, 1, 2, 3]));
    assert_eq!(read_argument("5-7, 2,0"), list(&[0, 2, 5, 6, 7]));
    assert_eq!(read_argument("7"), list(&[7]));
    assert_eq!(read_argument("4-4"), list(&[4]));
    for path in ["layers.json", "out/0-15.json", "All", "./0"] {
        assert_eq!(read_argument(path), Ok(Layers::File(path.into())));
    }
}

#[test]
fn slips_are_named() {
    let cases = [
        ("", "it names no layer"),
        (" ", "it names no layer"),
        ("3-1", "the range `3-1` runs backwards"),
        ("0,,1", "`` is neither a number nor a range"),
        ("1-", "`1-` is neither a number nor a range"),
        ("-1", "`-1` is neither a number nor a range"),
        ("1-2-3", "`1-2-3` is neither a number nor a range"),
        ("1 2", "`1 2` is neither a number nor a range"),
        ("0-3,2", "layer 2 is named twice"),
        ("0-4000000000", "there is no model with a layer 4000000000"),
        (
            "99999999999",
            "`99999999999` is neither a number nor a range",
        ),
    ];
    for (text, problem) in cases {
        assert_eq!(
            read_argument(text).unwrap_err(),
            format!(
                "read --layers {text}: {problem}; give all, a layers.json, or numbers such as 0-15 or 0,2,5-7"
            )
        );
    }
}

#[test]
fn a_list_is_of_the_models_layers() {
    let resolve = |layers: Layers| layers.resolve(4).map(|(layers, _)| layers);
    assert_eq!(resolve(Layers::All).unwrap(), [0, 1, 2, 3]);
    assert_eq!(resolve(Layers::List(vec![0, 3])).unwrap(), [0, 3]);
    let beyond = resolve(Layers::List(vec![0, 4])).unwrap_err().to_string();
    assert!(
        beyond.starts_with("read --layers 0,4: the model has 4 layers, 0 to 3; "),
        "{beyond}"
    );
}

fn selection(layers: usize) -> LayerSelection {
    LayerSelection {
        schema: LAYERS_SCHEMA,
        evalh: "0.1.0".to_owned(),
        method: ProbeMethod::First,
        seed: 0,
        model: ModelSettings {
            name: "tiny".to_owned(),
            files: vec![],
            quantized: None,
        },
        data: None,
        batches: None,
        samples: None,
        scores: super::super::unmeasured_scores(ProbeMethod::First, layers, 0).unwrap(),
        ranks: (1..=layers).collect(),
        layers_to_transform: vec![0, 1],
        ratio: 0.5,
        seconds: Seconds::default(),
    }
}

#[test]
fn a_file_is_of_the_models_number_of_layers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("layers.json");
    let missing = Layers::File(path.clone())
        .resolve(4)
        .unwrap_err()
        .to_string();
    assert!(
        missing.contains("cannot be read; make it again with evalh probe"),
        "{missing}"
    );
    selection(4).write(&path).unwrap();
    let (layers, file) = Layers::File(path.clone()).resolve(4).unwrap();
    assert_eq!((layers, file), (vec![0, 1], Some(selection(4))));
    let other = Layers::File(path.clone())
        .resolve(5)
        .unwrap_err()
        .to_string();
    assert_eq!(
        other,
        format!(
            "use {} for this model: it was made for tiny, which has 4 layers, and this one has 5; probe this model with \
             evalh probe",
            path.display()
        )
    );
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[0-9, -]{0,12}") {
        if let Ok(Layers::List(layers)) = text.parse::<Layers>() {
            prop_assert!(!layers.is_empty());
            prop_assert!(layers.is_sorted_by(|a, b| a < b));
        }
    }

    #[test]
    fn a_list_reads_back(layers in proptest::collection::btree_set(0_usize..200, 1..20)) {
        let text: Vec<String> = layers.iter().map(ToString::to_string).collect();
        let layers: Vec<usize> = layers.into_iter().collect();
        prop_assert_eq!(text.join(",").parse::<Layers>().unwrap(), Layers::List(layers));
    }
}
