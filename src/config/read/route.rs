//! `[[route]]`: what of the product of providers, streams and inboxes is watched.

use std::collections::BTreeSet;

use super::super::complaint::{Fault, listed, meant, quoted};
use super::super::keys;
use super::super::text::{Root, Section};
use crate::model::{Name, Route};

/// More routes than this are refused: each has its series, its history and its share of the mail.
const MOST: usize = 20_000;

/// The full product, or the union of what the tables name. `None` means that a complaint was made.
pub(super) fn routes(root: &Root<'_>, providers: &[Name], streams: &[Name], inboxes: &[Name]) -> Option<Vec<Route>> {
    let mut routes = BTreeSet::new();
    let Some(tables) = root.list(keys::table("route")?) else {
        let all = |names: &[Name]| names.to_vec();
        let fits = add(&mut routes, &all(providers), &all(streams), &all(inboxes));
        return if fits { some(routes) } else { too_many(root, providers.len(), streams.len(), inboxes.len()) };
    };
    let mut whole = true;
    for table in &tables {
        if table.is_empty() {
            let hint = "name a provider, a stream or an inbox, or leave [[route]] out";
            table.refuse("provider", Fault::hinted("this route narrows nothing: it is every route there is", hint));
            whole = false;
        }
        let chosen = [select(table, "provider", providers), select(table, "stream", streams), select(table, "inbox", inboxes)];
        let [Some(p), Some(s), Some(i)] = chosen else {
            whole = false;
            continue;
        };
        if !add(&mut routes, &p, &s, &i) {
            return too_many(root, p.len(), s.len(), i.len());
        }
    }
    if whole { some(routes) } else { None }
}

fn some(routes: BTreeSet<Route>) -> Option<Vec<Route>> {
    (!routes.is_empty()).then(|| routes.into_iter().collect())
}

/// Adds a product; false if there would be too many.
fn add(routes: &mut BTreeSet<Route>, providers: &[Name], streams: &[Name], inboxes: &[Name]) -> bool {
    for provider in providers {
        for stream in streams {
            for inbox in inboxes {
                routes.insert(Route { provider: provider.clone(), stream: stream.clone(), inbox: inbox.clone() });
                if routes.len() > MOST {
                    return false;
                }
            }
        }
    }
    true
}

fn too_many(root: &Root<'_>, providers: usize, streams: usize, inboxes: usize) -> Option<Vec<Route>> {
    let what = format!("{providers} × {streams} × {inboxes} is more than {MOST} routes");
    root.lacking("route", Fault::hinted(what, "narrow them with [[route]], or share them among several installations"));
    None
}

/// The names that a table's key selects; all of them if it is absent.
pub(super) fn select(table: &Section<'_>, key: &str, names: &[Name]) -> Option<Vec<Name>> {
    let Some(patterns) = table.maybe::<Vec<String>>(key)? else { return Some(names.to_vec()) };
    let mut chosen = BTreeSet::new();
    let mut whole = true;
    for pattern in &patterns {
        let before = chosen.len();
        let mut hits = names.iter().filter(|name| matches(pattern, name.as_str())).peekable();
        if hits.peek().is_none() {
            whole = false;
            table.refuse(key, nothing(key, pattern, names));
            continue;
        }
        chosen.extend(hits.cloned());
        if chosen.len() == before {
            table.warn(key, format!("{} adds nothing to what stands before it", quoted(pattern)), "leave it out");
        }
    }
    whole.then(|| chosen.into_iter().collect())
}

/// There is nothing of this name or like this pattern.
pub(super) fn nothing(key: &str, pattern: &str, names: &[Name]) -> Fault {
    let known = || names.iter().map(Name::as_str);
    let what = if pattern.contains('*') {
        format!("no {key}'s name is like {}", quoted(pattern))
    } else {
        format!("there is no {key} {}", quoted(pattern))
    };
    let near = meant(pattern, known()).map(|near| format!("did you mean `{near}`?"));
    let hint = near.unwrap_or_else(|| {
        if names.is_empty() { format!("write [{key}.{pattern}]") } else { format!("there are {}", listed(known().take(20))) }
    });
    Fault::hinted(what, hint)
}

/// Whether `name` is `pattern`, in which `*` stands for any characters.
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let tail = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = name.split_once(part) else { return false };
        name = after;
    }
    name.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name) in
            [("a", "a"), ("*", "a"), ("a*", "a"), ("*a", "ba"), ("a*c", "abc"), ("a*b*c", "a-b-c"), ("**", "x"), ("a*a", "aa")]
        {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("a", "b"), ("a*", "ba"), ("a*a", "a"), ("a*b*c", "a-c"), ("", "a"), ("*ab*ab", "xab")] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}
