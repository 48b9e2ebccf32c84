//! Which folders are read: `INBOX`, those where junk goes, and at Gmail the one that has everything.

use super::trouble::plain;
use super::{junk_names, mutf7};
use crate::model::Placement;

/// More junk folders than these are not read: each costs a look every ten seconds.
const JUNK_MAX: usize = 8;

/// A folder that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Folder {
    /// Its name on the wire.
    pub(super) wire: String,
    /// What a canary in it is said to be in.
    pub(super) placement: Placement,
}

impl Folder {
    /// `INBOX`, which every account has.
    pub(super) fn inbox() -> Self {
        Self { wire: "INBOX".to_owned(), placement: Placement::Inbox }
    }

    fn junk(wire: String) -> Self {
        Self { wire, placement: Placement::Junk }
    }

    /// What Gmail's filters keep out of `INBOX`.
    fn filed(wire: String) -> Self {
        Self { wire, placement: Placement::Other }
    }

    /// The name for people.
    pub(super) fn name(&self) -> String {
        plain(&mutf7::decode(&self.wire))
    }
}

/// One line of a `LIST`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Listed {
    /// Its name on the wire.
    pub(super) wire: String,
    /// What separates the parts of its path.
    pub(super) delimiter: Option<String>,
    /// Marked `\Junk` (RFC 6154), or `\Spam` as by the old XLIST.
    pub(super) junk: bool,
    /// Marked `\All` (RFC 6154), or `\AllMail` as by the old XLIST.
    pub(super) all: bool,
    /// Can be opened.
    pub(super) selectable: bool,
}

impl Listed {
    fn last_part(&self) -> String {
        let name = mutf7::decode(&self.wire);
        match self.delimiter.as_deref() {
            Some(delimiter) if !delimiter.is_empty() => name.rsplit(delimiter).next().unwrap_or_default().to_owned(),
            Some(_) | None => name,
        }
    }
}

/// The junk folders that the configuration names.
pub(super) fn configured(names: &[String]) -> Vec<Folder> {
    let not_inbox = |name: &&String| !name.eq_ignore_ascii_case("INBOX");
    names.iter().filter(not_inbox).take(JUNK_MAX).map(|name| Folder::junk(mutf7::encode(name))).collect()
}

/// The junk folders among `listed`: those that are marked; if none is, those that are called so in any language.
pub(super) fn junk(listed: &[Listed]) -> Vec<Folder> {
    let candidates = || listed.iter().filter(|l| l.selectable && !l.wire.eq_ignore_ascii_case("INBOX"));
    let mut found: Vec<_> = candidates().filter(|l| l.junk).collect();
    if found.is_empty() {
        found = candidates().filter(|l| junk_names::is_junk(&l.last_part())).collect();
    }
    found.sort_by(|a, b| a.wire.cmp(&b.wire));
    found.dedup_by(|a, b| a.wire == b.wire);
    found.into_iter().take(JUNK_MAX).map(|l| Folder::junk(l.wire.clone())).collect()
}

/// The folder among `listed` that has all mail.
pub(super) fn all_mail(listed: &[Listed]) -> Option<Folder> {
    let all = listed.iter().find(|l| l.selectable && l.all && !l.junk && !l.wire.eq_ignore_ascii_case("INBOX"))?;
    Some(Folder::filed(all.wire.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(wire: &str, delimiter: &str, junk: bool) -> Listed {
        Listed { wire: wire.to_owned(), delimiter: Some(delimiter.to_owned()), junk, all: false, selectable: true }
    }

    fn names(listed: &[Listed]) -> Vec<String> {
        junk(listed).iter().map(Folder::name).collect()
    }

    #[test]
    fn marked_folders_win_and_there_may_be_several() {
        let found = names(&[listed("INBOX", "/", false), listed("Spam", "/", false), listed("B", "/", true), listed("A", "/", true)]);
        assert_eq!(found, ["A", "B"]);
    }

    #[test]
    fn without_a_mark_the_last_part_of_the_name_decides() {
        let found = names(&[
            listed("INBOX.Spam", ".", false),
            listed("[Google Mail]/Spam", "/", false),
            listed("Correo no deseado", "/", false),
            listed("Unerw&APw-nscht", "/", false),
            listed("Spam/2024", "/", false),
            listed("INBOX", "/", false),
        ]);
        assert_eq!(found, ["Correo no deseado", "INBOX.Spam", "Unerwünscht", "[Google Mail]/Spam"]);
    }

    #[test]
    fn what_cannot_be_opened_is_not_read() {
        let closed = Listed { selectable: false, ..listed("Junk", "/", true) };
        assert!(junk(&[closed]).is_empty());
    }

    #[test]
    fn configured_names_are_encoded() {
        let wires: Vec<_> = configured(&["Спам".to_owned(), "inbox".to_owned()]).into_iter().map(|f| f.wire).collect();
        assert_eq!(wires, ["&BCEEPwQwBDw-"]);
    }
}
