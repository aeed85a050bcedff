//! What the marks mean.

use super::{
    MARGIN, SMALL, WIDTH,
    canvas::{Anchor, Canvas, Text},
    ink::Ink,
    label::clipped,
    mark::Mark,
    width::width,
};

/// Height of a line.
const LINE: f64 = 20.0;

/// Draws the marks with their meanings in as many lines as it takes, the first one's middle at `y`. Returns the height
/// used.
pub fn legend(canvas: &mut Canvas, entries: &[(Mark, String)], y: f64) -> f64 {
    let (mut x, mut line) = (MARGIN + 6.0, 0.0);
    for (mark, meaning) in entries {
        let meaning = clipped(meaning, SMALL, WIDTH - 4.0 * MARGIN - 20.0);
        let wide = 12.0 + width(&meaning, SMALL);
        if x > MARGIN + 6.0 && x + wide > WIDTH - MARGIN {
            x = MARGIN + 6.0;
            line += 1.0;
        }
        let middle = y + line * LINE;
        mark.draw(canvas, (x, middle), 5.0);
        let at = Text {
            x: x + 11.0,
            y: middle + 4.0,
            size: SMALL,
            anchor: Anchor::Start,
            ink: Ink::Text,
            is_bold: false,
            most: WIDTH - MARGIN - x - 11.0,
        };
        canvas.text(at, &meaning);
        x += wide + 22.0;
    }
    if entries.is_empty() {
        0.0
    } else {
        (line + 1.0) * LINE
    }
}
