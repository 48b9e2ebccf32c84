//! Which mailboxes are read: the one with the role `inbox`, and those where junk goes.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::junk_names;
use super::super::trouble::{Trouble, plain};
use super::method::{Api, Failure, read as read_answer};
use crate::model::{Class, Placement};

/// What is asked of each mailbox.
const WHAT: &str = "Mailbox/get";
/// More junk mailboxes than these are not read.
const JUNK_MAX: usize = 8;
/// A mailbox this deep in others is in a circle.
const DEPTH_MAX: usize = 20;

/// A mailbox that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Folder {
    /// The server's id of it.
    pub(super) id: String,
    /// What it is called.
    pub(super) name: String,
    /// What a canary in it is said to be in.
    pub(super) placement: Placement,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mailbox {
    id: String,
    name: String,
    role: Option<String>,
    parent_id: Option<String>,
}

#[derive(Deserialize)]
struct Mailboxes {
    list: Vec<Mailbox>,
}

/// The call that asks for all mailboxes.
pub(super) fn call() -> (&'static str, Value) {
    (WHAT, json!({ "ids": null, "properties": ["id", "name", "role", "parentId"] }))
}

/// Which mailboxes are read, of the answer to [`call`].
pub(super) fn answered(answer: Result<Value, Failure>, junk: Option<&[String]>) -> Result<Vec<Folder>, Trouble> {
    let mailboxes: Mailboxes = read_answer(WHAT, answer.map_err(|failure| failure.into_trouble(WHAT))?)?;
    chosen(&mailboxes.list, junk)
}

/// Asks for the mailboxes that are read.
pub(super) async fn read(api: &Api<'_>, junk: Option<&[String]>) -> Result<Vec<Folder>, Trouble> {
    let answer = api.call(vec![call()]).await?.pop().ok_or(Trouble::Garbled { what: WHAT })?;
    answered(answer, junk)
}

/// The inbox, and the junk mailboxes: those that are named; else those with the role; else those that are called so in any language.
fn chosen(all: &[Mailbox], junk: Option<&[String]>) -> Result<Vec<Folder>, Trouble> {
    let has_role = |mailbox: &Mailbox, role: &str| mailbox.role.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(role));
    let by_name = || all.iter().find(|m| m.parent_id.is_none() && m.name.eq_ignore_ascii_case("inbox"));
    let inbox = all.iter().find(|m| has_role(m, "inbox")).or_else(by_name);
    let Some(inbox) = inbox else {
        return Err(Trouble::Unfit { class: Class::Auth, why: "there is no inbox in the account: may the log-in read its mail?" });
    };
    let by_id: BTreeMap<&str, &Mailbox> = all.iter().map(|mailbox| (mailbox.id.as_str(), mailbox)).collect();
    let others = || all.iter().filter(|mailbox| mailbox.id != inbox.id);
    let mut found: Vec<&Mailbox> = match junk {
        Some(names) => others().filter(|m| names.iter().any(|name| *name == m.name || *name == path(&by_id, m))).collect(),
        None => others().filter(|mailbox| has_role(mailbox, "junk")).collect(),
    };
    if found.is_empty() && junk.is_none() {
        found = others().filter(|mailbox| junk_names::is_junk(&mailbox.name)).collect();
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    let folder = |m: &Mailbox, placement| Folder { id: m.id.clone(), name: plain(&path(&by_id, m)), placement };
    let junk = found.into_iter().take(JUNK_MAX).map(|mailbox| folder(mailbox, Placement::Junk));
    Ok(std::iter::once(folder(inbox, Placement::Inbox)).chain(junk).collect())
}

/// Its name behind those of the mailboxes that it is in: `Lists/Junk`.
fn path(all: &BTreeMap<&str, &Mailbox>, mailbox: &Mailbox) -> String {
    let above = |inner: &&Mailbox| inner.parent_id.as_deref().and_then(|id| all.get(id).copied());
    let mut names: Vec<&str> = std::iter::successors(Some(mailbox), above).take(DEPTH_MAX).map(|m| m.name.as_str()).collect();
    names.reverse();
    names.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox(id: &str, name: &str, role: Option<&str>, parent: Option<&str>) -> Mailbox {
        Mailbox { id: id.to_owned(), name: name.to_owned(), role: role.map(str::to_owned), parent_id: parent.map(str::to_owned) }
    }

    fn names(all: &[Mailbox], junk: Option<&[String]>) -> Vec<String> {
        chosen(all, junk).unwrap().into_iter().map(|folder| folder.name).collect()
    }

    #[test]
    fn roles_go_before_names() {
        let all =
            [mailbox("1", "Posteingang", Some("inbox"), None), mailbox("2", "Spam", None, None), mailbox("3", "Müll", Some("junk"), None)];
        assert_eq!(names(&all, None), ["Posteingang", "Müll"]);
        let without =
            [mailbox("1", "INBOX", None, None), mailbox("2", "Correo no deseado", None, Some("1")), mailbox("3", "Work", None, None)];
        assert_eq!(names(&without, None), ["INBOX", "INBOX/Correo no deseado"]);
    }

    #[test]
    fn named_ones_are_found_by_name_or_path_and_circles_end() {
        let all =
            [mailbox("1", "Inbox", Some("inbox"), None), mailbox("2", "Lists", None, Some("3")), mailbox("3", "Bin", None, Some("2"))];
        assert_eq!(names(&all, Some(&["Bin".to_owned()])).len(), 2);
        let all = [mailbox("1", "Inbox", Some("inbox"), None), mailbox("2", "Lists", None, None), mailbox("3", "Bin", None, Some("2"))];
        assert_eq!(names(&all, Some(&["Lists/Bin".to_owned()])), ["Inbox", "Lists/Bin"]);
        assert_eq!(chosen(&all[1..], None).unwrap_err().class(), Class::Auth);
    }
}
