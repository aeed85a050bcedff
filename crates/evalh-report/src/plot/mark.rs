//! Marks: a shape for every meaning, beside its colour.

use super::{canvas::Canvas, ink::Ink};
use crate::compare::{Finding, Role};

/// What a mark is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A difference: a triangle that points up where it is better and down where it is worse, a circle where it may be
    /// chance, a bar where nothing changed.
    Finding(Finding),
    /// A variant: a circle for a base, a square for a standard adapter, a diamond for a selective one, a triangle for any
    /// other.
    Role(Role),
}

impl Mark {
    /// Its colour.
    pub fn ink(self) -> Ink {
        match self {
            Mark::Finding(finding) => Ink::of_finding(finding),
            Mark::Role(role) => Ink::of_role(role),
        }
    }

    /// Draws it, about as high and wide as twice `radius`.
    pub fn draw(self, canvas: &mut Canvas, (x, y): (f64, f64), radius: f64) {
        let ink = self.ink();
        let r = radius;
        match self {
            Mark::Finding(Finding::Inconclusive | Finding::Untested) | Mark::Role(Role::Base) => {
                canvas.circle((x, y), r, ink);
            }
            Mark::Finding(Finding::Better) | Mark::Role(Role::Other) => canvas.polygon(
                &[
                    (x, y - r * 1.15),
                    (x + r * 1.1, y + r * 0.85),
                    (x - r * 1.1, y + r * 0.85),
                ],
                ink,
            ),
            Mark::Finding(Finding::Worse) => canvas.polygon(
                &[
                    (x, y + r * 1.15),
                    (x + r * 1.1, y - r * 0.85),
                    (x - r * 1.1, y - r * 0.85),
                ],
                ink,
            ),
            Mark::Finding(Finding::Identical) => {
                canvas.line((x, y - r), (x, y + r), ink, 3.0);
            }
            Mark::Role(Role::Standard) => {
                let r = r * 0.9;
                canvas.polygon(
                    &[
                        (x - r, y - r),
                        (x + r, y - r),
                        (x + r, y + r),
                        (x - r, y + r),
                    ],
                    ink,
                );
            }
            Mark::Role(Role::Selective) => {
                let r = r * 1.25;
                canvas.polygon(&[(x, y - r), (x + r, y), (x, y + r), (x - r, y)], ink);
            }
        }
    }
}
