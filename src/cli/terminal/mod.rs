//! What a terminal can show: colours, its width, and texts that cannot do it harm.

mod measure;
mod table;

use std::io::IsTerminal as _;

use clap::ValueEnum;

pub(super) use measure::{cut, fold, visible, width, wrap};
pub(super) use table::{Align, Cell, Table};

/// When colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Colours {
    /// On a terminal, unless NO_COLOR is set, CLICOLOR=0 or TERM=dumb; with CLICOLOR_FORCE elsewhere, too
    #[default]
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

/// How colours are asked for.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(super) struct Look {
    /// When colours are used
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Colours::Auto)]
    pub(super) color: Colours,
}

/// One of the two outputs, as something to write on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Paper {
    /// A person looks at it.
    pub(super) terminal: bool,
    /// Colours mean something there.
    pub(super) colour: bool,
    /// How many columns there are; endless where nobody looks.
    pub(super) width: Option<usize>,
}

impl Paper {
    /// Standard output.
    pub(super) fn stdout(look: Look) -> Self {
        let out = std::io::stdout();
        Self::of(look, out.is_terminal(), columns(&out))
    }

    /// Standard error.
    pub(super) fn stderr(look: Look) -> Self {
        let err = std::io::stderr();
        Self::of(look, err.is_terminal(), columns(&err))
    }

    fn of(look: Look, terminal: bool, columns: Option<usize>) -> Self {
        let asked = || {
            let here = terminal && anstyle_query::term_supports_color() && anstyle_query::clicolor() != Some(false);
            !anstyle_query::no_color() && (anstyle_query::clicolor_force() || here)
        };
        let colour = match look.color {
            Colours::Auto => asked(),
            Colours::Always => true,
            Colours::Never => false,
        };
        Self { terminal, colour, width: columns.filter(|_| terminal) }
    }

    /// `text` in its tone, where there are colours. The text is written as it is.
    pub(super) fn paint(self, text: &str, tone: Tone) -> String {
        match tone.code().filter(|_| self.colour && !text.is_empty()) {
            Some(code) => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            None => text.to_owned(),
        }
    }
}

/// The width of a terminal. One that says 0 does not know.
fn columns(of: &impl std::os::fd::AsFd) -> Option<usize> {
    rustix::termios::tcgetwinsize(of).ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// What a text means, beside what it says: never by colour alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tone {
    /// Nothing more.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// Questionable.
    Warn,
    /// Wrong.
    Bad,
    /// Less important.
    Dim,
    /// More important.
    Strong,
}

impl Tone {
    /// The parameters of SGR (ECMA-48 8.3.117).
    const fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Good => Some("32"),
            Self::Warn => Some("33"),
            Self::Bad => Some("1;31"),
            Self::Dim => Some("2"),
            Self::Strong => Some("1"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_on_the_command_line_goes_first() {
        let of = |color, terminal| Paper::of(Look { color }, terminal, Some(80));
        assert!(of(Colours::Always, false).colour && !of(Colours::Never, true).colour);
        assert_eq!((of(Colours::Always, false).width, of(Colours::Never, true).width), (None, Some(80)));
        assert_eq!(of(Colours::Always, false).paint("x", Tone::Bad), "\u{1b}[1;31mx\u{1b}[0m");
        assert_eq!(of(Colours::Always, false).paint("x", Tone::Plain), "x");
        assert_eq!(of(Colours::Never, true).paint("x", Tone::Bad), "x");
    }
}
