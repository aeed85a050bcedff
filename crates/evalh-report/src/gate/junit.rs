//! What came of a policy, as `JUnit` XML: a test suite with a test case a rule and variant.

use super::{Case, GateReport, Verdict, WhenInconclusive, words};
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};
use std::io;

/// `JUnit` XML that follows the schema of Jenkins' `JUnit` plug-in (`junit-10.xsd`).
///
/// A rule that failed is a `failure`. One that is inconclusive is `skipped`, which CI systems show as neither passed nor
/// failed, with its reason; where the policy counts it as failed it is a `failure` of type `inconclusive`.
pub fn junit(report: &GateReport) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Writing to memory cannot fail, and everything written is text already.
    let written = document(&mut writer, report);
    let mut text = String::from_utf8(writer.into_inner()).unwrap_or_default();
    debug_assert!(written.is_ok());
    text.push('\n');
    text
}

fn document(writer: &mut Writer<Vec<u8>>, report: &GateReport) -> io::Result<()> {
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let strict = report.when_inconclusive == WhenInconclusive::Fail;
    let failures = report.counts.failed
        + if strict {
            report.counts.inconclusive
        } else {
            0
        };
    let skipped = if strict {
        0
    } else {
        report.counts.inconclusive
    };
    let tests = report.cases.len().to_string();
    let failures = failures.to_string();
    let skipped = skipped.to_string();
    let name = xml_text(&format!("evalh gate {}", report.policy));
    let counts = [
        ("name", name.as_str()),
        ("tests", tests.as_str()),
        ("failures", failures.as_str()),
        ("errors", "0"),
    ];
    writer
        .create_element("testsuites")
        .with_attributes(counts)
        .write_inner_content(|writer| {
            writer
                .create_element("testsuite")
                .with_attributes(counts)
                .with_attribute(("skipped", skipped.as_str()))
                .write_inner_content(|writer| {
                    properties(writer, report)?;
                    for case in &report.cases {
                        test_case(writer, case, strict)?;
                    }
                    Ok(())
                })?;
            Ok(())
        })?;
    Ok(())
}

fn properties(writer: &mut Writer<Vec<u8>>, report: &GateReport) -> io::Result<()> {
    let mut all = vec![("run".to_owned(), report.run.clone())];
    if let Some(baseline) = &report.baseline {
        all.push(("baseline".to_owned(), baseline.clone()));
    }
    for forced in &report.forced {
        all.push((
            format!("forced {}", forced.field),
            format!(
                "{} in the baseline, {} in the run",
                forced.baseline, forced.run
            ),
        ));
    }
    writer
        .create_element("properties")
        .write_inner_content(|writer| {
            for (name, value) in &all {
                let (name, value) = (xml_text(name), xml_text(value));
                writer
                    .create_element("property")
                    .with_attributes([("name", name.as_str()), ("value", value.as_str())])
                    .write_empty()?;
            }
            Ok(())
        })?;
    Ok(())
}

fn test_case(writer: &mut Writer<Vec<u8>>, case: &Case, strict: bool) -> io::Result<()> {
    let name = xml_text(&words::called(case));
    let class = match &case.suite {
        Some(_) => xml_text(&format!("evalh.{}", words::suite(case).replace(' ', "."))),
        None => "evalh".to_owned(),
    };
    let mut body = format!("asked: {}\nfound: {}", case.asked, case.found);
    for note in &case.notes {
        body.push('\n');
        body.push_str(note);
    }
    let body = xml_text(&body);
    let message = match case
        .notes
        .first()
        .filter(|_| case.verdict == Verdict::Inconclusive)
    {
        Some(reason) => xml_text(&format!("inconclusive: {reason}")),
        None => xml_text(&format!("asked {}, found {}", case.asked, case.found)),
    };
    let (element, kind) = match case.verdict {
        Verdict::Pass => ("system-out", None),
        Verdict::Fail => ("failure", Some("fail")),
        Verdict::Inconclusive if strict => ("failure", Some("inconclusive")),
        Verdict::Inconclusive => ("skipped", Some("inconclusive")),
    };
    writer
        .create_element("testcase")
        .with_attributes([("name", name.as_str()), ("classname", class.as_str())])
        .write_inner_content(|writer| {
            let mut element = writer.create_element(element);
            if let Some(kind) = kind {
                element = element.with_attributes([("type", kind), ("message", message.as_str())]);
            }
            element.write_text_content(BytesText::new(&body))?;
            Ok(())
        })?;
    Ok(())
}

/// Text without what XML 1.0 has no character for.
fn xml_text(text: &str) -> String {
    let is_allowed = |c: char| {
        matches!(c, '\t' | '\n')
            || (c >= ' ' && !matches!(c, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}'))
    };
    text.chars()
        .map(|c| if is_allowed(c) { c } else { '\u{fffd}' })
        .collect()
}
