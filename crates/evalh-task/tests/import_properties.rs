//! What holds for an import of any bytes.

use evalh_task::{
    definition::Definition,
    import::{Imported, import_lm_eval},
};
use proptest::{collection::vec, prelude::*, sample::Index};

const SEEDS: [&str; 5] = [
    include_str!("data/import/gsm8k.yaml"),
    include_str!("data/import/rte.yaml"),
    include_str!("data/import/subjects.yaml"),
    include_str!("data/import/exemplars.yaml"),
    include_str!("data/import/code.yaml"),
];

/// Imports bytes, and checks what has to hold where that succeeds.
fn import(bytes: &[u8]) -> Result<Option<Imported>, TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("task.yaml");
    std::fs::write(&path, bytes).unwrap();
    let Ok(imported) = import_lm_eval(&path, true) else {
        return Ok(None);
    };
    let again: Definition = toml::from_str(&imported.toml).unwrap();
    prop_assert_eq!(&again, &imported.definition);
    if let Ok(whole) = import_lm_eval(&path, false) {
        prop_assert_eq!(&whole, &imported);
    }
    Ok(Some(imported))
}

/// Pieces of which YAML, templates and tasks are made.
fn piece() -> impl Strategy<Value = String> {
    let known = [
        "task: t\n",
        "include: task.yaml\n",
        "doc_to_text: ",
        "doc_to_target: ",
        "doc_to_choice: ",
        "metric_list:\n",
        "  - metric: acc\n",
        "fewshot_config: ",
        "num_fewshot: ",
        "generation_kwargs: ",
        "filter_list:\n",
        "until: ",
        "output_type: multiple_choice\n",
        "samples: ",
        "description: ",
        "test_split: ",
        "!function a.b",
        "!!int ",
        "&a ",
        "*a",
        "<<: ",
        "? ",
        "- ",
        ": ",
        "\n",
        "  ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "'",
        "\"",
        "|\n",
        ">-\n",
        "{{",
        "}}",
        "{%",
        "%}",
        "|join",
        "#",
        "---\n",
        "...\n",
        "\t",
        "~",
        "no",
        "0x1f",
        "-1",
        "1.5",
        "%YAML 1.1\n",
        "\u{feff}",
        "\\",
        "é",
        "\u{0}",
    ];
    prop_oneof![
        6 => prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..300)) {
        import(&bytes)?;
    }

    #[test]
    fn any_pieces_are_survived(pieces in vec(piece(), 0..60)) {
        import(pieces.concat().as_bytes())?;
    }

    #[test]
    fn changed_files_are_survived(seed in 0..SEEDS.len(), changes in vec((any::<Index>(), piece(), any::<bool>()), 1..6)) {
        let mut text: Vec<char> = SEEDS[seed].chars().collect();
        for (place, piece, replaced) in changes {
            let at = place.index(text.len() + 1);
            let end = if replaced { (at + piece.chars().count()).min(text.len()) } else { at };
            text.splice(at..end, piece.chars());
        }
        import(text.iter().collect::<String>().as_bytes())?;
    }

    #[test]
    fn any_texts_come_through(context in any::<String>(), choices in vec(any::<String>(), 1..4), stops in vec(any::<String>(), 0..3)) {
        // JSON's texts are YAML's.
        let text = |text: &str| serde_json::to_string(text).unwrap();
        let list = |texts: &[String]| texts.iter().map(|one| text(one)).collect::<Vec<_>>().join(", ");
        let literal = format!("{context} ").replace(['{', '}'], "");
        let yaml = format!(
            "task: t\ndataset_path: a/b\ntest_split: test\ndoc_to_target: a\ndoc_to_text: {}\noutput_type: multiple_choice\ndoc_to_choice: [{}]\n",
            text(&literal), list(&choices),
        );
        let imported = import(yaml.as_bytes())?.unwrap();
        prop_assert_eq!(imported.definition.protocols["lm-eval"].context.as_ref(), Some(&literal));
        let yaml = format!(
            "task: t\ndataset_path: a/b\ntest_split: test\ndoc_to_target: a\ndoc_to_text: q\ngeneration_kwargs: {{until: [{}]}}\n",
            list(&stops),
        );
        let imported = import(yaml.as_bytes())?.unwrap();
        prop_assert_eq!(&imported.definition.protocols["lm-eval"].generate.as_ref().unwrap().stops, &stops);
    }
}
