//! The top of the text: its tables, lists of tables, and groups of what the user names.

use std::ops::Range;

use toml_edit::{Item, TableLike};

use super::super::complaint::{Fault, Notes, listed, meant, quoted};
use super::super::keys::{self, Table};
use super::super::value::called;
use super::named::Named;
use super::{Section, join, span_of};
use crate::model::{Name, NameError};

/// The whole text, table by table.
pub(in crate::config) struct Root<'t> {
    items: &'t dyn TableLike,
    notes: &'t Notes<'t>,
}

impl<'t> Root<'t> {
    /// Complains of every table at the top that is not in the list.
    pub(in crate::config) fn new(items: &'t dyn TableLike, notes: &'t Notes<'t>) -> Self {
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
    pub(in crate::config) fn single(&self, table: &'static Table) -> Section<'t> {
        let found = self.items.get(table.path).and_then(|item| self.table_at(item, table.path, &span_of(self.items, table.path)));
        Section::open(self.notes, table, table.path.to_owned(), found, span_of(self.items, table.path))
    }

    /// The tables `[[NAME]]`. `None` if there is no such key.
    pub(in crate::config) fn list(&self, table: &'static Table) -> Option<Vec<Section<'t>>> {
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
    pub(in crate::config) fn named(&self, group: &'static str) -> Vec<Named<'t>> {
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
    pub(in crate::config) fn is_silent_on(&self, group: &str) -> bool {
        self.items.get(group).is_none_or(|item| item.as_table_like().is_some_and(TableLike::is_empty))
    }

    /// A complaint about something that is not there at all.
    pub(in crate::config) fn lacking(&self, group: &str, fault: Fault) {
        self.notes.refuse(&span_of(self.items, group), group, fault);
    }

    /// A warning about something that is not there at all, or not enough of it.
    pub(in crate::config) fn warn(&self, group: &str, what: impl Into<String>, hint: impl Into<String>) {
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
