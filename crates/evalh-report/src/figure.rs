//! A drawing for a report.

/// A drawing with the words that go with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// What it shows, as a heading.
    pub title: String,
    /// How to read it, in a sentence or two.
    pub caption: String,
    /// The drawing: an `<svg>` element of our own making, in which every foreign text is escaped. It takes its colours from
    /// the page (`currentColor`, custom properties with fallbacks) and holds no script and no `style` attribute, which the
    /// page's content security policy would refuse; `<style>` elements are allowed by their hash.
    pub svg: String,
}
