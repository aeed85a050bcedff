//! Writing SVG.

use super::{
    WIDTH,
    escape::escaped,
    ink::{Ink, style},
    width::width,
};
use std::{collections::BTreeSet, fmt::Write as _};

/// Where a text's place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// At its beginning.
    Start,
    /// In its middle.
    Middle,
    /// At its end.
    End,
}

/// A line of text.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    /// Where it is anchored.
    pub x: f64,
    /// Its baseline.
    pub y: f64,
    /// Its size.
    pub size: f64,
    /// What of it is at `x`.
    pub anchor: Anchor,
    /// Its colour.
    pub ink: Ink,
    /// Whether it is a heading.
    pub is_bold: bool,
    /// The width that it must not exceed, whatever the renderer's font is.
    pub most: f64,
}

impl Text {
    /// A line of text whose middle is at the height `middle`, in a place that is `most` wide.
    pub fn cell(x: f64, middle: f64, anchor: Anchor, size: f64, most: f64) -> Text {
        Text {
            x,
            y: middle + 4.5,
            size,
            anchor,
            ink: Ink::Text,
            is_bold: false,
            most: most + 8.0,
        }
    }
}

/// A drawing as it grows. Coordinates are finite; callers leave out what is not.
#[derive(Debug, Default)]
pub struct Canvas {
    body: String,
    used: BTreeSet<Ink>,
}

impl Canvas {
    /// A straight line.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), ink: Ink, thickness: f64) {
        self.stroke(from, to, ink, thickness, "");
    }

    /// A dashed line.
    pub fn dashed(&mut self, from: (f64, f64), to: (f64, f64), ink: Ink) {
        self.stroke(from, to, ink, 1.0, " stroke-dasharray=\"4 3\"");
    }

    fn stroke(
        &mut self,
        (x1, y1): (f64, f64),
        (x2, y2): (f64, f64),
        ink: Ink,
        thickness: f64,
        more: &str,
    ) {
        let [x1, y1, x2, y2, thickness] = [x1, y1, x2, y2, thickness].map(number);
        let class = self.class(ink);
        let opacity = opacity(ink, "stroke-opacity");
        let _ = writeln!(
            self.body,
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"{class} stroke=\"{}\"{opacity} stroke-width=\"{thickness}\"{more}/>",
            ink.value()
        );
    }

    /// A filled shape with straight sides.
    pub fn polygon(&mut self, corners: &[(f64, f64)], ink: Ink) {
        let corners: Vec<String> = corners
            .iter()
            .map(|&(x, y)| format!("{},{}", number(x), number(y)))
            .collect();
        let class = self.class(ink);
        let _ = writeln!(
            self.body,
            "<polygon points=\"{}\"{class} fill=\"{}\" stroke=\"none\"/>",
            corners.join(" "),
            ink.value()
        );
    }

    /// A line through several points. Its hue is the same on every ground.
    pub fn polyline(&mut self, points: &[(f64, f64)], ink: Ink, thickness: f64) {
        let points: Vec<String> = points
            .iter()
            .map(|&(x, y)| format!("{},{}", number(x), number(y)))
            .collect();
        let _ = writeln!(
            self.body,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"/>",
            points.join(" "),
            ink.value(),
            number(thickness)
        );
    }

    /// A filled circle.
    pub fn circle(&mut self, (x, y): (f64, f64), radius: f64, ink: Ink) {
        let [x, y, radius] = [x, y, radius].map(number);
        let class = self.class(ink);
        let _ = writeln!(
            self.body,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"{class} fill=\"{}\" stroke=\"none\"/>",
            ink.value()
        );
    }

    /// A line of text. One that could be too wide in another font than the one measured is told its width, which every
    /// browser keeps to.
    pub fn text(&mut self, at: Text, content: &str) {
        let measured = width(content, at.size);
        let fit = if measured * 1.2 > at.most {
            format!(
                " textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\"",
                number(measured.min(at.most))
            )
        } else {
            String::new()
        };
        let anchor = match at.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let bold = if at.is_bold {
            " font-weight=\"600\""
        } else {
            ""
        };
        let (x, y, size) = (number(at.x), number(at.y), number(at.size));
        let class = self.class(at.ink);
        let opacity = opacity(at.ink, "fill-opacity");
        let _ = writeln!(
            self.body,
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\"{anchor}{bold}{class} fill=\"{}\"{opacity}{fit}>{}</text>",
            at.ink.value(),
            escaped(content)
        );
    }

    /// Marks that belong together, with what a pointer on them is told.
    pub fn named(&mut self, name: &str, draw: impl FnOnce(&mut Canvas)) {
        let _ = writeln!(self.body, "<g><title>{}</title>", escaped(name));
        draw(self);
        self.body.push_str("</g>\n");
    }

    /// The whole drawing. `id` must be its own within a page.
    pub fn finish(self, id: &str, height: f64, title: &str, description: &str) -> String {
        let (wide, high) = (number(WIDTH), number(height));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"evalh-plot\" viewBox=\"0 0 {wide} {high}\" width=\"{wide}\" height=\"{high}\" \
             role=\"img\" aria-labelledby=\"{id}-title {id}-desc\" color=\"#1f2328\" \
             font-family=\"-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif\">\n\
             <title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-desc\">{}</desc>\n<style>{}</style>\n\
             <rect class=\"ground\" width=\"{wide}\" height=\"{high}\" fill=\"{}\"/>\n{}</svg>\n",
            escaped(title),
            escaped(description),
            style(&self.used),
            Ink::Ground.value(),
            self.body
        )
    }

    fn class(&mut self, ink: Ink) -> String {
        self.used.insert(ink);
        ink.class()
            .map_or_else(String::new, |name| format!(" class=\"{name}\""))
    }
}

fn opacity(ink: Ink, attribute: &str) -> String {
    ink.opacity()
        .map_or_else(String::new, |value| format!(" {attribute}=\"{value}\""))
}

/// A coordinate with at most one decimal.
fn number(value: f64) -> String {
    let rounded = format!("{value:.1}");
    let short = rounded.strip_suffix(".0").unwrap_or(&rounded);
    if short == "-0" { "0" } else { short }.to_owned()
}
