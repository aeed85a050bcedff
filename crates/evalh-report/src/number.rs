//! Numbers as people read them.

use crate::compare::Range;

/// A share as a percentage with one decimal, `14.6`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1}", share * 100.0)
}

/// How a metric's values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// A share of items, in percent.
    Share,
    /// A plain number with so many decimals.
    Plain(usize),
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Unit::Share => percent(value),
            Unit::Plain(decimals) => format!("{value:.decimals$}"),
        }
    }
}

/// The unit of a metric, by its name as in [`evalh_record::ResultRow::metric_name`].
fn unit(metric: &str) -> Unit {
    match metric {
        "mcc" | "pearson" | "spearman" => Unit::Plain(3),
        "nats_per_token" | "bits_per_byte" => Unit::Plain(4),
        "word_perplexity" => Unit::Plain(2),
        "repaired" => Unit::Plain(0),
        _ => Unit::Share,
    }
}

/// A score with its standard error: `14.6 ± 2.8 %`, `0.412 ± 0.031`.
pub(crate) fn score(metric: &str, value: f64, stderr: Option<f64>) -> String {
    let unit = unit(metric);
    let sign = if unit == Unit::Share { " %" } else { "" };
    match stderr {
        Some(stderr) => format!("{} ± {}{sign}", unit.show(value), unit.show(stderr)),
        None => format!("{}{sign}", unit.show(value)),
    }
}

/// Whether a metric's values are shares of items, shown in percent.
pub(crate) fn is_share(metric: &str) -> bool {
    unit(metric) == Unit::Share
}

/// A signed difference, a true minus sign and no sign for zero; of shares in percentage points.
pub(crate) fn difference(metric: &str, difference: f64) -> String {
    let shown = unit(metric).show(difference.abs());
    let sign = if shown.chars().all(|c| matches!(c, '0' | '.')) {
        ""
    } else if difference < 0.0 {
        "\u{2212}"
    } else {
        "+"
    };
    format!("{sign}{shown}")
}

/// An interval, `[9.8, 21.2]`; of a difference with signs, `[\u{2212}1.1, +5.2]`.
pub(crate) fn range(metric: &str, range: Range, signed: bool) -> String {
    let show = |value: f64| {
        if signed || value < 0.0 {
            difference(metric, value)
        } else {
            unit(metric).show(value)
        }
    };
    format!("[{}, {}]", show(range.low), show(range.high))
}

/// A p-value: three decimals, small ones as a bound.
pub(crate) fn p_value(p: f64) -> String {
    if p < 0.001 {
        "< 0.001".to_owned()
    } else {
        format!("{p:.3}")
    }
}

/// Seconds in the unit that reads best: `0.42 s`, `12.3 s`, `4 min 07 s`, `2 h 05 min`.
pub(crate) fn seconds(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    if seconds < 10.0 {
        format!("{seconds:.2} s")
    } else if seconds < 99.95 {
        format!("{seconds:.1} s")
    } else if whole < 3600 {
        format!("{} min {:02} s", whole / 60, whole % 60)
    } else {
        format!("{} h {:02} min", whole / 3600, whole % 3600 / 60)
    }
}

/// A count over seconds, or a dash where nothing was measured.
pub(crate) fn rate(count: u64, seconds: f64) -> String {
    if count == 0 || seconds <= 0.0 {
        "\u{2013}".to_owned()
    } else {
        per_second(count as f64 / seconds)
    }
}

/// A rate with the digits that it deserves: `2.50`, `25.0`, `2,500`.
pub(crate) fn per_second(rate: f64) -> String {
    if rate < 10.0 {
        format!("{rate:.2}")
    } else if rate < 100.0 {
        format!("{rate:.1}")
    } else {
        count_of(rate.round() as u64)
    }
}

/// A count with thousands apart, `12,345`.
pub(crate) fn count_of(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count with its noun, `1 prompt`, `2 prompts`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count_of(count as u64))
}

/// Ascending numbers as spans, `0\u{2013}3, 7`; `none` where there are none.
pub(crate) fn spans(numbers: &[usize]) -> String {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for &number in numbers {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => spans.push((number, number)),
        }
    }
    let shown = spans.iter().map(|&(first, last)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}\u{2013}{last}")
        }
    });
    let shown: Vec<String> = shown.collect();
    if shown.is_empty() {
        return "none".to_owned();
    }
    shown.join(", ")
}

/// Bytes in MiB or GiB, or a dash where unknown.
pub(crate) fn bytes(bytes: Option<u64>) -> String {
    const MIB: f64 = 1_048_576.0;
    match bytes {
        None => "\u{2013}".to_owned(),
        Some(b) if (b as f64) < 1024.0 * MIB => format!("{:.0} MiB", b as f64 / MIB),
        Some(b) => format!("{:.2} GiB", b as f64 / (1024.0 * MIB)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(score("acc", 0.14634, Some(0.02767)), "14.6 ± 2.8 %");
        assert_eq!(score("mcc", 0.14634, Some(0.02767)), "0.146 ± 0.028");
        assert_eq!(score("repaired", 7.0, None), "7");
        assert_eq!(difference("nats_per_token", -0.25), "\u{2212}0.2500");
        assert_eq!(score("acc", 1.0, None), "100.0 %");
        assert_eq!(difference("acc", 0.0), "0.0");
        assert_eq!(difference("acc", -0.0004), "0.0");
        assert_eq!(difference("acc", -0.0121), "\u{2212}1.2");
        assert_eq!(difference("acc", 0.0121), "+1.2");
        let interval = Range {
            low: -0.0121,
            high: 0.05,
        };
        assert_eq!(range("acc", interval, true), "[\u{2212}1.2, +5.0]");
        assert_eq!(range("mcc", interval, false), "[\u{2212}0.012, 0.050]");
        assert_eq!(p_value(0.00001), "< 0.001");
        assert_eq!(p_value(0.725_4), "0.725");
        assert_eq!(
            [0.4213, 12.34, 99.96, 247.0, 7500.0].map(seconds),
            ["0.42 s", "12.3 s", "1 min 40 s", "4 min 07 s", "2 h 05 min"]
        );
        assert_eq!(rate(0, 1.0), "\u{2013}");
        assert_eq!(rate(5, 0.0), "\u{2013}");
        assert_eq!(
            [rate(5, 2.0), rate(50, 2.0), rate(5000, 2.0)],
            ["2.50", "25.0", "2,500"]
        );
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(count_of),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [counted(1, "item"), counted(1200, "item")],
            ["1 item", "1,200 items"]
        );
        assert_eq!(bytes(Some(700 << 20)), "700 MiB");
        assert_eq!(bytes(Some(3 << 29)), "1.50 GiB");
        assert_eq!(bytes(None), "\u{2013}");
        assert_eq!(spans(&[0, 1, 2, 7, 9, 10]), "0\u{2013}2, 7, 9\u{2013}10");
        assert_eq!(spans(&[]), "none");
    }
}
