//! Says why, in a sentence and in numbers.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::evidence::Tally;
use super::flight::Canary;
use super::judge::{Assessment, Finding};
use super::plan::Plan;
use super::state::State;
use crate::model::{At, CanaryId, Class, Culprit, Kind, Name, Span};

/// Routes listed in full in the evidence; of more, the number is told.
const LIST_AT_MOST: usize = 20;

/// A culprit in words: ``provider `mailchimp` ``.
pub(super) fn subject(culprit: &Culprit) -> String {
    match culprit {
        Culprit::Provider(p) => format!("provider `{p}`"),
        Culprit::Stream(p, s) => format!("stream `{s}` of provider `{p}`"),
        Culprit::Inbox(i) => format!("inbox `{i}`"),
        Culprit::Route(p, s, i) => format!("route `{p}/{s}/{i}`"),
        Culprit::Watcher {} => "the watcher, or a cause common to everything".to_owned(),
    }
}

/// One sentence for the pager.
pub(super) fn summary(plan: &Plan, state: &State, assessment: &Assessment, finding: &Finding, now: At) -> String {
    let culprit = subject(&finding.culprit);
    let tallies = || finding.routes.iter().filter_map(|i| assessment.tallies.get(*i));
    let inboxes = inboxes(plan, &finding.routes).len();
    let boxes = if inboxes == 1 { "1 inbox".to_owned() } else { format!("{inboxes} inboxes") };
    let others = others(plan, assessment, finding);
    let words = match finding.kind {
        Kind::Refused => {
            let class = finding.class.unwrap_or(Class::Unknown);
            let reply = reply(plan, state, finding).map_or_else(String::new, |r| format!(": \"{}\"", shorten(&r, 160)));
            let who = if finding.culprit == (Culprit::Watcher {}) { "every provider" } else { culprit.as_str() };
            format!("{who} refuses mail ({class}){reply}")
        }
        Kind::Loss => {
            let (missing, judged) = tallies().fold((0, 0), |(m, j), t| (m + t.missing, j + t.judged));
            format!("{culprit} loses mail: {missing} of the last {judged} canaries to {boxes} are missing")
        }
        Kind::Slow => format!("{culprit} is slow: mail to {boxes} takes many times what is usual"),
        Kind::Junked => format!("mail of {culprit} lands in junk in {boxes}"),
        Kind::Stopped
        | Kind::Blind
        | Kind::CutOff
        | Kind::Identity
        | Kind::UnexpectedMail
        | Kind::Authentication
        | Kind::Dns
        | Kind::Listed => {
            let row: u64 = tallies().map(|t| t.row).sum();
            let oldest = tallies().filter_map(|t| t.row_since).min().map_or(Span::ZERO, |at| now.since(at));
            let usual = tallies().filter_map(|t| t.usual).max().map_or_else(String::new, |u| format!(" where nearly all take {u}"));
            format!("{culprit} stopped: {row} canaries to {boxes} overdue, the oldest {oldest}{usual}")
        }
    };
    format!("{words}{others}")
}

/// The proof: an object of plain facts.
pub(super) fn evidence(plan: &Plan, state: &State, assessment: &Assessment, finding: &Finding, now: At) -> Value {
    let tallies = || finding.routes.iter().filter_map(|i| assessment.tallies.get(*i));
    let first_bad = tallies().filter_map(|t| t.first_bad).filter_map(|id| sent(state, id)).min();
    let last_good = tallies().filter_map(|t| t.last_good).filter_map(|id| sent(state, id)).max();
    let about = |found: Option<(At, CanaryId)>| {
        found.map(|(at, id)| json!({ "canary": id, "sent_at": at.rfc3339(), "age": now.since(at).to_string() }))
    };
    let routes: Vec<String> =
        finding.routes.iter().filter_map(|i| plan.routes.get(*i)).map(|r| r.route.to_string()).take(LIST_AT_MOST).collect();
    let also: Vec<String> = finding.also.iter().map(subject).collect();
    let seen_in = inboxes(plan, &finding.routes);
    let mut facts = json!({
        "at": now.rfc3339(),
        "since": first_bad.map(|(at, _)| at.rfc3339()),
        "first_bad": about(first_bad),
        "last_good": about(last_good),
        "overdue_in_a_row": tallies().map(|t| t.row).sum::<u64>(),
        "missing": tallies().map(|t| t.missing).sum::<u64>(),
        "of": tallies().map(|t| t.judged).sum::<u64>(),
        "usual": tallies().filter_map(|t| t.usual).max().map(|u| u.to_string()),
        "routes": routes,
        "routes_count": finding.routes.len(),
        "inboxes": seen_in,
        "class": finding.class,
        "reply": reply(plan, state, finding),
        "cannot_be_told_apart": also,
        "others": others(plan, assessment, finding).trim_start_matches("; "),
        "next_step": next_step(finding),
    });
    if seen_in.len() == 1
        && matches!(finding.culprit, Culprit::Provider(_))
        && let Some(object) = facts.as_object_mut()
    {
        object.insert("caution".to_owned(), json!("seen in one inbox only: the inbox's own server may be the cause"));
    }
    facts
}

/// Why an incident is over.
pub(super) fn recovery(plan: &Plan, tallies: &[Tally], culprit: &Culprit, opened_at: At, now: At) -> String {
    let arrived = plan
        .routes
        .iter()
        .zip(tallies)
        .filter(|(r, _)| culprit.covers(&r.route))
        .flat_map(|(_, t)| t.settled.iter())
        .filter(|(at, arrived)| *arrived && *at >= opened_at)
        .count();
    format!("{} delivers again: {arrived} canaries sent since arrived, after {}", subject(culprit), now.since(opened_at))
}

/// What the rest of the matrix shows.
fn others(plan: &Plan, assessment: &Assessment, finding: &Finding) -> String {
    let shared = inboxes(plan, &finding.routes);
    let mut healthy: BTreeSet<&Name> = BTreeSet::new();
    let inbox_fault = matches!(finding.culprit, Culprit::Inbox(_));
    for (route, tally) in plan.routes.iter().zip(&assessment.tallies) {
        let outside = !finding.culprit.covers(&route.route) && tally.live && tally.row == 0 && tally.good_sent_at.is_some();
        if outside && inbox_fault {
            healthy.insert(&route.route.inbox);
        } else if outside && shared.contains(&route.route.inbox) {
            healthy.insert(&route.route.provider);
        }
    }
    if healthy.is_empty() {
        return String::new();
    }
    let names: Vec<&str> = healthy.iter().take(4).map(|n| n.as_str()).collect();
    let verb = if healthy.len() == 1 { "s" } else { "" };
    if inbox_fault {
        format!("; {} receive{verb} from the same providers", names.join(", "))
    } else {
        format!("; {} deliver{verb} to the same inboxes", names.join(", "))
    }
}

fn inboxes(plan: &Plan, routes: &[usize]) -> BTreeSet<Name> {
    routes.iter().filter_map(|i| plan.routes.get(*i)).map(|r| r.route.inbox.clone()).collect()
}

fn sent(state: &State, id: CanaryId) -> Option<(At, CanaryId)> {
    state.routes.iter().find_map(|r| r.find(id)).map(|c| (c.sent_at, c.id))
}

/// The provider's newest words about a canary of this finding that is missing.
fn reply(plan: &Plan, state: &State, finding: &Finding) -> Option<String> {
    let newest = |c: &&Canary| c.answer.as_ref().is_some_and(|a| a.reply.is_some()) && c.arrival.is_none();
    let planned = || finding.routes.iter().filter_map(|i| plan.routes.get(*i));
    let mut found: Vec<&Canary> = state
        .routes
        .iter()
        .filter(|r| planned().any(|p| p.route == r.route))
        .filter_map(|r| r.canaries.iter().rev().find(newest))
        .collect();
    found.sort_by_key(|c| c.sent_at);
    found.last()?.answer.as_ref()?.reply.clone()
}

fn next_step(finding: &Finding) -> &'static str {
    match (finding.kind, finding.class) {
        (Kind::Refused, Some(Class::Suspended)) => {
            "log in to the provider's console; the account is suspended: open a ticket and move urgent mail to another provider"
        }
        (Kind::Refused, Some(Class::Auth)) => "check whether the key or password was changed, revoked or has expired",
        (Kind::Refused, Some(Class::Quota)) => "raise the plan or buy credits; until then move urgent mail to another provider",
        (Kind::Refused, Some(Class::Sender)) => "check that the sender's address and domain are verified at the provider",
        (Kind::Refused, Some(Class::Suppressed)) => "take the seed's address off the provider's suppression list: users are not affected",
        (Kind::Refused, Some(Class::Recipient)) => "check that the seeded mailbox exists and is not disabled: users are not affected",
        (_, Some(Class::Tls)) => "look at the certificate that the provider's host presents",
        (_, Some(Class::Network)) => "check that the provider's host can be reached from here",
        (Kind::Junked, _) => "look at the headers of a mail in junk: Authentication-Results and the receiver's spam verdict",
        _ => match finding.culprit {
            Culprit::Provider(_) | Culprit::Stream(..) => {
                "ask the provider what became of the canaries named here; move urgent mail to another provider"
            }
            Culprit::Inbox(_) => {
                "log in to the mailbox: is it full, disabled, or filtered? Users are affected only if its whole service is down"
            }
            Culprit::Route(..) => {
                "send one mail by hand over this route, and look for a filter or a block between this provider and this inbox"
            }
            Culprit::Watcher {} => {
                "check the network and the clock of the host that runs mailcanary, then what all providers have in common (DNS, the sender's domain)"
            }
        },
    }
}

/// Cuts on a character boundary.
fn shorten(text: &str, most: usize) -> String {
    let flat: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if flat.chars().count() <= most { flat } else { flat.chars().take(most).chain(std::iter::once('…')).collect() }
}
