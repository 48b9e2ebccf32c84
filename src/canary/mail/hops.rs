//! The way of a mail: its `Received` fields in the order in which they were written, and where it came to its receiver.

use std::collections::{BTreeSet, VecDeque};

use super::fields::unfolded;
use super::names::{host, is_public, network, organisation};
use super::strangers::sends_for_many;
use super::trace::Trace;
use crate::model::{At, Hop, Side};

/// Hops that are kept, half of them the first and half the last.
const KEPT: usize = 32;
/// Names of one receiver that are taken in.
const HOUSES: usize = 16;
/// Hops from the receiver back that make a way, and its bytes.
const WAY: usize = 6;
const WAY_LONGEST: usize = 253;
/// Names that one receiver's hosts are under, of receivers that are known; of others it is learnt from the inbox.
const FAMILIES: [&[&str]; 9] = [
    &["outlook.com", "exchangelabs.com", "office365.com", "microsoft.com"],
    &["google.com", "googlemail.com", "gmail.com"],
    &["icloud.com", "me.com", "mac.com", "apple.com"],
    &["yahoo.com", "aol.com", "yahoodns.net", "yahoomail.com"],
    &["pphosted.com", "ppops.net"],
    &["messagingengine.com", "fastmail.com"],
    &["gmx.net", "gmx.com", "web.de"],
    &["proton.me", "protonmail.com", "protonmail.ch"],
    &["mimecast.com", "mimecast.co.za"],
];

/// The `Received` fields of a mail as they stand in it: the last hop first. Of a mail that has more than 32, the ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Way {
    last: Vec<Trace>,
    first: Vec<Trace>,
    /// Whose hosts are the receiver's own, besides those of its family.
    houses: BTreeSet<String>,
}

/// The fields of a way that are kept while a header is read; nothing of the others is looked at.
#[derive(Default)]
pub(super) struct Ends<'x> {
    last: Vec<&'x [u8]>,
    first: VecDeque<&'x [u8]>,
}

impl<'x> Ends<'x> {
    /// Takes the next field.
    pub(super) fn push(&mut self, value: &'x [u8]) {
        if self.last.len() < KEPT / 2 {
            self.last.push(value);
            return;
        }
        if self.first.len() == KEPT / 2 {
            self.first.pop_front();
        }
        self.first.push_back(value);
    }

    /// Reads what was kept.
    pub(super) fn read(&self) -> Way {
        let read = |value: &&[u8]| Trace::read(&unfolded(value));
        Way { last: self.last.iter().map(read).collect(), first: self.first.iter().map(read).collect(), houses: BTreeSet::new() }
    }
}

impl Way {
    /// Takes the hosts of these for the receiver's own, and those of whoever wrote the topmost field. A service that sends for many hands over what is
    /// others', and so do the hosts `but` these.
    pub(super) fn belong_to<'h>(&mut self, hosts: impl Iterator<Item = &'h str>, but: &[String]) {
        let top = self.last.first().map(|trace| trace.by.clone());
        let all = hosts.filter_map(host).chain(top.as_deref().and_then(host)).map(|name| family(&name).to_owned());
        let is_other = |whose: &String| sends_for_many(whose) || but.contains(whose);
        self.houses.extend(all.filter(|whose| !is_other(whose)).take(HOUSES));
    }

    /// Which of the fields was written when the mail came from somebody else to its receiver: the topmost that names a stranger with a
    /// public address. What stands above it was written by the receiver itself, what stands below it can be anybody's invention.
    ///
    /// Where no address is public, as on one host or within one network, the topmost that was not written between the parts of one server.
    pub(super) fn border(&self) -> Option<(usize, &Trace)> {
        let handed = |(_, t): &(usize, &Trace)| t.address.is_some() && !t.with.to_ascii_uppercase().starts_with("LMTP");
        let all = || self.last.iter().enumerate().filter(handed);
        all().find(|(_, t)| is_handed_over(t) && !self.is_at_home(t)).or_else(|| all().next())
    }

    /// Whether both ends of a hop are the receiver's, by the name that its writer found out: what the other calls itself proves nothing.
    fn is_at_home(&self, trace: &Trace) -> bool {
        let mine = |name: &str| self.houses.contains(family(name));
        trace.name.as_deref().is_some_and(mine) && mine(&trace.by)
    }

    /// Who wrote the topmost field that names its writer.
    pub(super) fn receivers(&self) -> impl Iterator<Item = &str> {
        let up_to = self.border().map_or(0, |(at, _)| at.saturating_add(1));
        self.last.iter().take(up_to).map(|t| t.by.as_str()).filter(|by| by.contains('.'))
    }

    /// By whose hosts it came to its receiver, the last first: from the border back to each host that wrote down that it had the mail.
    /// Each way goes one host further back than the one before it.
    pub(super) fn ways(&self) -> Vec<String> {
        let Some((border, trace)) = self.border() else { return Vec::new() };
        let (mut way, mut all) = (whose(trace), Vec::new());
        for trace in self.last.iter().skip(border.saturating_add(1)).take(WAY) {
            let by = if trace.by.contains('.') { organisation(&trace.by) } else { &trace.by };
            way = format!("{way} {by}");
            if by.is_empty() || way.len() > WAY_LONGEST {
                break;
            }
            all.push(way.clone());
            way = format!("{way} {}", whose(trace));
        }
        all
    }

    /// The whole of it, back to the host that had the mail first; nothing where that is too far, or wrote nothing down.
    pub(super) fn whole(&self) -> Option<String> {
        let (border, _) = self.border()?;
        let hops = self.last.len().checked_sub(border.saturating_add(1)).filter(|hops| self.first.is_empty() && *hops > 0)?;
        self.ways().into_iter().nth(hops.saturating_sub(1))
    }

    /// To whom its hosts say that it was.
    pub(super) fn recipients(&self) -> impl Iterator<Item = &str> {
        self.last.iter().chain(&self.first).filter_map(|trace| trace.to.as_deref())
    }

    /// The same of those on whose way it was before its receiver had it.
    pub(super) fn promised(&self) -> impl Iterator<Item = &str> {
        let below = self.border().map_or(usize::MAX, |(at, _)| at.saturating_add(1));
        let first = self.first.iter().filter(move |_| below < usize::MAX);
        self.last.iter().skip(below).chain(first).filter_map(|trace| trace.to.as_deref())
    }

    /// The hops in the order of travel, each with whose it is. What each took is since the one before it, or since `sent_at`; where clocks
    /// differ, nothing.
    pub(super) fn hops(&self, sent_at: Option<At>) -> Vec<Hop> {
        let all = || self.first.iter().rev().chain(self.last.iter().rev());
        let count = self.first.len().saturating_add(self.last.len());
        let border = self.border().and_then(|(at, _)| count.checked_sub(at)?.checked_sub(1));
        let leaves = border.map(|border| all().take(border).skip(1).position(is_handed_over).map_or(border, |at| at.saturating_add(1)));
        let side = |place: usize| match (border, leaves) {
            (Some(border), _) if place >= border => Some(Side::Receiver),
            (Some(_), Some(leaves)) if place >= leaves => Some(Side::Between),
            (Some(_), _) => Some(Side::Provider),
            (None, _) => None,
        };
        let hop = |(place, trace): (usize, &Trace)| Hop {
            from: trace.whom(),
            by: trace.by.clone(),
            address: trace.address,
            at: trace.at,
            took: None,
            behind: None,
            side: side(place),
        };
        let mut hops: Vec<Hop> = all().enumerate().filter(|(_, trace)| !trace.is_empty()).map(hop).collect();
        Hop::time(&mut hops, sent_at);
        hops
    }
}

/// Whether a host had the mail from somebody else, over a network that both can be reached by. What calls itself `localhost` is a filter (amavis) that
/// had it from its own host, by whichever of its addresses.
fn is_handed_over(trace: &Trace) -> bool {
    let is_here = ["localhost", "localhost.localdomain", "127.0.0.1", "::1"].contains(&trace.by.as_str());
    trace.address.is_some_and(is_public) && !is_here && !is_within(trace)
}

/// Whose host handed a mail over, as far as whoever took it found out.
fn whose(trace: &Trace) -> String {
    trace.name.as_deref().map(|name| organisation(name).to_owned()).or_else(|| trace.address.map(network)).unwrap_or_else(|| "?".to_owned())
}

/// Whether both ends of a hop are one organisation's.
fn is_within(trace: &Trace) -> bool {
    let from = trace.name.as_deref().unwrap_or(&trace.helo);
    from.contains('.') && trace.by.contains('.') && family(from) == family(&trace.by)
}

/// Whose a host is; a receiver whose hosts are under several names counts as one.
pub(super) fn family(name: &str) -> &str {
    let whose = organisation(name);
    FAMILIES.iter().find(|family| family.contains(&whose)).and_then(|family| family.first()).copied().unwrap_or(whose)
}
