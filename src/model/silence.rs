//! Silences: what people do not want to hear of for a while.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{At, Culprit, Kind, Name};

/// Which incidents are meant: all that is given must fit. Nothing given fits every incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// The culprit is this provider, or a part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Name>,
    /// The culprit is this stream, of whichever provider, or a route of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<Name>,
    /// The culprit is this inbox, or a route to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbox: Option<Name>,
    /// The failure is of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
}

impl Which {
    /// Whether an incident is meant. What is larger than what is given is not: a provider's silence does not hide that nothing arrives at
    /// all.
    #[must_use]
    pub fn fits(&self, kind: Kind, culprit: &Culprit) -> bool {
        let (provider, stream, inbox) = culprit.parts();
        let same = |wanted: &Option<Name>, is: Option<&Name>| wanted.as_ref().is_none_or(|wanted| is == Some(wanted));
        same(&self.provider, provider)
            && same(&self.stream, stream)
            && same(&self.inbox, inbox)
            && self.kind.is_none_or(|wanted| wanted == kind)
    }
}

/// `provider a, kind slow`, or `everything`.
impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [("provider", &self.provider), ("stream", &self.stream), ("inbox", &self.inbox)];
        let mut given: Vec<String> = names.iter().filter_map(|(what, name)| Some(format!("{what} {}", name.as_ref()?))).collect();
        given.extend(self.kind.map(|kind| format!("kind {}", kind.as_str())));
        f.write_str(&if given.is_empty() { "everything".to_owned() } else { given.join(", ") })
    }
}

/// A silence: from when until when which incidents are not told of, who wants it so, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Its number.
    pub silence: u64,
    /// What it is about.
    pub which: Which,
    /// When it begins.
    pub from: At,
    /// When it ends.
    pub until: At,
    /// Who wants it.
    pub by: String,
    /// Why.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    #[test]
    fn a_silence_covers_what_it_names_and_its_parts_and_nothing_larger() {
        let a = Which { provider: Some(name("a")), ..Which::default() };
        let route = Culprit::Route(name("a"), name("s"), name("i"));
        assert!(a.fits(Kind::Stopped, &Culprit::Provider(name("a"))) && a.fits(Kind::Slow, &route));
        assert!(a.fits(Kind::Loss, &Culprit::Stream(name("a"), name("s"))));
        for other in [Culprit::Provider(name("b")), Culprit::Inbox(name("i")), Culprit::Watcher {}] {
            assert!(!a.fits(Kind::Stopped, &other), "{other}");
        }
        let slow = Which { kind: Some(Kind::Slow), inbox: Some(name("i")), ..Which::default() };
        assert!(slow.fits(Kind::Slow, &route) && slow.fits(Kind::Slow, &Culprit::Inbox(name("i"))));
        assert!(!slow.fits(Kind::Stopped, &route) && !slow.fits(Kind::Slow, &Culprit::Provider(name("a"))));
        assert_eq!((slow.to_string(), Which::default().to_string()), ("inbox i, kind slow".to_owned(), "everything".to_owned()));
        assert!(Which::default().fits(Kind::Blind, &Culprit::Watcher {}));
    }
}
