//! Draws against Python's own; `tools/make_stats_reference.py` writes `data/python_random.json`.

use evalh_stats::random::PythonRandom;
use serde_json::Value;
use std::path::Path;

fn places(value: &Value) -> Vec<usize> {
    let list = value.as_array().unwrap();
    list.iter().map(|x| x.as_u64().unwrap() as usize).collect()
}

fn list<'a>(case: &'a Value, name: &str) -> &'a Vec<Value> {
    case[name].as_array().unwrap()
}

#[test]
fn every_draw_is_pythons() {
    let all: Value = serde_json::from_str(include_str!("data/python_random.json")).unwrap();
    let seeds = all["seeds"].as_array().unwrap();
    assert_eq!(seeds.len(), 10);
    for case in seeds {
        let seed = case["seed"].as_u64().unwrap();
        let mut random = PythonRandom::new(seed);
        // In the order in which the reference drew them, from the one generator.
        for expected in list(case, "random") {
            assert_eq!(
                random.random().to_bits(),
                expected.as_f64().unwrap().to_bits(),
                "{seed}"
            );
        }
        for draw in list(case, "getrandbits") {
            let found = random.getrandbits(draw[0].as_u64().unwrap() as u32);
            assert_eq!(Some(found), draw[1].as_u64(), "{seed} {draw}");
        }
        for draw in list(case, "randrange") {
            let range = draw[0].as_u64().unwrap()..draw[1].as_u64().unwrap();
            assert_eq!(random.randrange(range), draw[2].as_u64(), "{seed} {draw}");
        }
        for draw in list(case, "sample") {
            let [n, k] = [&draw[0], &draw[1]].map(|x| x.as_u64().unwrap() as usize);
            assert_eq!(
                random.sample(n, k),
                Some(places(&draw[2])),
                "{seed} {n} {k}"
            );
        }
        for draw in list(case, "choices") {
            let [n, k] = [&draw[0], &draw[1]].map(|x| x.as_u64().unwrap() as usize);
            assert_eq!(
                random.choices(n, k),
                Some(places(&draw[2])),
                "{seed} {n} {k}"
            );
        }
        for expected in list(case, "shuffle") {
            let expected = places(expected);
            let mut values: Vec<usize> = (0..expected.len()).collect();
            random.shuffle(&mut values);
            assert_eq!(values, expected, "{seed}");
        }
        for _ in 0..5000 {
            random.random();
        }
        assert_eq!(
            random.random().to_bits(),
            case["far"][0].as_f64().unwrap().to_bits()
        );
        assert_eq!(random.sample(7473, 8), Some(places(&case["far"][1])));
    }
}

#[test]
fn shots_are_those_that_lm_eval_drew() {
    let shared = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    if !shared.is_dir() {
        eprintln!("skipped shots_are_those_that_lm_eval_drew: ../shared is absent");
        return;
    }
    let mut random = PythonRandom::new(1234);
    let drawn: Vec<Vec<usize>> = (0..60).map(|_| random.sample(7473, 5).unwrap()).collect();
    // Named in the reference's own description.
    assert_eq!(drawn[0], [6374, 3610, 957, 61, 742]);
    assert_eq!(drawn[1], [7462, 6610, 4769, 286, 5501]);
    let prompts = std::fs::read_to_string(shared.join("reference/prompts.gsm8k.jsonl")).unwrap();
    let mut compared = 0;
    for line in prompts.lines() {
        let prompt: Value = serde_json::from_str(line).unwrap();
        let item = prompt["doc_id"].as_u64().unwrap() as usize;
        assert_eq!(
            drawn[item],
            places(&prompt["shot_train_rows"]),
            "item {item}"
        );
        compared += 1;
    }
    assert_eq!(compared, 25);
}
