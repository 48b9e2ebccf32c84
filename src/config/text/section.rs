//! One table of the text, read key by key.

use std::ops::Range;

use toml_edit::{Item, TableLike};

use super::super::complaint::{Fault, Notes, listed, meant};
use super::super::keys::{self, Key, Kind, Need, Table};
use super::super::value::{self, Take};
use super::join;

/// One table of the text, or its absence.
pub(in crate::config) struct Section<'t> {
    /// Its path with the user's name, as `provider.relay.smtp`.
    pub(in crate::config) path: String,
    /// Its header, or what stands for it.
    pub(in crate::config) span: Range<usize>,
    table: &'static Table,
    items: Option<&'t dyn TableLike>,
    notes: &'t Notes<'t>,
}

impl<'t> Section<'t> {
    /// The table of the list at `pattern`, found in the text as `items`. Complains of every key that is not in the list.
    pub(in crate::config) fn open(
        notes: &'t Notes<'t>,
        table: &'static Table,
        path: String,
        items: Option<&'t dyn TableLike>,
        span: Range<usize>,
    ) -> Self {
        let section = Self { path, span, table, items, notes };
        for (name, _) in items.into_iter().flat_map(TableLike::iter) {
            if table.key(name).is_none() {
                notes.refuse(&section.key_span(name), &join(&section.path, name), unknown_key(table, name));
            }
        }
        section
    }

    /// The value of a key that is required or has a default. `None` means that a complaint was made.
    pub(in crate::config) fn get<T: Take>(&self, name: &str) -> Option<T> {
        self.maybe(name)?
    }

    /// The value of a key that may be absent. `None` means that a complaint was made.
    pub(in crate::config) fn maybe<T: Take>(&self, name: &str) -> Option<Option<T>> {
        let key = self.table.key(name)?;
        let Some(item) = self.item(name) else { return self.absent(key) };
        match value::check(key.kind, item) {
            Ok(checked) => {
                if matches!(key.kind, Kind::Secret | Kind::Path | Kind::Headers) {
                    self.notes.outside(&self.value_span(name), &join(&self.path, name));
                }
                T::take(checked).map(Some)
            }
            Err(fault) => {
                self.refuse(name, with_example(key, fault));
                None
            }
        }
    }

    /// What stands for a key that is not in the text.
    fn absent<T: Take>(&self, key: &Key) -> Option<Option<T>> {
        match key.need {
            Need::Absent(_) | Need::Instead(_) => Some(None),
            Need::Default(text) => T::take(value::check(key.kind, &Item::Value(text.parse().ok()?)).ok()?).map(Some),
            Need::Required => {
                let hint = format!("write it under [{}], for example {} = {}", self.path, key.name, key.example);
                self.notes.refuse(&self.span, &join(&self.path, key.name), Fault::hinted("is missing", hint));
                None
            }
        }
    }

    /// Whether the text has no key here at all.
    pub(in crate::config) fn is_empty(&self) -> bool {
        self.items.is_none_or(TableLike::is_empty)
    }

    /// The value of a key that another reader complains of, if it has a good one.
    pub(in crate::config) fn peek<T: Take>(&self, name: &str) -> Option<T> {
        T::take(value::check(self.table.key(name)?.kind, self.item(name)?).ok()?)
    }

    /// A complaint about a key that is not there.
    pub(in crate::config) fn lacking(&self, name: &str, fault: Fault) {
        self.notes.refuse(&self.span, &join(&self.path, name), fault);
    }

    /// Whether a table of this kind can have this key.
    pub(in crate::config) fn takes(&self, name: &str) -> bool {
        self.table.key(name).is_some()
    }

    /// Whether the text has this key.
    pub(in crate::config) fn has(&self, name: &str) -> bool {
        self.item(name).is_some()
    }

    /// Whether a table of this kind may have this key.
    pub(in crate::config) fn knows(&self, name: &str) -> bool {
        self.table.key(name).is_some()
    }

    /// A complaint about one of its keys.
    pub(in crate::config) fn refuse(&self, name: &str, fault: Fault) {
        self.notes.refuse(&self.value_span(name), &join(&self.path, name), fault);
    }

    /// A warning about one of its keys.
    pub(in crate::config) fn warn(&self, name: &str, what: impl Into<String>, hint: impl Into<String>) {
        self.notes.warn(&self.value_span(name), &join(&self.path, name), Fault::hinted(what, hint));
    }

    /// A warning about all of it.
    pub(in crate::config) fn warn_all(&self, what: impl Into<String>, hint: impl Into<String>) {
        self.notes.warn(&self.span, &self.path, Fault::hinted(what, hint));
    }

    fn item(&self, name: &str) -> Option<&'t Item> {
        self.items?.get(name).filter(|item| !item.is_none())
    }

    fn key_span(&self, name: &str) -> Range<usize> {
        self.items.and_then(|t| t.key(name)).and_then(toml_edit::Key::span).unwrap_or_else(|| self.span.clone())
    }

    fn value_span(&self, name: &str) -> Range<usize> {
        self.item(name).and_then(Item::span).unwrap_or_else(|| self.key_span(name))
    }
}

fn with_example(key: &Key, fault: Fault) -> Fault {
    let hint = fault.hint.unwrap_or_else(|| format!("for example {} = {}", key.name, key.example));
    Fault::hinted(fault.what, hint)
}

/// A key that is not in the list: the near one, the place where it belongs, or all there are.
fn unknown_key(table: &Table, name: &str) -> Fault {
    let here = || table.keys().map(|k| k.name);
    let elsewhere = || keys::TABLES.iter().find(|t| t.key(name).is_some()).map(|t| format!("it belongs under [{}]", t.path));
    let near = meant(name, here()).map(|near| format!("did you mean `{near}`?"));
    let hint = near.or_else(elsewhere).unwrap_or_else(|| format!("the keys here are {}", listed(here())));
    Fault::hinted("is not a key that mailcanary knows", hint)
}
