//! Every key there is, once: from here come the check for unknown keys, the defaults, the reference configuration and the JSON Schema.

mod blocklists;
mod budget;
mod drill;
mod general;
mod heartbeats;
mod inboxes;
mod mail;
mod maintenance;
mod public;
mod senders;
mod signs;
mod sinks;
mod tables;
mod trigger;

use general::INBOXES;
pub(super) use tables::TABLES;

/// A table of the configuration.
#[derive(Debug)]
pub(super) struct Table {
    /// Its path; `NAME` stands for a name that the user gives.
    pub(super) path: &'static str,
    /// The name used in examples, where the path has `NAME`.
    pub(super) name: &'static str,
    /// What it is, in plain sentences.
    pub(super) doc: &'static str,
    /// Whether the reference configuration shows it as being there (others are commented out).
    pub(super) shown: bool,
    /// Its keys, in groups that tables may share.
    pub(super) groups: &'static [&'static [Key]],
}

/// One key of a table.
#[derive(Debug)]
pub(super) struct Key {
    /// Its name.
    pub(super) name: &'static str,
    /// What its value may be.
    pub(super) kind: Kind,
    /// What its absence means.
    pub(super) need: Need,
    /// A valid value, as TOML.
    pub(super) example: &'static str,
    /// What it is and why one would change it, in plain sentences.
    pub(super) doc: &'static str,
}

/// What the absence of a key means.
#[derive(Clone, Copy, Debug)]
pub(super) enum Need {
    /// It must be there.
    Required,
    /// The same as this value, as TOML.
    Default(&'static str),
    /// What this says.
    Absent(&'static str),
    /// That another key stands for it, as this says; the reference configuration has it.
    Instead(&'static str),
}

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// One line of text with at most so many characters; never empty.
    Line(usize),
    /// One word without spaces or slashes, for keys and labels.
    Label,
    /// A duration, at least and at most so many milliseconds.
    Duration(u64, u64),
    /// So many per day, month or year.
    Rate,
    /// A percentage.
    Share,
    /// `true` or `false`.
    Flag,
    /// A whole number from 1 up to this.
    Count(u32),
    /// A number that is not negative.
    Amount,
    /// A TCP port that can be connected to.
    Port,
    /// A host name or an address.
    Host,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Some of these words, each once.
    Words(&'static [&'static str]),
    /// An address with an optional display name.
    Mailbox,
    /// An address.
    Address,
    /// A list of addresses.
    Addresses,
    /// A web address; the flag says whether it is a base to which paths are added.
    Url {
        /// Whether paths are added, so that it may not have a query.
        base: bool,
    },
    /// A list of base web addresses.
    Urls,
    /// A file or folder.
    Path,
    /// Where a secret is.
    Secret,
    /// An IP address.
    Ip,
    /// A proxy's address.
    Proxy,
    /// Where to listen, or `off`.
    Listen,
    /// A list of lines of text.
    Lines,
    /// A program and its arguments.
    Argv,
    /// A name or pattern, or a list of them.
    Patterns,
    /// A table of texts by name.
    Pairs,
    /// A web address with placeholders behind its host.
    UrlToFill,
    /// A text of one or more lines, of at most so many bytes.
    Text(usize),
    /// A table of headers: texts, or where secrets are.
    Headers,
    /// A status, a range of them, or a list of these.
    Statuses,
    /// Hours of the week, or a list of them.
    Hours,
    /// A place of the time zone database.
    Zone,
    /// An instant, with its offset from UTC.
    Instant,
    /// A day, which begins in UTC.
    Day,
}

impl Table {
    /// Its keys, in the order of the reference.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'static Key> + use<> {
        self.groups.iter().copied().flatten()
    }

    /// The key of this name.
    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys().find(|k| k.name == name)
    }

    /// Its path with the example's name in place of `NAME`.
    pub(super) fn example_path(&self) -> String {
        self.path.replace("NAME", self.name)
    }

    /// The last part of its path: the kind, where the user's name stands before it.
    pub(super) fn last(&self) -> &'static str {
        self.path.rsplit('.').next().unwrap_or(self.path)
    }
}

/// The table at this path.
pub(super) fn table(path: &str) -> Option<&'static Table> {
    TABLES.iter().find(|t| t.path == path)
}

/// The kinds of a group: the tables at `GROUP.NAME.KIND`.
pub(super) fn kinds(group: &str) -> impl Iterator<Item = &'static Table> + use<'_> {
    TABLES.iter().filter(move |t| t.path.strip_prefix(group).is_some_and(|rest| rest.starts_with(".NAME.")))
}

/// The names that may stand at the top of the file.
pub(super) fn groups() -> Vec<&'static str> {
    let mut names: Vec<_> = TABLES.iter().filter_map(|t| t.path.split('.').next()).collect();
    names.dedup();
    names
}
