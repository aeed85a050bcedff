//! What holds for any text of a model and any bytes of a file.

mod common;

use common::{mini, options, response};
use evalh_task::{
    Judgement, first_python_block,
    human_eval::{ExternalSamples, Problems, Tally, pass_at_k_estimates},
};
use proptest::{collection::vec, prelude::*};
use std::path::Path;

const MINI: &str = include_str!("../../../datasets/mini/mini_humaneval.jsonl");

/// Text in which what matters to extraction is frequent.
fn answer() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => Just("```".to_owned()),
        2 => prop::sample::select(vec!["python", "py", "bash", "\n", "\r\n", "    ", "\t", "`", "from __future__ import x", "import ", "(", "\\"])
            .prop_map(str::to_owned),
        2 => r"[a-zü€ =:]{0,8}",
        1 => r"\PC{0,6}",
        1 => any::<String>(),
    ];
    vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_answer_makes_a_program(text in answer(), item in 0usize..8) {
        for protocol in ["completion", "prefill", "chat"] {
            let task = mini(&options(protocol, true));
            let Judgement::Run(program) = task.judge(&response(&task.requests()[item], &text)).unwrap() else {
                return Err(TestCaseError::fail("a program runs"));
            };
            match protocol {
                "completion" => prop_assert!(program.code.ends_with(&text)),
                "prefill" => prop_assert!(!program.code.contains("```")),
                // Without a block all of the answer runs.
                _ if first_python_block(&text).is_none() => prop_assert!(program.code.len() >= text.len()),
                _ => {}
            }
        }
    }

    #[test]
    fn a_block_is_made_of_the_answers_lines(text in answer()) {
        if let Some(code) = first_python_block(&text) {
            prop_assert!(code.lines().all(|line| text.contains(line)));
        }
    }

    #[test]
    fn code_in_a_fence_comes_out_as_it_was(
        lines in vec("[a-z =():\"#ü]{0,20}\n", 0..10),
        before in "[a-z .\n]{0,20}",
        after in any::<String>(),
        mark in prop::sample::select(vec!["", "python", "py"]),
    ) {
        let code = lines.concat();
        let text = format!("{before}\n```{mark}\n{code}```\n{after}");
        prop_assert_eq!(first_python_block(&text), Some(code.clone()));
        let open = format!("{before}\n```{mark}\n{code}");
        prop_assert_eq!(first_python_block(&open), Some(code));
    }

    #[test]
    fn any_file_is_read_or_refused(bytes in vec(any::<u8>(), 0..200), changes in vec((any::<prop::sample::Index>(), any::<char>()), 0..6)) {
        let path = Path::new("file.jsonl");
        let problems = Problems::parse(path, MINI).unwrap();
        let noise = String::from_utf8_lossy(&bytes);
        prop_assert!(Problems::parse(path, &noise).is_err());
        prop_assert!(ExternalSamples::parse(path, &noise, &problems).is_err());
        let mut mutated: Vec<char> = MINI.chars().collect();
        for (at, character) in changes {
            let at = at.index(mutated.len());
            mutated[at] = character;
        }
        let mutated: String = mutated.into_iter().collect();
        if let Ok(parsed) = Problems::parse(path, &mutated) {
            prop_assert!(parsed.all().iter().all(|problem| parsed.position(&problem.task_id).is_some()));
        }
        let samples = mutated.replace("\"canonical_solution\"", "\"completion\"");
        if let Ok(samples) = ExternalSamples::parse(path, &samples, &problems) {
            prop_assert_eq!(samples.programs(&problems).len(), samples.all().len());
        }
    }

    #[test]
    fn pass_at_k_is_a_rate(counts in vec((1u64..30, 0u64..30), 1..40), k in 1u64..30) {
        let tallies: Vec<Tally> = counts.iter().map(|&(samples, passed)| Tally { samples, passed: passed.min(samples) }).collect();
        let enough = tallies.iter().all(|tally| tally.samples >= k);
        let found = pass_at_k_estimates(&tallies, &[k]);
        prop_assert_eq!(found.len(), usize::from(enough));
        prop_assert!(found.iter().all(|found| (0.0..=1.0).contains(&found.estimate.value)));
    }
}
