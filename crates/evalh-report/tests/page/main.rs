//! The HTML page: what is in its text, and how it behaves in a browser.

mod behaviour;
mod synthetic;
mod text;
mod webdriver;
