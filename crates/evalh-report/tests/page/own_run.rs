//! A run folder of one's own through the page.

use crate::webdriver::Browser;
use evalh_record::{Record, read_items};
use evalh_report::{
    compare::{Options, Run, compare},
    figures,
    page::{PageInput, html},
};
use std::path::Path;

#[test]
fn a_run_of_ones_own() {
    let Some(folder) = std::env::var_os("EVALH_RUN") else {
        eprintln!("skipped a_run_of_ones_own: EVALH_RUN names no run folder");
        return;
    };
    let folder = Path::new(&folder);
    let record = Record::read(folder).unwrap();
    let items = read_items(folder).unwrap();
    let run = Run {
        name: "own",
        record: &record,
    };
    let comparison = compare(&[run], &Options::default()).unwrap();
    let figures = figures(&comparison);
    for texts in [true, false] {
        let page = html(&PageInput {
            comparison: &comparison,
            records: &[&record],
            items: &items,
            figures: &figures,
            texts,
        })
        .unwrap();
        let Some(browser) = Browser::start("a_run_of_ones_own", 1300, 1100) else {
            return;
        };
        browser.open(&page, "");
        eprintln!(
            "texts {texts}: {} items, {} answers, a page of {} bytes, milliseconds {}",
            items.len(),
            record.samples.len(),
            page.len(),
            browser.load_times()
        );
        let name = |what: &str| format!("own-{what}{}", if texts { "" } else { "-without-texts" });
        for part in 0..7 {
            browser.run(&format!(
                "scrollTo({{top: {part} * (innerHeight - 100), behavior: 'instant'}})"
            ));
            browser.picture(&name(&format!("report-{part}")));
        }
        browser.keys("s");
        browser.keys("j\u{e007}");
        browser.wait("document.getElementById('sample-title') !== null");
        browser.picture(&name("sample"));
        assert_eq!(browser.log(), serde_json::json!([]));
    }
}
