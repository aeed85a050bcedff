//! The HTML page: what is in its text, and how it behaves in a browser.
//!
//! Tests in a browser need `chromium` and `chromedriver` and are skipped by name without them. `EVALH_SCREENSHOTS=DIR` makes
//! them leave pictures to look at, and `EVALH_RUN=DIR` takes a run folder of one's own through the page.

mod behaviour;
mod comparison;
mod own_run;
mod synthetic;
mod text;
mod webdriver;
