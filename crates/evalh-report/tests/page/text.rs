//! What is in the page's text.

use crate::synthetic::Run;
use evalh_record::{Answer, Finish, Generation};
use evalh_report::compare::InRun;

/// Text that would do harm, or be lost, where it is not kept as text.
pub const HOSTILE: [&str; 9] = [
    "<script>window.ran = 1</script>",
    "</script><script>window.ran = 2</script>",
    "<!-- <script>",
    "]]><img src=x onerror=\"window.ran = 3\">",
    "a\u{2028}b\u{2029}c",
    r"\ud800 \udfff lone",
    "nul \0 bell \u{7} escape \u{1b}[2J",
    "\u{202e}desrever",
    "\"'`&amp;<b>${window.ran = 4}</b>",
];

/// A run whose names and texts are hostile.
pub fn hostile_run() -> Run {
    let mut run = Run::new(12, 8);
    let all = HOSTILE.join("\n");
    let answer = Answer::Generated(Generation {
        text: all.clone(),
        tokens: 4,
        finish: Finish::Stop("</script>".into()),
    });
    run.sample("base", "Programs/0").answer = answer;
    run.sample("small-standard", "Programs/1").extracted = Some(all.clone());
    run.items[0].reference = Some(all.clone());
    for sample in &mut run.record.samples {
        if sample.item == "Programs/2" {
            sample.item = HOSTILE[1].into();
        }
        if sample.variant == "small-selective" {
            sample.variant = HOSTILE[0].into();
        }
        if sample.suite == "choices" {
            sample.suite = HOSTILE[3].into();
        }
    }
    run.comparison.variants[2].name = HOSTILE[0].into();
    run.comparison.variants[2].name_in_run = HOSTILE[0].into();
    run.comparison.suites[1].name = HOSTILE[3].into();
    run.comparison.runs[0].command.clone_from(&all);
    run.comparison.warnings[0].what.clone_from(&all);
    run.comparison.suites[0].outcomes[0].outcome = HOSTILE[8].into();
    run.figures[0].caption = all;
    run
}

#[test]
fn hostile_text_stays_text() {
    let page = hostile_run().page(true);
    let calm = Run::new(12, 8).page(true);
    for mark_up in ["<script", "</script", "<!--", "<img", "onerror=\""] {
        let count = |page: &str| page.matches(mark_up).count();
        assert_eq!(count(&page), count(&calm), "{mark_up}");
    }
    assert!(page.contains("&lt;script&gt;window.ran = 1&lt;/script&gt;"));
    assert!(!page.contains(['\0', '\u{1b}', '\u{202e}', '\u{2028}']));
}

#[test]
fn a_page_is_the_same_bytes_each_time() {
    assert_eq!(Run::new(40, 40).page(true), Run::new(40, 40).page(true));
}

#[test]
fn nothing_outside_is_named() {
    let page = Run::new(3, 3).page(true);
    for address in [
        "http://",
        "https://",
        "//cdn",
        "url(",
        "@import",
        "<link rel=\"stylesheet",
    ] {
        let found = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!found.contains(address), "{address}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn a_variant_of_a_run_that_was_not_given_is_refused() {
    let mut run = Run::new(1, 0);
    run.comparison.variants[1].run = 1;
    let error = evalh_report::page::html(&evalh_report::page::PageInput {
        comparison: &run.comparison,
        records: &[&run.record],
        items: &run.items,
        figures: &[],
        texts: true,
    })
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "find the record of run 1 (variant small-standard): 1 records were given"
    );
}

#[test]
fn without_items_and_samples_there_is_still_a_report() {
    let mut run = Run::new(2, 0);
    run.items.clear();
    run.record.samples.clear();
    let page = run.page(true);
    assert!(page.contains("Verdict") && page.contains("Provenance"));
}

#[test]
fn a_base_that_two_runs_share_has_the_answers_of_both() {
    let mut run = Run::new(6, 4);
    let mut other = run.record.clone();
    // The first run asked programs of two variants, the second one choices of the base, which it calls otherwise.
    run.record.manifest.settings.suites.truncate(1);
    run.record
        .samples
        .retain(|s| s.suite == "programs" && s.variant != "small-selective");
    other.manifest.settings.suites.remove(0);
    other
        .samples
        .retain(|s| s.suite == "choices" && s.variant == "base");
    for sample in &mut other.samples {
        sample.variant = "plain".into();
    }
    run.comparison.variants.truncate(2);
    run.comparison.variants[0].also_in = vec![InRun {
        run: 1,
        name: "plain".into(),
    }];
    run.comparison.replicated.clear();
    run.comparison.costs.clear();
    for metric in run
        .comparison
        .suites
        .iter_mut()
        .flat_map(|s| &mut s.parts)
        .flat_map(|p| &mut p.metrics)
    {
        metric.scores.truncate(2);
        metric.contrasts.truncate(1);
    }
    run.comparison
        .suites
        .iter_mut()
        .for_each(|suite| suite.outcomes.clear());
    let page = evalh_report::page::html(&evalh_report::page::PageInput {
        comparison: &run.comparison,
        records: &[&run.record, &other],
        items: &run.items,
        figures: &[],
        texts: true,
    })
    .unwrap();
    // 6 programs of two variants, 4 choices of the base.
    assert!(page.contains("10 items, 16 answers"));
}

#[test]
fn links_within_the_page_lead_somewhere() {
    let page = Run::new(6, 6).page(true);
    let targets = page.split("href=\"#").skip(1);
    let targets = targets.filter_map(|after| after.split('"').next());
    for target in targets.filter(|target| !target.contains('=')) {
        assert!(page.contains(&format!("id=\"{target}\"")), "{target}");
    }
}
