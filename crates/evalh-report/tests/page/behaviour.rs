//! How the page behaves in a browser.

use crate::{
    synthetic::{Run, VARIANTS, is_right},
    text::{HOSTILE, hostile_run},
    webdriver::Browser,
};
use serde_json::json;

/// `WebDriver`'s code points of keys.
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const DOWN: &str = "\u{e015}";
const UP: &str = "\u{e013}";
const END: &str = "\u{e010}";

/// How many items the list says it shows.
const SHOWN: &str =
    "Number(document.getElementById('status').textContent.split(' ')[0].replaceAll(',', ''))";

/// What is never so on a page: a script of somebody else's ran, something was fetched, something was refused or broke.
fn assert_quiet(browser: &Browser) {
    assert_eq!(browser.value("window.ran === undefined"), json!(true));
    let fetched =
        browser.value("performance.getEntriesByType('resource').map((entry) => entry.name)");
    assert_eq!(fetched, json!([]));
    assert_eq!(browser.log(), json!([]));
}

fn of_items(count: usize, holds: impl Fn(usize) -> bool) -> usize {
    (0..count).filter(|item| holds(*item)).count()
}

#[test]
fn filters_leave_what_they_say() {
    let Some(browser) = Browser::start("filters_leave_what_they_say", 1300, 850) else {
        return;
    };
    browser.open(&Run::new(164, 400).page(true), "#view=samples");
    assert_eq!(browser.value(SHOWN), json!(564));

    browser.choose("filter-suite", "programs");
    assert_eq!(browser.value(SHOWN), json!(164));
    browser.choose("filter-variant", "small-standard");
    browser.choose("filter-flip", "lost");
    let lost = |item: usize| is_right(0, item) && !is_right(1, item);
    assert_eq!(browser.value(SHOWN), json!(of_items(164, lost)));
    let offered = "document.querySelector('#filter-flip option:checked').textContent";
    assert_eq!(
        browser.value(offered),
        json!(format!("lost ({})", of_items(164, lost)))
    );
    browser.choose("filter-outcome", "NameError");
    let name_error = of_items(164, |item| lost(item) && item % 4 == 2);
    assert_eq!(browser.value(SHOWN), json!(name_error));
    browser.picture("filters");

    // The address holds it all.
    let hash = browser.value("location.hash");
    browser.reopen(hash.as_str().unwrap());
    assert_eq!(browser.value(SHOWN), json!(name_error));
    assert_eq!(
        browser.value("document.getElementById('filter-flip').value"),
        json!("lost")
    );

    browser.run("document.getElementById('clear').click()");
    assert_eq!(browser.value(SHOWN), json!(564));
    browser.choose("filter-task", "chess");
    assert_eq!(browser.value(SHOWN), json!(100));
    browser.choose("filter-variant", "base");
    browser.choose("filter-score", "wrong");
    let wrong = of_items(400, |item| item % 4 == 2 && !is_right(0, item));
    assert_eq!(browser.value(SHOWN), json!(wrong));
    assert_quiet(&browser);
}

#[test]
fn numbers_of_the_report_lead_to_their_samples() {
    let Some(browser) = Browser::start("numbers_of_the_report_lead_to_their_samples", 1300, 850)
    else {
        return;
    };
    browser.open(&Run::new(164, 0).page(true), "#theme=dark");
    let link = "[...document.querySelectorAll('#scores a')].find((a) => a.hash.includes('flip=won') && a.hash.includes('selective'))";
    let told = browser.value(&format!("Number({link}.textContent)"));
    let won = of_items(164, |item| !is_right(0, item) && is_right(2, item));
    assert_eq!(told, json!(won));
    browser.run(&format!("{link}.click()"));
    assert_eq!(browser.value(SHOWN), told);
    assert_eq!(
        browser.value("document.documentElement.dataset.theme"),
        json!("dark")
    );
    browser.run("history.back()");
    browser.wait("!document.getElementById('report').hidden");
    assert_quiet(&browser);
}

#[test]
fn search_finds_names_prompts_and_completions() {
    let Some(browser) = Browser::start("search_finds_names_prompts_and_completions", 1300, 850)
    else {
        return;
    };
    let mut run = Run::new(164, 4000);
    if let evalh_record::Answer::Generated(generation) =
        &mut run.sample("small-standard", "Programs/90").answer
    {
        generation.text.push_str("\nA Needle in the completion.");
    }
    browser.open(&run.page(true), "#view=samples");
    let done = "document.getElementById('rows').getAttribute('aria-busy') === 'false' && document.getElementById('status').textContent.includes(' of ')";
    let finds = |query: &str, count: usize| {
        browser.keys("/");
        assert_eq!(browser.value("document.activeElement.id"), json!("q"));
        browser.keys(query);
        browser.wait(&format!(
            "location.hash.includes('q=') && {done} && {SHOWN} === {count}"
        ));
        browser.keys(ESCAPE);
        assert_eq!(browser.value("document.activeElement.id"), json!("rows"));
        browser.run("document.getElementById('clear').click()");
    };
    finds("a needle in the", 1);
    finds("programs/16", 5);
    finds("Question 1234 of this", 1);
    finds(
        "is not defined",
        of_items(164, |item| {
            item % 4 == 2 && (0..3).any(|v| !is_right(v, item))
        }),
    );
    finds("a worked question", 0);
    assert_quiet(&browser);
}

#[test]
fn everything_can_be_done_from_the_keyboard() {
    let Some(browser) = Browser::start("everything_can_be_done_from_the_keyboard", 1300, 850)
    else {
        return;
    };
    browser.open(&Run::new(60, 0).page(true), "");
    let active = "document.getElementById('rows').getAttribute('aria-activedescendant')";
    let title = "document.getElementById('sample-title')?.textContent";
    browser.keys("s");
    browser.keys("jj");
    assert_eq!(browser.value(active), json!("row-2"));
    browser.keys("k");
    browser.keys(DOWN);
    browser.keys(DOWN);
    browser.keys(UP);
    assert_eq!(browser.value(active), json!("row-2"));
    browser.keys(ENTER);
    browser.wait(&format!("{title} === 'Programs/2'"));
    assert_eq!(browser.value("document.activeElement.id"), json!("sample"));
    browser.keys("j");
    browser.wait(&format!("{title} === 'Programs/3'"));
    browser.keys("d");
    browser.wait("document.querySelectorAll('#sample .diff').length === 3");
    assert!(
        browser
            .value("location.hash")
            .as_str()
            .unwrap()
            .contains("against=reference")
    );
    // The base's function is the reference; the standard adapter's ends otherwise. All have a fence and a remark.
    let lines = "[...document.querySelectorAll('#sample .diff')].map((diff) => [diff.querySelectorAll('ins').length, diff.querySelectorAll('del').length])";
    assert_eq!(browser.value(lines), json!([[4, 0], [5, 1], [4, 0]]));
    browser.picture("diff");
    browser.keys(ESCAPE);
    assert_eq!(
        browser.value("document.getElementById('sample').hidden"),
        json!(true)
    );
    assert_eq!(browser.value("document.activeElement.id"), json!("rows"));
    browser.keys(END);
    assert_eq!(browser.value(active), json!("row-59"));
    browser.keys("?");
    assert_eq!(
        browser.value("document.getElementById('help').open"),
        json!(true)
    );
    browser.picture("help");
    browser.keys(ESCAPE);
    assert_eq!(
        browser.value("document.getElementById('help').open"),
        json!(false)
    );
    browser.keys("r");
    assert_eq!(
        browser.value("document.getElementById('report').hidden"),
        json!(false)
    );
    // A visible ring marks the focus.
    browser.keys("\u{e004}");
    let ring = "getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(browser.value(ring), json!("solid"));
    assert_quiet(&browser);
}

#[test]
fn what_a_model_wrote_stays_text() {
    let Some(browser) = Browser::start("what_a_model_wrote_stays_text", 1300, 850) else {
        return;
    };
    browser.open(
        &hostile_run().page(true),
        "#view=samples&of=programs&item=Programs%2F0&against=reference",
    );
    browser.wait("document.getElementById('sample-title') !== null");
    let text = browser.value("document.getElementById('sample').textContent");
    let text = text.as_str().unwrap();
    for hostile in [
        HOSTILE[0], HOSTILE[1], HOSTILE[2], HOSTILE[3], HOSTILE[5], HOSTILE[8],
    ] {
        assert!(text.contains(hostile), "{hostile}");
    }
    assert!(
        text.contains("nul \u{2039}U+0000\u{203a} bell \u{2039}U+0007\u{203a} escape \u{2039}U+001B\u{203a}[2J"),
        "{text}"
    );
    assert!(text.contains("\u{2039}U+202E\u{203a}desrever"), "{text}");
    browser.picture("hostile");
    // Every item is opened once.
    let count = browser.value(SHOWN).as_u64().unwrap();
    for _ in 1..count {
        browser.keys("j");
        browser.wait("document.getElementById('sample-title') !== null");
    }
    browser.reopen(
        "#view=samples&item=%3Cscript%3Ewindow.ran%3D1%3C%2Fscript%3E&of=x&q=%3Cimg&suite=%3Cb%3E",
    );
    let text = browser.value("document.getElementById('sample').textContent");
    assert!(
        text.as_str()
            .unwrap()
            .contains("<script>window.ran=1</script>")
    );
    assert_eq!(
        browser.value("document.querySelectorAll('b, img').length"),
        json!(0)
    );
    assert_quiet(&browser);
}

#[test]
fn ten_thousand_and_more_items_scroll_to_the_end() {
    let Some(browser) = Browser::start("ten_thousand_and_more_items_scroll_to_the_end", 1300, 850)
    else {
        return;
    };
    let page = Run::new(0, 14_042).page(true);
    browser.open(&page, "#view=samples");
    assert_eq!(browser.value(SHOWN), json!(14_042));
    let nodes = "document.getElementById('runway').childElementCount";
    let bounded = |at: &str| {
        let count = browser.value(nodes).as_u64().unwrap();
        assert!(
            (1..80).contains(&count),
            "{count} rows in the document {at}"
        );
    };
    bounded("at the beginning");
    for part in [0.25, 0.5, 0.99] {
        browser.run(&format!(
            "const r = document.getElementById('rows'); r.scrollTop = r.scrollHeight * {part}"
        ));
        browser.wait("(() => { const r = document.getElementById('rows'); const first = Math.floor(r.scrollTop / 46); return document.getElementById(`row-${first}`) !== null })()");
        bounded("on the way");
    }
    browser.run("document.getElementById('rows').focus()");
    browser.keys(END);
    browser.wait("document.getElementById('row-14041')?.getAttribute('aria-selected') === 'true'");
    let seen = browser.value("(() => { const a = document.getElementById('row-14041').getBoundingClientRect(), b = document.getElementById('rows').getBoundingClientRect(); return a.bottom <= b.bottom + 1 && a.top >= b.top })()");
    assert_eq!(seen, json!(true));
    bounded("at the end");
    browser.keys(ENTER);
    browser.wait("document.getElementById('sample-title')?.textContent === 'botany/14041'");
    eprintln!(
        "14,042 items of 3 variants: a page of {} bytes, milliseconds {}",
        page.len(),
        browser.load_times()
    );
    let times = browser.run_async(
        "const pauses = []; new PerformanceObserver((list) => pauses.push(...list.getEntries().map((e) => Math.round(e.duration)))).observe({type: 'longtask'});
         const began = performance.now();
         const select = document.getElementById('filter-flip'); select.value = 'won'; select.dispatchEvent(new Event('change'));
         const filtered = performance.now() - began;
         const q = document.getElementById('q'); q.value = 'not to be found'; q.dispatchEvent(new Event('input'));
         const rows = document.getElementById('rows');
         while (!(rows.getAttribute('aria-busy') === 'false' && location.hash.includes('q='))) await new Promise((done) => setTimeout(done, 20));
         return {filter: Math.round(filtered), search: Math.round(performance.now() - began - filtered), pauses};",
    );
    eprintln!("milliseconds to filter, to search all texts, pauses above 50: {times}");
    assert_quiet(&browser);
}

#[test]
fn several_answers_to_an_item_are_one_row() {
    let Some(browser) = Browser::start("several_answers_to_an_item_are_one_row", 1300, 850) else {
        return;
    };
    let mut run = Run::new(8, 0);
    let mut second = run.sample("base", "Programs/3").clone();
    second.sample = 1;
    second.score = 0.0;
    if let evalh_record::Answer::Generated(generation) = &mut second.answer {
        generation.text = "a second attempt".into();
    }
    run.record.samples.push(second);
    browser.open(
        &run.page(true),
        "#view=samples&of=programs&item=Programs%2F3",
    );
    assert_eq!(browser.value(SHOWN), json!(8));
    let mark = "document.querySelector('#row-3 .mark').textContent";
    assert_eq!(browser.value(mark), json!("0.500"));
    browser.wait("document.getElementById('which') !== null");
    browser.choose("which", "1");
    browser.wait("document.querySelector('.answer .passage').textContent === 'a second attempt'");
    browser.choose("filter-score", "other");
    assert_eq!(browser.value(SHOWN), json!(1));
    assert_quiet(&browser);
}

#[test]
fn many_variants_leave_room_for_the_items() {
    let Some(browser) = Browser::start("many_variants_leave_room_for_the_items", 1100, 800) else {
        return;
    };
    let mut run = Run::new(20, 0);
    let adapter = run.comparison.variants[2].clone();
    for seed in 0..9 {
        let name = format!("small-selective-{seed}");
        let of_first = |s: &&evalh_record::Sample| s.variant == "small-selective";
        let samples: Vec<_> = run
            .record
            .samples
            .iter()
            .filter(of_first)
            .cloned()
            .collect();
        run.record
            .samples
            .extend(samples.into_iter().map(|mut sample| {
                sample.variant.clone_from(&name);
                sample
            }));
        run.comparison
            .variants
            .push(evalh_report::compare::Variant {
                name: name.clone(),
                name_in_run: name,
                ..adapter.clone()
            });
    }
    browser.open(&run.page(true), "#view=samples");
    let room = "document.querySelector('.row .what').clientWidth";
    assert!(browser.value(room).as_u64().unwrap() > 200);
    browser.picture("many-list");
    browser.run("document.getElementById('row-1').click()");
    browser.wait("document.getElementById('sample-title') !== null");
    assert!(browser.value(room).as_u64().unwrap() > 200);
    browser.picture("many-sample");
    assert_eq!(
        browser.value("document.querySelectorAll('.answer').length"),
        json!(12)
    );
    browser.emulate(390, 800);
    browser.keys(ESCAPE);
    browser.run("dispatchEvent(new Event('resize'))");
    assert!(browser.value(room).as_u64().unwrap() > 200);
    assert_quiet(&browser);
}

#[test]
fn a_line_of_a_megabyte_is_shown_in_part() {
    let Some(browser) = Browser::start("a_line_of_a_megabyte_is_shown_in_part", 1300, 850) else {
        return;
    };
    let mut run = Run::new(3, 0);
    if let evalh_record::Answer::Generated(generation) =
        &mut run.sample("base", "Programs/1").answer
    {
        generation.text = "x".repeat(1 << 20);
    }
    browser.open(
        &run.page(true),
        "#view=samples&of=programs&item=Programs%2F1",
    );
    let length = "document.querySelector('.answer .passage')?.textContent.length";
    browser.wait(&format!("{length} === 20000"));
    browser.run("document.querySelector('button.more').click()");
    assert_eq!(browser.value(length), json!(1 << 20));
    assert_quiet(&browser);
}

#[test]
fn light_and_dark_follow_the_system_and_the_button() {
    let Some(browser) =
        Browser::start("light_and_dark_follow_the_system_and_the_button", 1300, 850)
    else {
        return;
    };
    browser.open(&Run::new(20, 20).page(true), "");
    let ground = || browser.value("getComputedStyle(document.body).backgroundColor");
    browser.prefer("light");
    let light = ground();
    browser.picture("report-light");
    browser.prefer("dark");
    let dark = ground();
    browser.picture("report-dark");
    assert_eq!(
        (light, dark),
        (json!("rgb(250, 249, 247)"), json!("rgb(20, 22, 26)"))
    );
    browser.keys("t");
    assert_eq!(ground(), json!("rgb(250, 249, 247)"));
    browser.run("document.getElementById('theme').click()");
    assert_eq!(ground(), json!("rgb(20, 22, 26)"));
    browser.prefer("light");
    assert_eq!(ground(), json!("rgb(20, 22, 26)"));
    assert_eq!(browser.value("location.hash"), json!("#theme=dark"));
    assert_quiet(&browser);
}

#[test]
fn text_stands_out_from_its_ground() {
    let Some(browser) = Browser::start("text_stands_out_from_its_ground", 1300, 850) else {
        return;
    };
    browser.open(&Run::new(20, 0).page(true), "");
    for scheme in ["light", "dark"] {
        browser.prefer(scheme);
        // WCAG's contrast of every colour of text with the grounds that it stands on.
        let least = browser.run(
            "const probe = document.createElement('i'); document.body.append(probe);
             const light = (name) => {
               probe.style.color = `var(${name})`;
               const [r, g, b] = getComputedStyle(probe).color.match(/[\\d.]+/g).map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
               return 0.2126 * r + 0.7152 * g + 0.0722 * b;
             };
             const pairs = [];
             for (const text of ['--text', '--quiet', '--accent', '--good', '--bad', '--open']) for (const ground of ['--ground', '--panel', '--sunk']) pairs.push([text, ground]);
             for (const meaning of ['good', 'bad', 'open']) pairs.push([`--${meaning}`, `--${meaning}-ground`]);
             pairs.push(['--text', '--chosen'], ['--text', '--good-ground'], ['--text', '--bad-ground']);
             const found = pairs.map(([a, b]) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return [(x + 0.05) / (y + 0.05), a, b]; });
             probe.remove();
             return found.sort((p, q) => p[0] - q[0])[0];",
        );
        assert!(least[0].as_f64().unwrap() >= 4.5, "{scheme}: {least}");
    }
}

#[test]
fn a_phone_scrolls_down_and_not_sideways() {
    let Some(browser) = Browser::start("a_phone_scrolls_down_and_not_sideways", 390, 844) else {
        return;
    };
    browser.open(&Run::new(164, 40).page(true), "");
    let sideways = || {
        browser.value("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - innerWidth")
    };
    assert_eq!(browser.value("innerWidth"), json!(390));
    assert_eq!(sideways(), json!(0));
    browser.picture("phone-report");
    browser.run("document.getElementById('to-samples').click()");
    assert_eq!(sideways(), json!(0));
    browser.picture("phone-samples");
    browser.run("document.getElementById('row-4').click()");
    browser.wait("document.getElementById('sample-title') !== null");
    assert_eq!(sideways(), json!(0));
    assert_eq!(
        browser.value("document.querySelector('.list').checkVisibility()"),
        json!(false)
    );
    browser.picture("phone-sample");
    browser.run("document.querySelector('.sample-head button:last-child').click()");
    assert_eq!(
        browser.value("document.querySelector('.list').checkVisibility()"),
        json!(true)
    );
    assert_quiet(&browser);
}

#[test]
fn a_page_without_texts_holds_none() {
    let run = Run::new(30, 8);
    let page = run.page(false);
    for text in ["NameError", "assert task_", "Write a Python"] {
        assert!(!page.contains(text), "{text}");
    }
    let Some(browser) = Browser::start("a_page_without_texts_holds_none", 1300, 850) else {
        return;
    };
    browser.open(&page, "#view=samples&of=programs&item=Programs%2F2");
    browser.wait("document.getElementById('sample-title') !== null");
    assert_eq!(
        browser.value("document.querySelectorAll('#sample .passage').length"),
        json!(0)
    );
    assert_eq!(
        browser.value("document.querySelector('.without-texts').checkVisibility()"),
        json!(true)
    );
    // Whatever is packed is read, all of it.
    let packed = browser.run_async(
        "const out = []; for (const block of document.querySelectorAll('script[type=\"text/plain\"]')) { const bytes = Uint8Array.from(atob(block.textContent), (c) => c.charCodeAt(0)); out.push(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text()); } return out.join('\\n');",
    );
    let packed = packed.as_str().unwrap();
    assert!(packed.contains("Programs/2") && packed.contains(VARIANTS[1].0));
    for text in [
        "python",
        "def ",
        "NameError",
        "assert",
        "Question",
        "botany asks",
        "\"target\"",
        "\"extracted\"",
    ] {
        assert!(!packed.contains(text), "{text}");
    }
    assert_quiet(&browser);
}

#[test]
fn samples_look_well_in_both_themes() {
    let Some(browser) = Browser::start("samples_look_well_in_both_themes", 1400, 900) else {
        return;
    };
    browser.open(&Run::new(164, 400).page(true), "#view=samples");
    for scheme in ["light", "dark"] {
        browser.prefer(scheme);
        browser.picture(&format!("list-{scheme}"));
    }
    browser.run("document.getElementById('row-6').click()");
    browser.wait("document.getElementById('sample-title') !== null");
    for scheme in ["light", "dark"] {
        browser.prefer(scheme);
        browser.picture(&format!("sample-{scheme}"));
    }
    browser.reopen("#view=samples&of=choices&item=chess%2F2");
    browser.wait("document.getElementById('sample-title') !== null");
    browser.picture("choices");
    assert_quiet(&browser);
}
