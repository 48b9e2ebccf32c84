//! Checks that have always held and do not any more: at every inbox, or at one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{Trouble, row};
use crate::model::{Culprit, Kind, Name, Severity};
use crate::watchdog::plan::Plan;
use crate::watchdog::signature::Held;
use crate::watchdog::state::State;

/// Inboxes named in the summary.
const SAID: usize = 3;
/// Checks listed in the evidence.
const LISTED: usize = 32;

/// One check that is broken, and where.
struct Broken<'s> {
    provider: &'s Name,
    stream: &'s Name,
    inbox: &'s Name,
    held: &'s Held,
}

/// Every provider, or inbox, whose mail fails.
pub(super) fn troubles(plan: &Plan, state: &State) -> Vec<Trouble> {
    let mut broken: Vec<Broken<'_>> = Vec::new();
    let mut failing: BTreeSet<(&Name, &Name)> = BTreeSet::new();
    let mut sound: BTreeSet<(&Name, &Name)> = BTreeSet::new();
    for (provider, streams) in state.identities.iter().filter(|(provider, _)| plan.providers.contains(*provider)) {
        for (stream, identity) in streams {
            for (inbox, checks) in &identity.checks {
                broken.extend(checks.iter().filter(|h| h.is_broken()).map(|held| Broken { provider, stream, inbox, held }));
                if checks.iter().any(|h| h.since.is_some()) {
                    failing.insert((provider, inbox));
                } else if checks.iter().any(Held::is_sound) {
                    sound.insert((provider, inbox));
                }
            }
        }
    }
    let mut by_culprit: BTreeMap<Culprit, Vec<Broken<'_>>> = BTreeMap::new();
    let inboxes = of_inboxes(&failing, &sound);
    for one in broken {
        let culprit = if inboxes.contains(one.inbox) { Culprit::Inbox(one.inbox.clone()) } else { Culprit::Provider(one.provider.clone()) };
        by_culprit.entry(culprit).or_default().push(one);
    }
    by_culprit.into_iter().map(|(culprit, broken)| trouble(culprit, &broken, &sound)).collect()
}

/// Inboxes at which every provider fails that passes elsewhere: they change the mail, or misjudge it. One failure counts here: the second
/// is on its way.
fn of_inboxes<'s>(failing: &BTreeSet<(&'s Name, &'s Name)>, sound: &BTreeSet<(&'s Name, &'s Name)>) -> BTreeSet<&'s Name> {
    let at = |set: &BTreeSet<(&'s Name, &'s Name)>, inbox: &Name| set.iter().filter(|(_, i)| *i == inbox).count();
    let passes_elsewhere = |provider: &Name| sound.iter().any(|(p, _)| *p == provider);
    let all_pass_elsewhere = |inbox: &Name| failing.iter().filter(|(_, i)| *i == inbox).all(|(p, _)| passes_elsewhere(p));
    let inboxes: BTreeSet<&Name> = failing.iter().map(|(_, inbox)| *inbox).collect();
    inboxes.into_iter().filter(|inbox| at(failing, inbox) > 1 && at(sound, inbox) == 0 && all_pass_elsewhere(inbox)).collect()
}

fn trouble(culprit: Culprit, broken: &[Broken<'_>], sound: &BTreeSet<(&Name, &Name)>) -> Trouble {
    let methods: BTreeSet<String> = broken
        .iter()
        .map(|b| format!("{}{}", b.held.method.as_str().to_uppercase(), if b.held.by_receiver { " (by the receiver)" } else { "" }))
        .collect();
    let since = broken.iter().filter_map(|b| b.held.since).min().unwrap_or_default();
    let why = broken.iter().map(|b| b.held.why.as_str()).find(|why| !why.is_empty());
    let names: BTreeSet<&str> = broken.iter().map(|b| b.inbox.as_str()).collect();
    let (whose, next) = match &culprit {
        Culprit::Inbox(inbox) => (
            format!("mail of every provider at inbox `{inbox}`"),
            "the receiver changes mail, or checks it wrongly: look at a message there, and ask its operator".to_owned(),
        ),
        Culprit::Provider(p) | Culprit::Stream(p, _) | Culprit::Route(p, ..) => (
            format!("mail of provider `{p}`"),
            format!(
                "compare the DKIM key and SPF record in the DNS with what `{p}` shows for the domain; strict receivers refuse such mail"
            ),
        ),
        Culprit::Watcher {} => ("mail".to_owned(), String::new()),
    };
    let elsewhere: BTreeSet<&str> =
        sound.iter().filter(|(p, _)| broken.iter().any(|b| b.provider == *p)).map(|(_, inbox)| inbox.as_str()).collect();
    let elsewhere = if elsewhere.is_empty() { String::new() } else { format!("; it passes in {}", row(elsewhere.into_iter(), SAID)) };
    // Each check once, and every power of ten of routes: two hundred are not told two hundred times.
    let powers = (1..=broken.len().checked_ilog10().unwrap_or(0)).map(|power| format!("{} routes", 10_u64.pow(power)));
    let named: BTreeSet<String> = broken.iter().map(|b| b.held.method.as_str().to_owned()).chain(powers).collect();
    let listed = broken.iter().take(LISTED).map(|b| {
        json!({
            "route": format!("{}/{}/{}", b.provider, b.stream, b.inbox),
            "check": b.held.method.as_str(),
            "by": if b.held.by_receiver { "receiver" } else { "mailcanary" },
            "since": b.held.since.map(crate::model::At::rfc3339),
            "why": b.held.why,
        })
    });
    Trouble {
        kind: Kind::Authentication,
        severity: Severity::Warn,
        named: named.into_iter().collect(),
        summary: format!(
            "{whose} fails {}{} in {} since {}{elsewhere}; it passed before. Next: {next}",
            methods.into_iter().collect::<Vec<_>>().join(", "),
            why.map_or_else(String::new, |why| format!(" (`{why}`)")),
            row(names.into_iter(), SAID),
            since.minute(),
        ),
        evidence: json!({ "since": since.rfc3339(), "checks": listed.collect::<Vec<_>>(), "next_step": next }),
        culprit,
    }
}
