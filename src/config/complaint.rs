//! What is wrong with a configuration, where, and what to do about it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::Path;

/// More complaints than this are counted, not listed.
const LISTED: usize = 200;
/// Longer values are cut in complaints.
const SHOWN: usize = 60;

/// A position in the text, counted from 1; the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// One complaint, or one warning. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Where; absent if it is not about a place in the text.
    pub place: Option<Place>,
    /// The key's path, as `provider.relay.smtp.tls`; empty if it is about the text as a whole.
    pub key: String,
    /// What is wrong, with the value in backticks.
    pub what: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Complaint {
    /// With the file's name before the place: `FILE:LINE:COLUMN: KEY: WHAT`, and the hint on a line of its own.
    #[must_use]
    pub fn in_file<'a>(&'a self, file: &'a Path) -> impl fmt::Display + 'a {
        InFile { complaint: self, file }
    }
}

struct InFile<'a> {
    complaint: &'a Complaint,
    file: &'a Path,
}

impl fmt::Display for InFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", printable(&self.file.display().to_string()))?;
        if self.complaint.place.is_none() {
            f.write_str(" ")?;
        }
        write!(f, "{}", self.complaint)
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = self.place {
            write!(f, "{}:{}: ", place.line, place.column)?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", printable(&self.key))?;
        }
        f.write_str(&self.what)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// What is wrong with one value, before its place is known.
#[derive(Debug)]
pub(super) struct Fault {
    /// See [`Complaint::what`].
    pub(super) what: String,
    /// See [`Complaint::hint`]; absent: an example of the key is shown.
    pub(super) hint: Option<String>,
}

impl Fault {
    /// A fault whose hint is the key's example.
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None }
    }

    /// A fault with a hint of its own.
    pub(super) fn hinted(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: Some(hint.into()) }
    }
}

/// Collects complaints and warnings while the text is read.
#[derive(Debug)]
pub(super) struct Notes<'t> {
    text: &'t str,
    lines: Vec<usize>,
    complaints: RefCell<Vec<Complaint>>,
    warnings: RefCell<Vec<Complaint>>,
    outside: RefCell<BTreeMap<String, Place>>,
}

impl<'t> Notes<'t> {
    /// No notes on `text` yet.
    pub(super) fn new(text: &'t str) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect();
        Self { text, lines, complaints: RefCell::default(), warnings: RefCell::default(), outside: RefCell::default() }
    }

    /// Where the byte `offset` stands.
    pub(super) fn place(&self, offset: usize) -> Place {
        let line = self.lines.partition_point(|start| *start <= offset).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count()) + 1;
        Place { line, column }
    }

    /// Whether a word begins at `offset` right behind a `=`.
    pub(super) fn is_bare_word(&self, offset: usize) -> bool {
        let behind = |c| self.text.get(..offset).is_some_and(|before| before.trim_end_matches([' ', '\t']).ends_with(c));
        behind('=') && self.text.get(offset..).is_some_and(|rest| rest.starts_with(|c: char| c.is_alphabetic() || c == '/'))
    }

    /// Something that cannot be.
    pub(super) fn refuse(&self, span: &Range<usize>, key: &str, fault: Fault) {
        let place = Some(self.place(span.start));
        self.complaints.borrow_mut().push(Complaint { place, key: key.to_owned(), what: fault.what, hint: fault.hint });
    }

    /// Something that can be and is likely not meant.
    pub(super) fn warn(&self, span: &Range<usize>, key: &str, fault: Fault) {
        let place = Some(self.place(span.start));
        self.warnings.borrow_mut().push(Complaint { place, key: key.to_owned(), what: fault.what, hint: fault.hint });
    }

    /// Remembers where a secret or a file is named, for those who find later that it is not there.
    pub(super) fn outside(&self, span: &Range<usize>, key: &str) {
        self.outside.borrow_mut().insert(key.to_owned(), self.place(span.start));
    }

    /// Complaints, warnings and the places of what is named outside the text; sorted by place.
    pub(super) fn finish(self) -> (Vec<Complaint>, Vec<Complaint>, BTreeMap<String, Place>) {
        (sorted(self.complaints.into_inner()), sorted(self.warnings.into_inner()), self.outside.into_inner())
    }
}

fn sorted(mut complaints: Vec<Complaint>) -> Vec<Complaint> {
    complaints.sort_by(|a, b| (a.place, &a.key).cmp(&(b.place, &b.key)));
    let more = complaints.len().saturating_sub(LISTED);
    complaints.truncate(LISTED);
    if more > 0 {
        complaints.push(Complaint { place: None, key: String::new(), what: format!("and {more} more"), hint: None });
    }
    complaints
}

/// `text` in backticks, fit for a terminal: cut when long, control characters escaped.
pub(super) fn quoted(text: &str) -> String {
    let cut: String = text.chars().take(SHOWN).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("`{}{more}`", printable(&cut))
}

/// `text` with everything escaped that could move a cursor or hide what follows.
pub(super) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}') {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Each word in backticks, with commas.
pub(super) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(quoted).collect::<Vec<_>>().join(", ")
}

/// The one of `known` that `word` was likely meant to be.
pub(super) fn meant<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > 64 {
        return None;
    }
    let word = word.to_lowercase().replace('-', "_");
    let near = known.into_iter().map(|k| (strsim::damerau_levenshtein(&word, &k.replace('-', "_")), k)).min()?;
    (near.0 <= (word.chars().count() / 3).max(1)).then_some(near.1)
}
