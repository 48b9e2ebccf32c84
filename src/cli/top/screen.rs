//! The terminal while `top` has it, and giving it back: at the end, when suspended, and in a panic.

use std::io;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::{Hide, Show};
use crossterm::terminal::{
    Clear, ClearType, DisableLineWrap, EnableLineWrap, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{Command, cursor::MoveTo};

use super::super::out::Out;

/// Whether the terminal is ours, so that a panic knows.
static TAKEN: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();

/// The terminal, which is ours while this lives.
pub(super) struct Screen {
    out: Out,
    shown: Vec<String>,
}

impl Screen {
    /// Takes the terminal.
    pub(super) fn enter() -> io::Result<Self> {
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                give_back();
                before(info);
            }));
        });
        let mut screen = Self { out: Out::stdout(), shown: Vec::new() };
        screen.take()?;
        Ok(screen)
    }

    /// Takes the terminal again, after it was given back.
    pub(super) fn take(&mut self) -> io::Result<()> {
        enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        self.shown.clear();
        self.out.text(&ansi(&[&EnterAlternateScreen, &DisableLineWrap, &Hide, &Clear(ClearType::All)]));
        Ok(())
    }

    /// Shows `lines`, one a row; what is there already is not written again.
    pub(super) fn draw(&mut self, lines: Vec<String>) {
        let mut text = String::new();
        for row in 0..lines.len().max(self.shown.len()) {
            let (new, old) = (lines.get(row), self.shown.get(row));
            if new != old || self.shown.is_empty() {
                let at = MoveTo(0, u16::try_from(row).unwrap_or(u16::MAX));
                // Cleared before it is written: behind a full row the cursor stands on its last sign.
                text += &ansi(&[&at, &Clear(ClearType::UntilNewLine)]);
                text += new.map_or("", String::as_str);
            }
        }
        if !text.is_empty() {
            self.out.text(&text);
        }
        self.shown = lines;
    }

    /// What is there is not known any more.
    pub(super) fn forget(&mut self) {
        self.shown.clear();
        self.out.text(&ansi(&[&Clear(ClearType::All)]));
    }

    /// Nobody looks any more.
    pub(super) const fn is_gone(&self) -> bool {
        self.out.is_closed()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back as it was, if it is ours.
pub(super) fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        Out::stdout().text(&ansi(&[&Show, &EnableLineWrap, &LeaveAlternateScreen]));
        // There is nobody to tell.
        let _ = disable_raw_mode();
    }
}

/// Commands as a terminal takes them.
fn ansi(commands: &[&dyn Ansi]) -> String {
    let mut text = String::new();
    commands.iter().for_each(|command| command.write(&mut text));
    text
}

/// A command of any type.
trait Ansi {
    fn write(&self, text: &mut String);
}

impl<C: Command> Ansi for C {
    fn write(&self, text: &mut String) {
        // A text takes everything.
        let _ = self.write_ansi(text);
    }
}
