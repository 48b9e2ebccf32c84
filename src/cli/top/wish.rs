//! What the person at the keyboard wants to see.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::edge::show::{Line, Top};
use crate::model::At;

/// Characters of a filter.
const LONGEST: usize = 64;
/// Rows that a page key moves by.
const PAGE: usize = 10;

/// In what order routes stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    /// The worst first, and of these the most suspected.
    #[default]
    Trouble,
    /// The most suspected first.
    Suspicion,
    /// From where nothing has come for the longest.
    Silence,
    /// By name.
    Name,
}

impl Order {
    /// The word in the foot line.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Trouble => "trouble",
            Self::Suspicion => "suspicion",
            Self::Silence => "silence",
            Self::Name => "name",
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::Trouble => Self::Suspicion,
            Self::Suspicion => Self::Silence,
            Self::Silence => Self::Name,
            Self::Name => Self::Trouble,
        }
    }
}

/// How it is to be shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Wish {
    pub(super) order: Order,
    /// Only routes that hold this.
    pub(super) filter: String,
    /// The filter is being typed.
    pub(super) typing: bool,
    /// Routes that were scrolled past.
    pub(super) past: usize,
}

/// What a key asks for beyond another look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Another look.
    Look,
    /// The end.
    End,
    /// To be suspended.
    Suspend,
    /// Everything drawn anew.
    Redraw,
}

impl Wish {
    /// A key was pressed.
    #[expect(clippy::wildcard_enum_match_arm, reason = "most keys mean nothing here, and new ones will not either")]
    pub(super) fn press(&mut self, key: KeyEvent) -> Asked {
        if key.kind == KeyEventKind::Release {
            return Asked::Look;
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c') => Asked::End,
                KeyCode::Char('z') => Asked::Suspend,
                KeyCode::Char('l') => Asked::Redraw,
                _ => Asked::Look,
            };
        }
        if self.typing {
            self.type_in(key.code);
            return Asked::Look;
        }
        match key.code {
            KeyCode::Char('q') => return Asked::End,
            KeyCode::Esc if self.filter.is_empty() => return Asked::End,
            KeyCode::Esc => self.filter.clear(),
            KeyCode::Char('s') => (self.order, self.past) = (self.order.next(), 0),
            KeyCode::Char('/') => self.typing = true,
            KeyCode::Down | KeyCode::Char('j') => self.past += 1,
            KeyCode::Up | KeyCode::Char('k') => self.past = self.past.saturating_sub(1),
            KeyCode::PageDown => self.past += PAGE,
            KeyCode::PageUp => self.past = self.past.saturating_sub(PAGE),
            KeyCode::Home | KeyCode::Char('g') => self.past = 0,
            KeyCode::End | KeyCode::Char('G') => self.past = usize::MAX / 2,
            _ => {}
        }
        Asked::Look
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "most keys type nothing")]
    fn type_in(&mut self, key: KeyCode) {
        self.past = 0;
        match key {
            KeyCode::Enter => self.typing = false,
            KeyCode::Esc => {
                self.filter.clear();
                self.typing = false;
            }
            KeyCode::Backspace => drop(self.filter.pop()),
            KeyCode::Char(c) if !c.is_control() && self.filter.chars().count() < LONGEST => self.filter.push(c),
            _ => {}
        }
    }

    /// Scrolls no further than there is something.
    pub(super) fn bound(&mut self, top: Option<&Top>) {
        let count = top.map_or(0, |top| self.routes(top).len());
        self.past = self.past.min(count.saturating_sub(1));
    }

    /// The routes to be shown, in their order.
    pub(super) fn routes<'t>(&self, top: &'t Top) -> Vec<&'t Line> {
        let wanted = |r: &&Line| format!("{}/{}/{}", r.provider, r.stream, r.inbox).contains(&self.filter);
        let mut routes: Vec<&Line> = top.routes.iter().filter(wanted).collect();
        let suspicion = |a: &&Line, b: &&Line| b.suspicion.total_cmp(&a.suspicion);
        match self.order {
            Order::Trouble => routes.sort_by(|a, b| a.verdict.rank().cmp(&b.verdict.rank()).then(suspicion(a, b))),
            Order::Suspicion => routes.sort_by(suspicion),
            Order::Silence => routes.sort_by_key(|r| r.last_arrival.unwrap_or(At::from_ms(0))),
            Order::Name => {}
        }
        routes
    }
}
