//! A simulation as one SVG document that stands alone: no script, nothing from elsewhere, readable on paper, light and dark.
//!
//! Written with `maud`, which escapes every text, and not by a plotting crate: plotters' SVG has whole pixels, no dashes and no style
//! sheet, so neither steps nor tails nor a dark background; and what an axis of time needs, no crate has.

mod axis;
mod panel;
mod paper;
mod survival;
mod told;
mod trade;

use maud::{PreEscaped, html};

use super::curves::Curves;
use panel::HEIGHT;
use paper::{plain, px, wrapped};

const STYLE: &str = include_str!("style.css");

/// The paper's width.
const WIDTH: f64 = 1024.0;
/// Characters across it.
const CHARACTERS: usize = 150;
const LINE: f64 = 17.0;
/// Of the scenario's name, and of what is said about it.
const NAME: usize = 72;
const SAID: usize = 1200;

/// What stands above and below the panels.
#[derive(Debug)]
pub(super) struct Caption {
    /// The scenario's name.
    pub(super) name: String,
    /// What was played.
    pub(super) played: String,
    /// How it came about: runs, quiet years, seed.
    pub(super) made: String,
}

/// The document.
pub(super) fn draw(curves: &Curves, caption: &Caption) -> String {
    let name = plain(&caption.name, NAME);
    let head = wrapped(&plain(&caption.played, SAID), CHARACTERS);
    let foot = wrapped(&plain(&caption.made, SAID), CHARACTERS);
    let panels = 46.0 + LINE * head.len() as f64;
    let below = panels + 3.0 * HEIGHT + 14.0;
    let height = below + LINE * foot.len() as f64 + 2.0;
    let lines = |lines: Vec<String>, top: f64| {
        let placed = lines.into_iter().enumerate().map(move |(n, line)| (top + LINE * n as f64, line));
        html! { @for (y, line) in placed { text.dim x="16" y=(px(y)) { (line) } } }
    };
    let document = html! {
        (PreEscaped("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"))
        svg xmlns="http://www.w3.org/2000/svg" width=(px(WIDTH)) height=(px(height)) viewBox=(format!("0 0 {} {}", px(WIDTH), px(height)))
            role="img" aria-labelledby="title desc" {
            title id="title" { "mailcanary simulate: " (name) }
            desc id="desc" { (plain(&caption.played, SAID)) " " (plain(&caption.made, SAID)) }
            style { (PreEscaped(STYLE)) }
            rect.paper width=(px(WIDTH)) height=(px(height)) {}
            text.head x="16" y="32" { "Simulation of " (name) }
            (lines(head, 54.0))
            (survival::draw(curves, panels).draw())
            (trade::draw(curves, panels + HEIGHT).draw())
            (told::draw(curves, panels + 2.0 * HEIGHT).draw())
            (lines(foot, below))
        }
    };
    document.into_string() + "\n"
}
