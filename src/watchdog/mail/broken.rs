//! Checks that have always held and do not any more: at every inbox, or at one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::zones::causes;
use super::{Trouble, row};
use crate::model::{Culprit, Kind, Method, Name, Severity, quoted};
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

/// A check of a provider's mail at an inbox.
type Case<'s> = (&'s Name, &'s Name, Method);

/// Every provider, or inbox, whose mail fails.
pub(super) fn troubles(plan: &Plan, state: &State) -> Vec<Trouble> {
    let mut broken: Vec<Broken<'_>> = Vec::new();
    let mut failing: BTreeSet<Case<'_>> = BTreeSet::new();
    let mut sound: BTreeSet<Case<'_>> = BTreeSet::new();
    for (provider, streams) in state.identities.iter().filter(|(provider, _)| plan.providers.contains(*provider)) {
        for (stream, identity) in streams {
            for (inbox, checks) in &identity.checks {
                broken.extend(checks.iter().filter(|h| h.is_broken()).map(|held| Broken { provider, stream, inbox, held }));
                let of = |which: fn(&Held) -> bool| checks.iter().filter(move |h| which(h)).map(move |h| (provider, inbox, h.method));
                failing.extend(of(|h| h.since.is_some()));
                sound.extend(of(Held::is_sound));
            }
        }
    }
    sound.retain(|case| !failing.contains(case));
    let mut by_culprit: BTreeMap<Culprit, Vec<Broken<'_>>> = BTreeMap::new();
    let inboxes = of_inboxes(&failing, &sound);
    for one in broken {
        let culprit = if inboxes.contains(one.inbox) { Culprit::Inbox(one.inbox.clone()) } else { Culprit::Provider(one.provider.clone()) };
        by_culprit.entry(culprit).or_default().push(one);
    }
    by_culprit.into_iter().map(|(culprit, broken)| trouble(plan, state, culprit, &broken, &sound)).collect()
}

/// Inboxes at which every provider fails a check that it passes elsewhere, the same one: they change the mail, or misjudge it. One failure
/// counts here: the second is on its way.
fn of_inboxes<'s>(failing: &BTreeSet<Case<'s>>, sound: &BTreeSet<Case<'s>>) -> BTreeSet<&'s Name> {
    let is_its_own = |inbox: &&Name| {
        let mine = || failing.iter().filter(|(_, i, _)| i == inbox);
        let providers: BTreeSet<&Name> = mine().map(|(provider, ..)| *provider).collect();
        let passes_here = sound.iter().any(|(_, i, method)| i == inbox && mine().any(|(.., failed)| failed == method));
        let elsewhere = |(p, _, m): &Case<'_>| sound.iter().any(|(provider, _, method)| provider == p && method == m);
        providers.len() > 1 && !passes_here && mine().all(elsewhere)
    };
    let inboxes: BTreeSet<&Name> = failing.iter().map(|(_, inbox, _)| *inbox).collect();
    inboxes.into_iter().filter(is_its_own).collect()
}

fn trouble(plan: &Plan, state: &State, culprit: Culprit, broken: &[Broken<'_>], sound: &BTreeSet<Case<'_>>) -> Trouble {
    let methods: BTreeSet<String> = broken
        .iter()
        .map(|b| format!("{}{}", b.held.method.as_str().to_uppercase(), if b.held.by_receiver { " (by the receiver)" } else { "" }))
        .collect();
    let since = broken.iter().filter_map(|b| b.held.since).min().unwrap_or_default();
    let why = broken.iter().map(|b| b.held.why.as_str()).find(|why| !why.is_empty());
    let names: BTreeSet<&str> = broken.iter().map(|b| b.inbox.as_str()).collect();
    let failing = broken.iter().map(|b| (b.provider, b.held.method)).collect();
    let causes = causes(plan, state, &failing);
    let (whose, next) = whose(&culprit, !causes.is_empty());
    let same = |(p, _, method): &&Case<'_>| broken.iter().any(|b| b.provider == *p && b.held.method == *method);
    let elsewhere: BTreeSet<&str> = sound.iter().filter(same).map(|(_, inbox, _)| inbox.as_str()).filter(|i| !names.contains(i)).collect();
    let everywhere = elsewhere.is_empty().then(|| "everywhere".to_owned());
    // What passed there was perhaps sent before.
    let elsewhere =
        if elsewhere.is_empty() { String::new() } else { format!("; not seen to fail in {} so far", row(elsewhere.into_iter(), SAID)) };
    // Each check once, and every power of ten of routes: two hundred are not told two hundred times.
    let powers = (1..=broken.len().checked_ilog10().unwrap_or(0)).map(|power| format!("{} routes", 10_u64.pow(power)));
    let by = causes.iter().map(|(subject, _)| format!("by {subject}"));
    let named: BTreeSet<String> =
        broken.iter().map(|b| b.held.method.as_str().to_owned()).chain(powers).chain(everywhere).chain(by).collect();
    let cause = causes.first().map_or_else(String::new, |(_, words)| format!(". The cause stands in the DNS: {words}"));
    // Of several hosts that take turns one may have an old key.
    let partly = broken.iter().all(|b| b.held.partly().is_some()).then(|| broken.iter().find_map(|b| b.held.partly())).flatten();
    let partly = partly.map_or_else(String::new, |(failed, of)| format!(", {failed} of {of} mails"));
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
            "{whose} fails {}{} in {} since {}{partly}{elsewhere}; it passed before{cause}",
            methods.into_iter().collect::<Vec<_>>().join(", "),
            why.map_or_else(String::new, |why| format!(" ({})", quoted(why))),
            row(names.into_iter(), SAID),
            since.minute(),
        ),
        evidence: json!({
            "since": since.rfc3339(),
            "checks": listed.collect::<Vec<_>>(),
            "causes": causes.iter().take(LISTED).map(|(_, words)| words.as_str()).collect::<Vec<_>>(),
            "next_step": next,
        }),
        culprit,
    }
}

/// Whose mail it is, and what to do: where the cause is known, that first.
fn whose(culprit: &Culprit, known: bool) -> (String, String) {
    match culprit {
        Culprit::Inbox(inbox) => (
            format!("mail of every provider at inbox `{inbox}`"),
            "the receiver changes mail, or checks it wrongly: look at a message there, and ask its operator".to_owned(),
        ),
        Culprit::Provider(p) | Culprit::Stream(p, _) | Culprit::Path(p, _) | Culprit::Route(p, ..) => {
            let next = if known {
                format!("restore the record as `{p}` shows it for the domain; strict receivers refuse such mail until then")
            } else {
                format!(
                    "compare the DKIM key and SPF record in the DNS with what `{p}` shows for the domain; strict receivers refuse such mail"
                )
            };
            (format!("mail of provider `{p}`"), next)
        }
        Culprit::Watcher {} => ("mail".to_owned(), String::new()),
    }
}
