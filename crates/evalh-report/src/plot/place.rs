//! Labels that stand beside their marks without touching anything.

/// An upright rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// Left side.
    pub x: f64,
    /// Upper side.
    pub y: f64,
    /// Width.
    pub wide: f64,
    /// Height.
    pub high: f64,
}

impl Area {
    /// Whether the two have a point in common.
    pub fn touches(&self, other: &Area) -> bool {
        self.x < other.x + other.wide
            && other.x < self.x + self.wide
            && self.y < other.y + other.high
            && other.y < self.y + self.high
    }

    fn contains(&self, inner: &Area) -> bool {
        inner.x >= self.x
            && inner.y >= self.y
            && inner.x + inner.wide <= self.x + self.wide
            && inner.y + inner.high <= self.y + self.high
    }
}

/// A place for the label of each mark: right of it, left, above, below, or at a corner, where it touches no other label and
/// none of `taken`, and stays within `bounds`. `None` where there is no such place for one of them.
///
/// Marks are given by their middles with the width of their labels; labels are `high` high.
pub fn beside(
    marks: &[((f64, f64), f64)],
    high: f64,
    taken: &[Area],
    bounds: &Area,
) -> Option<Vec<Area>> {
    let mut placed: Vec<Area> = Vec::with_capacity(marks.len());
    for &(mark, wide) in marks {
        let free = around(mark, wide, high).into_iter().find(|place| {
            bounds.contains(place) && !placed.iter().chain(taken).any(|other| place.touches(other))
        });
        placed.push(free?);
    }
    Some(placed)
}

fn around((x, y): (f64, f64), wide: f64, high: f64) -> Vec<Area> {
    let gap = 9.0;
    let middle = y - high / 2.0;
    let (above, below) = (y - gap - high, y + gap);
    let (right, left) = (x + gap, x - gap - wide);
    [
        (right, middle),
        (left, middle),
        (right, above),
        (right, below),
        (left, above),
        (left, below),
        (x - wide / 2.0, above),
        (x - wide / 2.0, below),
    ]
    .map(|(x, y)| Area { x, y, wide, high })
    .to_vec()
}

/// Heights of lines of text in a column, each as near to the one wished as it can be in the order of the wishes, at least
/// `high` apart and between `top` and `bottom`, which must hold them all.
pub fn in_column(wished: &[f64], high: f64, top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wished.len()).collect();
    order.sort_by(|&a, &b| wished[a].total_cmp(&wished[b]));
    let mut places = vec![0.0; wished.len()];
    let mut least = top + high / 2.0;
    for &at in &order {
        places[at] = wished[at].max(least);
        least = places[at] + high;
    }
    let mut most = bottom - high / 2.0;
    for &at in order.iter().rev() {
        places[at] = places[at].min(most);
        most = places[at] - high;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOUNDS: Area = Area {
        x: 0.0,
        y: 0.0,
        wide: 400.0,
        high: 300.0,
    };

    #[test]
    fn a_label_stands_right_of_its_mark_where_it_can() {
        let marks = [((100.0, 100.0), 60.0), ((380.0, 100.0), 60.0)];
        let found = beside(&marks, 14.0, &[], &BOUNDS).unwrap();
        assert!(found[0].x > 100.0 && found[1].x + 60.0 < 380.0);
        let crowd = [((100.0, 100.0), 300.0); 12];
        assert_eq!(beside(&crowd, 14.0, &[], &BOUNDS), None);
    }

    proptest! {
        #[test]
        fn labels_never_touch(
            marks in prop::collection::vec(((0.0..400.0, 0.0..300.0), 10.0..120.0), 0..9),
        ) {
            if let Some(found) = beside(&marks, 14.0, &[], &BOUNDS) {
                for (i, a) in found.iter().enumerate() {
                    prop_assert!(BOUNDS.contains(a));
                    prop_assert!(found[i + 1..].iter().all(|b| !a.touches(b)));
                }
            }
        }

        #[test]
        fn a_column_keeps_its_lines_apart(wished in prop::collection::vec(0.0..300.0, 0..15)) {
            let places = in_column(&wished, 20.0, 0.0, 300.0);
            let mut sorted = places.clone();
            sorted.sort_by(f64::total_cmp);
            prop_assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] >= 20.0 - 1e-9));
            prop_assert!(sorted.iter().all(|&y| (10.0 - 1e-9..=290.0 + 1e-9).contains(&y)));
        }
    }
}
