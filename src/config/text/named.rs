//! What the user named in a group, with its kind.

use std::ops::Range;

use toml_edit::TableLike;

use super::super::complaint::{Fault, Notes, listed, meant, quoted};
use super::super::keys::{self, Table};
use super::super::value::called;
use super::{Section, join, span_of};
use crate::model::Name;

/// What the user named in a group.
pub(in crate::config) struct Named<'t> {
    /// The name; `None` if it is not one, which was complained of.
    pub(in crate::config) name: Option<Name>,
    pub(super) path: String,
    pub(super) span: Range<usize>,
    pub(super) items: &'t dyn TableLike,
    pub(super) notes: &'t Notes<'t>,
}

impl<'t> Named<'t> {
    /// Its own keys, where the group has no kinds.
    pub(in crate::config) fn section(self, table: &'static Table) -> Section<'t> {
        Section::open(self.notes, table, self.path, Some(self.items), self.span)
    }

    /// Its one kind and that one's keys. `None` means that a complaint was made.
    pub(in crate::config) fn kind(self, group: &str) -> Option<(&'static Table, Section<'t>)> {
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
