//! What holds for every drawing.

use super::{WIDTH, example, figures, width::width};
use crate::{
    Figure,
    compare::{Comparison, Range, Role},
};
use proptest::prelude::*;

/// Checks that a drawing is well-formed, names itself, and that everything it draws lies within its own bounds.
fn check(figure: &Figure) {
    let parsed = roxmltree::Document::parse(&figure.svg)
        .unwrap_or_else(|error| panic!("{error}: {}", figure.svg));
    let root = parsed.root_element();
    assert_eq!(root.attribute("role"), Some("img"));
    let ids: Vec<&str> = root
        .attribute("aria-labelledby")
        .unwrap()
        .split(' ')
        .collect();
    for id in ids {
        assert!(
            parsed
                .descendants()
                .any(|node| node.attribute("id") == Some(id))
        );
    }
    let view: Vec<f64> = root
        .attribute("viewBox")
        .unwrap()
        .split(' ')
        .map(|part| part.parse().unwrap())
        .collect();
    assert_eq!(&view[..3], [0.0, 0.0, WIDTH]);
    let (wide, high) = (view[2], view[3]);
    let within = |x: f64, y: f64| {
        assert!(
            (-0.1..=wide + 0.1).contains(&x) && (-0.1..=high + 0.1).contains(&y),
            "{x} {y} of {wide} {high}:\n{}",
            figure.svg
        );
    };
    for node in parsed.descendants().filter(roxmltree::Node::is_element) {
        let number = |name: &str| {
            node.attribute(name)
                .map_or(0.0, |text| text.parse::<f64>().unwrap())
        };
        match node.tag_name().name() {
            "line" => {
                within(number("x1"), number("y1"));
                within(number("x2"), number("y2"));
            }
            "circle" => {
                let r = number("r");
                within(number("cx") - r, number("cy") - r);
                within(number("cx") + r, number("cy") + r);
            }
            "polygon" => {
                for corner in node.attribute("points").unwrap().split(' ') {
                    let (x, y) = corner.split_once(',').unwrap();
                    within(x.parse().unwrap(), y.parse().unwrap());
                }
            }
            "text" => {
                let size = number("font-size");
                let wide = node.attribute("textLength").map_or_else(
                    || width(node.text().unwrap_or_default(), size),
                    |told| told.parse().unwrap(),
                );
                let from = match node.attribute("text-anchor") {
                    Some("middle") => number("x") - wide / 2.0,
                    Some("end") => number("x") - wide,
                    _ => number("x"),
                };
                within(from, number("y") - size);
                within(from + wide, number("y") + size * 0.25);
            }
            _ => {}
        }
    }
    assert!(!figure.title.is_empty() && !figure.caption.is_empty());
}

fn all(comparison: &Comparison) -> Vec<Figure> {
    let found = figures(comparison);
    found.iter().for_each(check);
    assert_eq!(
        found,
        figures(comparison),
        "two drawings of one comparison are the same bytes"
    );
    let mut ids: Vec<&str> = found
        .iter()
        .filter_map(|figure| {
            figure
                .svg
                .split("aria-labelledby=\"")
                .nth(1)?
                .split(' ')
                .next()
        })
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), found.len());
    found
}

fn titles(comparison: &Comparison) -> Vec<String> {
    all(comparison)
        .into_iter()
        .map(|figure| figure.title)
        .collect()
}

#[test]
fn three_variants_on_four_suites() {
    let found = all(&example::three());
    for (place, figure) in found.iter().enumerate() {
        let name = format!("three_{place}");
        insta::assert_snapshot!(
            name,
            format!("{}\n{}\n\n{}", figure.title, figure.caption, figure.svg)
        );
    }
    assert_eq!(
        found
            .iter()
            .map(|figure| figure.title.as_str())
            .collect::<Vec<_>>(),
        [
            "Differences in percentage points",
            "Differences in gsm8k_loss, in nats_per_token",
            "mmlu: acc against decode tokens per second",
            "gsm8k: exact_match,strict-match against decode tokens per second",
            "humaneval: pass@1 against decode tokens per second",
            "gsm8k_loss: nats_per_token against decode tokens per second",
            "mmlu: scores by task",
        ]
    );
}

#[test]
fn replicates_of_two_models() {
    let found = all(&example::replicated());
    let figure = found
        .iter()
        .find(|figure| figure.title == "mmlu: differences by model and adapter")
        .unwrap();
    insta::assert_snapshot!("replicates", figure.svg);
}

#[test]
fn nothing_and_one_variant_are_drawn_or_left_out() {
    assert_eq!(titles(&example::empty()), [""; 0]);
    let mut alone = example::three();
    alone.variants.truncate(1);
    alone.costs.truncate(1);
    for metric in alone
        .suites
        .iter_mut()
        .flat_map(|suite| &mut suite.parts)
        .flat_map(|part| &mut part.metrics)
    {
        metric.scores.truncate(1);
        metric.contrasts.clear();
    }
    assert_eq!(titles(&alone), ["mmlu: scores by task"]);
}

#[test]
fn every_subject_has_its_row() {
    let found = all(&example::many_subjects(57));
    let rows = found
        .last()
        .unwrap()
        .svg
        .matches(">subject_number_")
        .count();
    assert!(rows >= 57, "{rows}");
}

#[test]
fn a_drawing_of_many_rows_is_spread_over_several() {
    let mut comparison = example::three();
    let suite = comparison.suites[1].clone();
    for place in 0..20 {
        let mut suite = suite.clone();
        suite.name = format!("suite {place}");
        comparison.suites.push(suite);
    }
    let found = all(&comparison);
    let forests: Vec<usize> = (found.iter())
        .filter(|figure| figure.svg.contains("evalh-forest-"))
        .map(|figure| figure.svg.matches("<g><title>").count())
        .collect();
    assert_eq!(forests, [39, 30, 3]);
}

#[test]
fn a_crowd_of_marks_is_labelled_in_a_column() {
    let mut comparison = example::replicated();
    for costs in &mut comparison.costs {
        costs.prefill_tokens_per_second = Some(300.0);
    }
    let found = all(&comparison);
    let scatter = found
        .iter()
        .find(|figure| figure.svg.contains("evalh-speed-"))
        .unwrap();
    for variant in &comparison.variants {
        let end = &variant.name[variant.name.len() - 4..];
        assert!(
            scatter.svg.contains(&format!("{end}</text>")),
            "{}",
            variant.name
        );
    }
}

#[test]
fn roles_have_shapes_of_their_own() {
    let found = all(&example::three());
    let tasks = &found.last().unwrap().svg;
    for (role, shape) in [
        (Role::Base, "<circle"),
        (Role::Standard, "<polygon"),
        (Role::Selective, "<polygon"),
    ] {
        let class = format!("class=\"{role}\"");
        assert!(
            tasks
                .lines()
                .any(|line| line.starts_with(shape) && line.contains(&class)),
            "{role}"
        );
    }
}

/// Any number, also those that nothing can be drawn of.
fn anything() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        -1.0..1.0,
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(0.0),
        Just(1e300)
    ]
}

/// Any name: of Latin letters, of other scripts that run the other way, of emoji, and what is no name at all.
fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z-]{0,80}",
        Just("נמל-סלקטיבי \u{202e}abc".to_owned()),
        Just("👩‍💻🏳️‍🌈🔥".repeat(9)),
        Just("</svg><script>alert(1)</script>".to_owned()),
        Just("W".repeat(90)),
    ]
}

proptest! {
    #[test]
    fn no_name_and_no_number_breaks_a_drawing(
        names in prop::collection::vec(any_name(), 8),
        numbers in prop::collection::vec(anything(), 24),
        replicates in any::<bool>(),
    ) {
        let mut comparison = if replicates { example::replicated() } else { example::three() };
        let mut numbers = numbers.into_iter().cycle();
        let mut next = || numbers.next().unwrap_or(0.0);
        for (variant, name) in comparison.variants.iter_mut().zip(names.iter().cycle()) {
            variant.name.clone_from(name);
            variant.model.clone_from(name);
        }
        for suite in &mut comparison.suites {
            suite.name.clone_from(&names[0]);
            for part in &mut suite.parts {
                part.name.clone_from(&names[1]);
                for metric in &mut part.metrics {
                    metric.chance = Some(next());
                    for score in &mut metric.scores {
                        score.value = next();
                        score.interval = Some(Range { low: next(), high: next() });
                    }
                    for contrast in &mut metric.contrasts {
                        contrast.value = next();
                        contrast.interval = Some(Range { low: next(), high: next() });
                        contrast.clustered = Some(Range { low: next(), high: next() });
                    }
                }
            }
        }
        for costs in &mut comparison.costs {
            costs.decode_tokens_per_second = Some(next());
        }
        for replicated in &mut comparison.replicated {
            replicated.mean = next();
            for each in &mut replicated.each {
                each.value = next();
                each.model.clone_from(&names[2]);
            }
        }
        for figure in all(&comparison) {
            prop_assert!(!figure.svg.contains("<script") && !figure.svg.contains("NaN") && !figure.svg.contains("inf\""));
        }
    }
}
