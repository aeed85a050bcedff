//! From values to places.

/// The largest magnitude that is drawn: beyond it there is no telling ticks apart.
const LARGEST: f64 = 1e12;

/// The value, where it can be drawn.
pub fn drawable(value: f64) -> Option<f64> {
    (value.abs() <= LARGEST).then_some(value)
}

/// A linear scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// A scale that shows all of `values` with a little room at either end, over `from` to `to`. Values that cannot be drawn
    /// are passed over; where all are one value, or there is none, it is given room of its own.
    pub fn over(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Scale {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.into_iter().filter_map(drawable) {
            low = low.min(value);
            high = high.max(value);
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        let span = high - low;
        let room = if span > low.abs().max(high.abs()) * 1e-9 {
            span * 0.06
        } else {
            low.abs().max(1.0) * 0.1
        };
        Scale {
            low: low - room,
            high: high + room,
            from,
            to,
        }
    }

    /// The same scale, with nothing shown below `low` or above `high`.
    pub fn within(self, low: f64, high: f64) -> Scale {
        Scale {
            low: self.low.max(low),
            high: self.high.min(high),
            ..self
        }
    }

    /// The place of a value; of one beyond the scale, its end.
    pub fn at(&self, value: f64) -> f64 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        self.from + share * (self.to - self.from)
    }

    /// Whether the scale shows the value.
    pub fn shows(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Its beginning and end on the drawing.
    pub fn ends(&self) -> (f64, f64) {
        (self.from, self.to)
    }

    /// Round values with what is written at them, about `wanted` of them.
    pub fn ticks(&self, wanted: usize) -> Vec<(f64, String)> {
        let rough = (self.high - self.low) / wanted.max(1) as f64;
        let magnitude = rough.log10().floor();
        let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|unit| unit * 10_f64.powf(magnitude));
        let step = steps.into_iter().find(|&step| step >= rough * 0.999);
        let step = step.unwrap_or(steps[4]);
        let (first, last) = ((self.low / step).ceil(), (self.high / step).floor());
        let decimals = decimals(step);
        (0..)
            .map(|i| first + f64::from(i))
            .take_while(|&place| place <= last)
            .take(2 * wanted + 2)
            .map(|place| (place * step, written(place * step, decimals)))
            .collect()
    }
}

/// Decimals that tell multiples of the step apart.
fn decimals(step: f64) -> usize {
    (0..12)
        .find(|&decimals| {
            let shifted = step * 10_f64.powi(decimals);
            (shifted - shifted.round()).abs() < 1e-6 * shifted
        })
        .unwrap_or(12) as usize
}

fn written(value: f64, decimals: usize) -> String {
    if value.abs() >= 1e6 {
        return format!("{value:.2e}").replace('-', "\u{2212}");
    }
    let text = format!("{:.decimals$}", value.abs());
    let is_zero = text.chars().all(|c| matches!(c, '0' | '.'));
    let sign = if value < 0.0 && !is_zero {
        "\u{2212}"
    } else {
        ""
    };
    format!("{sign}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(low: f64, high: f64) -> Vec<String> {
        let scale = Scale {
            low,
            high,
            from: 0.0,
            to: 1.0,
        };
        scale.ticks(5).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(
            labels(-11.0, 13.0),
            ["\u{2212}10", "\u{2212}5", "0", "5", "10"]
        );
        assert_eq!(labels(0.0, 1.0), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(
            labels(0.0, 0.011),
            ["0.0000", "0.0025", "0.0050", "0.0075", "0.0100"]
        );
        assert_eq!(labels(18.0, 61.0), ["20", "30", "40", "50", "60"]);
        assert_eq!(labels(0.0, 9e9)[1], "2.00e9");
    }

    #[test]
    fn one_value_or_none_has_a_scale() {
        for values in [
            vec![],
            vec![f64::NAN, f64::INFINITY],
            vec![31.5],
            vec![0.0, 0.0],
            vec![1e11, 1e11],
        ] {
            let scale = Scale::over(values.clone(), 10.0, 110.0);
            assert!(scale.at(31.5).is_finite(), "{values:?}");
            assert!(!scale.ticks(5).is_empty(), "{values:?}");
        }
    }

    proptest! {
        #[test]
        fn every_value_is_within_the_scale(values in prop::collection::vec(any::<f64>(), 0..6)) {
            let scale = Scale::over(values.clone(), 10.0, 110.0);
            for value in values.into_iter().filter_map(drawable) {
                prop_assert!((10.0..=110.0).contains(&scale.at(value)));
                prop_assert!(scale.shows(value));
            }
            let ticks = scale.ticks(5);
            prop_assert!(ticks.len() <= 12);
            for (value, text) in ticks {
                prop_assert!((10.0..=110.0).contains(&scale.at(value)));
                prop_assert!(text.len() < 24, "{}", text);
            }
        }
    }
}
