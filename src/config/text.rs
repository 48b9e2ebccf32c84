//! The layer that mirrors the text: tables with their positions, read key by key against the list of keys.

use std::ops::Range;

use toml_edit::{Item, TableLike};

use super::complaint::{Fault, Notes, listed, meant, quoted};
use super::keys::{self, Key, Kind, Need, Table};
use super::value::{self, Take, called};
use crate::model::{Name, NameError};

/// One table of the text, or its absence.
pub(super) struct Section<'t> {
    /// Its path with the user's name, as `provider.relay.smtp`.
    pub(super) path: String,
    /// Its header, or what stands for it.
    pub(super) span: Range<usize>,
    table: &'static Table,
    items: Option<&'t dyn TableLike>,
    notes: &'t Notes<'t>,
}

impl<'t> Section<'t> {
    /// The table of the list at `pattern`, found in the text as `items`. Complains of every key that is not in the list.
    pub(super) fn open(
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
    pub(super) fn get<T: Take>(&self, name: &str) -> Option<T> {
        self.maybe(name)?
    }

    /// The value of a key that may be absent. `None` means that a complaint was made.
    pub(super) fn maybe<T: Take>(&self, name: &str) -> Option<Option<T>> {
        let key = self.table.key(name)?;
        let Some(item) = self.item(name) else { return self.absent(key) };
        match value::check(key.kind, item) {
            Ok(checked) => {
                if matches!(key.kind, Kind::Secret) {
                    self.notes.secret(&self.value_span(name), &join(&self.path, name));
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
            Need::Absent(_) => Some(None),
            Need::Default(text) => T::take(value::check(key.kind, &Item::Value(text.parse().ok()?)).ok()?).map(Some),
            Need::Required => {
                let hint = format!("write it under [{}], for example {} = {}", self.path, key.name, key.example);
                self.notes.refuse(&self.span, &join(&self.path, key.name), Fault::hinted("is missing", hint));
                None
            }
        }
    }

    /// Whether the text has no key here at all.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_none_or(TableLike::is_empty)
    }

    /// Whether the text has this key.
    pub(super) fn has(&self, name: &str) -> bool {
        self.item(name).is_some()
    }

    /// A complaint about one of its keys.
    pub(super) fn refuse(&self, name: &str, fault: Fault) {
        self.notes.refuse(&self.value_span(name), &join(&self.path, name), fault);
    }

    /// A warning about one of its keys.
    pub(super) fn warn(&self, name: &str, what: impl Into<String>, hint: impl Into<String>) {
        self.notes.warn(&self.value_span(name), &join(&self.path, name), Fault::hinted(what, hint));
    }

    /// A warning about all of it.
    pub(super) fn warn_all(&self, what: impl Into<String>, hint: impl Into<String>) {
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

/// A key's path below a table's.
pub(super) fn join(path: &str, name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let name = if plain { name.to_owned() } else { format!("{:?}", name.chars().take(64).collect::<String>()) };
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

/// Where `name` of `table` stands: its key, else the table.
pub(super) fn span_of(table: &dyn TableLike, name: &str) -> Range<usize> {
    let item = table.get(name).filter(|item| item.is_table()).and_then(Item::span);
    item.or_else(|| table.key(name).and_then(toml_edit::Key::span)).unwrap_or(0..0)
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

/// The whole text, table by table.
pub(super) struct Root<'t> {
    items: &'t dyn TableLike,
    notes: &'t Notes<'t>,
}

impl<'t> Root<'t> {
    /// Complains of every table at the top that is not in the list.
    pub(super) fn new(items: &'t dyn TableLike, notes: &'t Notes<'t>) -> Self {
        let known = keys::groups();
        for (name, item) in items.iter() {
            if known.contains(&name) {
                continue;
            }
            let near = meant(name, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
            let inside = keys::TABLES.iter().filter(|_| !item.is_table_like()).find(|t| t.key(name).is_some());
            let hint = inside.map(|t| format!("it belongs under [{}]", t.path)).or(near);
            let hint = hint.unwrap_or_else(|| format!("the tables are {}", listed(known.iter().copied())));
            notes.refuse(&span_of(items, name), &join("", name), Fault::hinted("is not a table that mailcanary knows", hint));
        }
        Self { items, notes }
    }

    /// The table `[NAME]`; absent, it is as if empty.
    pub(super) fn single(&self, table: &'static Table) -> Section<'t> {
        let found = self.items.get(table.path).and_then(|item| self.table_at(item, table.path, &span_of(self.items, table.path)));
        Section::open(self.notes, table, table.path.to_owned(), found, span_of(self.items, table.path))
    }

    /// The tables `[[NAME]]`. `None` if there is no such key.
    pub(super) fn list(&self, table: &'static Table) -> Option<Vec<Section<'t>>> {
        let item = self.items.get(table.path)?;
        let span = span_of(self.items, table.path);
        let mut sections = Vec::new();
        let mut push = |found: &'t dyn TableLike, at: Option<Range<usize>>| {
            let path = format!("{}[{}]", table.path, sections.len() + 1);
            sections.push(Section::open(self.notes, table, path, Some(found), at.unwrap_or_else(|| span.clone())));
        };
        if let Some(tables) = item.as_array_of_tables() {
            tables.iter().for_each(|t| push(t, t.span()));
        } else if let Some(values) = item.as_array().filter(|a| a.iter().all(toml_edit::Value::is_inline_table)) {
            if values.is_empty() {
                let fault = Fault::hinted("the list is empty: nothing would be watched", "leave it out to watch every route");
                self.notes.refuse(&span, table.path, fault);
            }
            values.iter().for_each(|v| {
                if let Some(t) = v.as_inline_table() {
                    push(t, t.span());
                }
            });
        } else {
            let hint = format!("write [[{}]] with two brackets on each side", table.path);
            self.notes.refuse(&span, table.path, Fault::hinted(format!("this is {}, not a list of tables", called(item)), hint));
        }
        Some(sections)
    }

    /// What stands under `[GROUP.…]`: each name, its path, its place and its table.
    pub(super) fn named(&self, group: &'static str) -> Vec<Named<'t>> {
        let Some(item) = self.items.get(group) else { return Vec::new() };
        let Some(table) = self.table_at(item, group, &span_of(self.items, group)) else { return Vec::new() };
        let entries = table.iter().filter_map(|(name, item)| {
            let (path, span) = (join(group, name), span_of(table, name));
            let checked = Name::new(name);
            if let Err(why) = &checked {
                self.notes.refuse(&span, &path, not_a_name(name, why));
            }
            let found = self.table_at(item, &path, &span);
            Some(Named { name: checked.ok(), path, span, items: found?, notes: self.notes })
        });
        entries.collect()
    }

    /// Whether nothing is written about a group, or only an empty table.
    pub(super) fn is_silent_on(&self, group: &str) -> bool {
        self.items.get(group).is_none_or(|item| item.as_table_like().is_some_and(TableLike::is_empty))
    }

    /// A complaint about something that is not there at all.
    pub(super) fn lacking(&self, group: &str, fault: Fault) {
        self.notes.refuse(&span_of(self.items, group), group, fault);
    }

    /// A warning about something that is not there at all, or not enough of it.
    pub(super) fn warn(&self, group: &str, what: impl Into<String>, hint: impl Into<String>) {
        self.notes.warn(&span_of(self.items, group), group, Fault::hinted(what, hint));
    }

    fn table_at(&self, item: &'t Item, path: &str, span: &Range<usize>) -> Option<&'t dyn TableLike> {
        let found = item.as_table_like();
        if found.is_none() {
            self.notes.refuse(
                span,
                path,
                Fault::hinted(format!("this is {}, not a table", called(item)), format!("write [{path}] with its keys below")),
            );
        }
        found
    }
}

fn not_a_name(text: &str, why: &NameError) -> Fault {
    let near = text.to_lowercase().replace(' ', "-");
    let hint = Name::new(&near).map_or_else(|_| why.to_string(), |near| format!("did you mean `{near}`? {why}"));
    Fault::hinted(format!("{} is not a name", quoted(text)), hint)
}

/// What the user named in a group.
pub(super) struct Named<'t> {
    /// The name; `None` if it is not one, which was complained of.
    pub(super) name: Option<Name>,
    path: String,
    span: Range<usize>,
    items: &'t dyn TableLike,
    notes: &'t Notes<'t>,
}

impl<'t> Named<'t> {
    /// Its own keys, where the group has no kinds.
    pub(super) fn section(self, table: &'static Table) -> Section<'t> {
        Section::open(self.notes, table, self.path, Some(self.items), self.span)
    }

    /// Its one kind and that one's keys. `None` means that a complaint was made.
    pub(super) fn kind(self, group: &str) -> Option<(&'static Table, Section<'t>)> {
        let known: Vec<_> = keys::kinds(group).collect();
        let mut found = Vec::new();
        let mut strays = Vec::new();
        for (word, item) in self.items.iter() {
            let (path, span) = (join(&self.path, word), span_of(self.items, word));
            if let Some(table) = known.iter().find(|t| t.last() == word) {
                found.push((*table, path, span, item));
            } else if !item.is_table() && known.iter().any(|t| t.key(word).is_some()) {
                strays.push((word, path, span));
            } else {
                self.notes.refuse(&span, &path, unknown_kind(group, word, &known));
            }
        }
        let Some((table, path, span, item)) = found.first() else {
            if self.items.is_empty() || !strays.is_empty() {
                self.no_kind(group, &known, &strays.iter().map(|(word, ..)| *word).collect::<Vec<_>>());
            }
            return None;
        };
        for (_, path, span) in strays {
            let hint = format!("write it below [{}.{}]", self.path, table.last());
            self.notes.refuse(&span, &path, Fault::hinted(format!("stands outside of the {group}'s kind"), hint));
        }
        for (second, path, span, _) in found.iter().skip(1) {
            let hint = format!("it has `{}` already; give the other a name of its own", table.last());
            self.notes.refuse(span, path, Fault::hinted(format!("`{}` is a second kind of one {group}", second.last()), hint));
        }
        let items = item.as_table_like();
        if items.is_none() {
            let fault = Fault::hinted(format!("this is {}, not a table", called(item)), format!("write [{path}] with its keys below"));
            self.notes.refuse(span, path, fault);
        }
        Some((table, Section::open(self.notes, table, path.clone(), Some(items?), span.clone())))
    }

    /// Complains that no kind is written; the hint is the one that knows most of the keys that are.
    fn no_kind(&self, group: &str, known: &[&'static Table], keys: &[&str]) {
        let fitting = known.iter().max_by_key(|t| keys.iter().filter(|key| t.key(key).is_some()).count()).filter(|_| !keys.is_empty());
        let all = listed(known.iter().map(|t| t.last()));
        let hint = match fitting {
            Some(table) => format!("write [{}.{}] above its keys; the kinds are {all}", self.path, table.last()),
            None => format!("write [{}.KIND], where KIND is one of {all}", self.path),
        };
        self.notes.refuse(&self.span, &self.path, Fault::hinted(format!("this {group} has no kind"), hint));
    }
}

fn unknown_kind(group: &str, word: &str, known: &[&'static Table]) -> Fault {
    let words = || known.iter().map(|t| t.last());
    let near = meant(word, words()).map(|near| format!("did you mean `{near}`?"));
    let hint = near.unwrap_or_else(|| format!("the kinds are {}", listed(words())));
    Fault::hinted(format!("{} is not a kind of {group} that mailcanary knows", quoted(word)), hint)
}
