//! What became of a canary's words on the way: what was sent, and what arrived.

use std::collections::BTreeSet;

use super::body::Body;
use super::footer::short;
use super::head::Head;
use super::names::{host, is_known};
use crate::canary::entities::undone;
use crate::canary::look::links;
use crate::canary::{Composed, without_tokens};
use crate::model::{Added, hides, registrable};

/// The words for what was changed, a closed list: a provider that always does the same is always described alike. Behind what was added stands which.
const SUBJECT_CHANGED: &str = "subject-changed";
const TEXT_MISSING: &str = "text-missing";
const TEXT_ADDED: &str = "text-added";
const TEXT_CUT: &str = "text-cut";
const TEXT_CHANGED: &str = "text-changed";
const HTML_MISSING: &str = "html-missing";
const HTML_ADDED: &str = "html-added";
const HTML_CUT: &str = "html-cut";
const HTML_CHANGED: &str = "html-changed";
const LINKS_REWRITTEN: &str = "links-rewritten";
const ATTACHMENT_ADDED: &str = "attachment-added";

/// Whether a value is one that content may have: a word, and behind what was added perhaps which.
pub(super) fn is_word(value: &str) -> bool {
    let words = [
        SUBJECT_CHANGED,
        TEXT_MISSING,
        TEXT_ADDED,
        TEXT_CUT,
        TEXT_CHANGED,
        HTML_MISSING,
        HTML_ADDED,
        HTML_CUT,
        HTML_CHANGED,
        LINKS_REWRITTEN,
        ATTACHMENT_ADDED,
    ];
    words.contains(&value.split(':').next().unwrap_or_default())
}

/// Characters of what was added that are shown.
const SHOWN: usize = 80;
/// Names in it that are told.
const NAMES: usize = 8;

/// What differs between `sent` and what arrived: the word for it, and what was added, if anything was. Of a mail that was not read to its end
/// nothing is said of what may have stood there.
pub(super) fn changes(sent: &Composed, head: &Head, body: &Body) -> Vec<(String, Option<Added>)> {
    let mut found: Vec<(String, Option<Added>)> = Vec::new();
    if is_another_subject(sent, head) {
        found.push((SUBJECT_CHANGED.to_owned(), None));
    }
    if body.others > 0 {
        found.push((ATTACHMENT_ADDED.to_owned(), None));
    }
    if body.cut {
        return found;
    }
    let [missing, added, cut, changed] = [TEXT_MISSING, TEXT_ADDED, TEXT_CUT, TEXT_CHANGED];
    found.extend(difference(&words(&sent.text), body.texts.iter().map(|text| words(text)), missing, added, cut, changed));
    let [missing, added, cut, changed] = [HTML_MISSING, HTML_ADDED, HTML_CUT, HTML_CHANGED];
    let seen = |page: &str| words(&visible(page));
    found.extend(difference(&seen(&sent.html), body.pages.iter().map(|page| seen(page)), missing, added, cut, changed));

    let whole = |text: &str, at: &[String]| links(text).iter().all(|host| at.contains(host));
    let in_text: Vec<String> = body.texts.iter().flat_map(|text| links(text)).collect();
    let in_pages: Vec<String> = body.pages.iter().flat_map(|page| links(&undone(page))).collect();
    let kept = (body.texts.is_empty() || whole(&sent.text, &in_text)) && (body.pages.is_empty() || whole(&sent.html, &in_pages));
    let any = !in_text.is_empty() || !in_pages.is_empty();
    if any && !kept {
        found.push((LINKS_REWRITTEN.to_owned(), None));
    }
    found
}

fn is_another_subject(sent: &Composed, head: &Head) -> bool {
    !head.subject.is_empty() && head.subject != spaced(&without_tokens(&sent.subject))
}

fn difference(
    sent: &str,
    arrived: impl Iterator<Item = String>,
    missing: &'static str,
    added: &'static str,
    cut: &'static str,
    changed: &'static str,
) -> Option<(String, Option<Added>)> {
    let arrived = arrived.collect::<Vec<_>>().join(" ");
    if arrived.is_empty() {
        return Some((missing.to_owned(), None));
    }
    if arrived == sent {
        None
    } else if let Some((before, after)) = arrived.split_once(sent) {
        let more = format!("{before} {after}");
        Some((format!("{added}:{:08x}", short(&more)), Some(Added { words: shown(&more), names: names(&more) })))
    } else if sent.contains(&arrived) {
        Some((cut.to_owned(), None))
    } else {
        Some((changed.to_owned(), None))
    }
}

/// Somebody else's words as they can be shown: one line, in which nothing hides or commands.
fn shown(words: &str) -> String {
    let safe = |c: char| if c.is_control() || hides(c) { '?' } else { c };
    let line = spaced(words);
    let mut text: String = line.chars().take(SHOWN).map(safe).collect();
    if line.chars().nth(SHOWN).is_some() {
        text.push('\u{2026}');
    }
    text
}

/// Whose names stand in words, as hosts or behind the sign of an address, whichever way that is written.
fn names(words: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for word in words.split(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))).filter(|word| word.contains('.')) {
        if found.len() >= NAMES {
            break;
        }
        found.extend(host(word.trim_matches('.')).filter(|name| is_known(name)).map(|name| registrable(&name).to_owned()));
    }
    found
}

/// The words of a text, with each link as one word that says no more: that links were rewritten is told apart.
fn words(text: &str) -> String {
    let plain = without_tokens(text);
    let word = |word: &str| {
        let bare = word.trim_start_matches(['<', '(', '[']);
        let link = ["http://", "https://"].iter().any(|scheme| bare.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme)));
        if link { "*".to_owned() } else { word.to_owned() }
    };
    plain.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

/// What a person sees of a page: no tags, no styles, the entities that we write undone.
fn visible(page: &str) -> String {
    let mut out = String::with_capacity(page.len());
    let mut rest = page;
    while let Some((text, tagged)) = rest.split_once('<') {
        out.push_str(text);
        out.push(' ');
        let skipped = ["style", "script", "title", "!--"]
            .into_iter()
            .find(|tag| tagged.get(..tag.len()).is_some_and(|t| t.eq_ignore_ascii_case(tag)));
        let end = match skipped {
            Some("!--") => "-->",
            Some(_) => "</",
            None => ">",
        };
        let after = tagged.split_once(end).map_or("", |(_, after)| after);
        rest = if end == "</" { after.split_once('>').map_or("", |(_, after)| after) } else { after };
    }
    out.push_str(rest);
    // A mail-client's blanks, and what the parser of another host may have written instead of a letter.
    [
        ("&nbsp;", " "),
        ("&#160;", " "),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ]
    .into_iter()
    .fold(out, |text, (entity, plain)| text.replace(entity, plain))
}

fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_words_are_found_however_they_are_written() {
        for (words, whose) in [
            ("please go to evil-login.com/reset now", "evil-login.com"),
            ("write to spy\u{ff20}mail.arxxwalls.com.", "arxxwalls.com"),
            ("ftp://Evil.com/x", "evil.com"),
        ] {
            assert!(names(words).into_iter().eq([whose.to_owned()]), "{words}");
        }
        assert!(names("Sale! At 9.30, v1.2, e.g. now... * a@b").is_empty());
    }

    #[test]
    fn words_are_shown_in_one_line_and_cut() {
        let evil = format!("a\u{1b}[2J\u{202e} \n b{}", "x".repeat(500));
        let shown = shown(&evil);
        assert!(shown.starts_with("a?[2J? bxx") && shown.chars().count() == SHOWN + 1, "{shown}");
    }
}
