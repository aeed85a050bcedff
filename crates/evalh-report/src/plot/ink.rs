//! Colours by what they mean.

use crate::compare::{Finding, Role};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A colour by what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ink {
    /// Text and marks without a hue: the surrounding text's colour.
    Text,
    /// The same, fainter: what is said in passing.
    Muted,
    /// The same, hardly there: the grid.
    Grid,
    /// The ground of a drawing that stands alone.
    Ground,
    /// Better beyond chance.
    Better,
    /// Worse beyond chance.
    Worse,
    /// A base, and what may be chance.
    Base,
    /// A standard adapter.
    Standard,
    /// A selective adapter.
    Selective,
    /// Any other variant.
    Other,
}

impl Ink {
    /// The colour of a role.
    pub fn of_role(role: Role) -> Ink {
        match role {
            Role::Base => Ink::Base,
            Role::Standard => Ink::Standard,
            Role::Selective => Ink::Selective,
            Role::Other => Ink::Other,
        }
    }

    /// The colour of a finding.
    pub fn of_finding(finding: Finding) -> Ink {
        match finding {
            Finding::Better => Ink::Better,
            Finding::Worse => Ink::Worse,
            Finding::Inconclusive | Finding::Untested => Ink::Base,
            Finding::Identical => Ink::Text,
        }
    }

    /// The value of `fill` and `stroke` for renderers without style sheets.
    pub fn value(self) -> &'static str {
        match self {
            Ink::Text | Ink::Muted | Ink::Grid => "currentColor",
            Ink::Ground => "#ffffff",
            _ => self.hue().map_or("currentColor", |(_, value)| value),
        }
    }

    /// How much of it is laid on.
    pub fn opacity(self) -> Option<&'static str> {
        match self {
            Ink::Muted => Some("0.7"),
            Ink::Grid => Some("0.18"),
            _ => None,
        }
    }

    /// The class that the style sheet sets it by.
    pub fn class(self) -> Option<&'static str> {
        match self {
            Ink::Ground => Some("ground"),
            _ => self.hue().map(|(name, _)| name),
        }
    }

    /// Name and value of a hue. Of Wong's colour-blind safe set (Nature Methods 8, 441, 2011), each as light or dark as it
    /// takes for a contrast of 3 on either ground.
    fn hue(self) -> Option<(&'static str, &'static str)> {
        match self {
            Ink::Text | Ink::Muted | Ink::Grid | Ink::Ground => None,
            Ink::Better => Some(("better", "#2a83d6")),
            Ink::Worse => Some(("worse", "#d9641e")),
            Ink::Base => Some(("base", "#7d8590")),
            Ink::Standard => Some(("standard", "#b0639a")),
            Ink::Selective => Some(("selective", "#0f9270")),
            Ink::Other => Some(("other", "#a87d00")),
        }
    }
}

/// The style sheet for these inks. It lies within a condition that renderers without custom properties skip; those see
/// the attributes. Everything is bound to the drawing's class, as a style sheet inside HTML holds for the whole page.
pub fn style(used: &BTreeSet<Ink>) -> String {
    let mut out = String::from(
        "@supports (color:var(--a)){.evalh-plot{max-width:100%;height:auto}\
         .evalh-plot:not(:root){color:inherit}\
         .evalh-plot:not(:root) .ground{fill:none}\
         @media (prefers-color-scheme:dark){.evalh-plot:root{color:#e6edf3}.evalh-plot:root .ground{fill:#0d1117}}",
    );
    for (name, value) in used.iter().filter_map(|ink| ink.hue()) {
        let _ = write!(
            out,
            ".evalh-plot line.{name}{{stroke:var(--plot-{name},{value})}}.evalh-plot :not(line).{name}{{fill:var(--plot-{name},{value})}}"
        );
    }
    out.push('}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG's relative luminance.
    fn luminance(hex: &str) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    #[test]
    fn every_hue_is_seen_on_both_grounds() {
        let inks = [
            Ink::Better,
            Ink::Worse,
            Ink::Base,
            Ink::Standard,
            Ink::Selective,
            Ink::Other,
        ];
        for ink in inks {
            for ground in ["#ffffff", "#0d1117"] {
                let (a, b) = (luminance(ink.value()), luminance(ground));
                let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(contrast >= 3.0, "{ink:?} on {ground}: {contrast:.2}");
            }
        }
    }
}
