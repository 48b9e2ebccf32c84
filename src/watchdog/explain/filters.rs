//! Why mail lands in Junk, as far as that is known: how much of it at each inbox, since when, how much before, and what the receiver's filter
//! wrote down.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{LIST_AT_MOST, shorten};
use crate::model::{At, Kind, Name, Placement, quoted};
use crate::watchdog::canary::Canary;
use crate::watchdog::identity::{Filtered, Said};
use crate::watchdog::judge::Finding;
use crate::watchdog::plan::Plan;
use crate::watchdog::state::State;

/// Inboxes named in the summary.
const SAID: usize = 3;
/// Characters of a filter's words in the summary.
const WORDS: usize = 120;
/// The evidence's list of them.
pub(super) const FILTERS: &str = "filters";

/// How one inbox files the mail of a finding.
struct Share<'s> {
    inbox: &'s Name,
    /// In Junk, of all that arrived, since the first of what goes on.
    now: (u64, u64),
    since: Option<At>,
    /// The same of what was sent before; nothing, where nothing is known of that any more.
    before: Option<(u64, u64)>,
    /// What its filter wrote down of the newest in Junk, and of the newest that was not.
    says: &'s [String],
    said: &'s [String],
}

/// Every inbox of the finding, those with most in Junk first.
fn shares<'s>(plan: &'s Plan, state: &'s State, finding: &Finding) -> Vec<Share<'s>> {
    let mut inboxes: BTreeMap<&Name, Vec<usize>> = BTreeMap::new();
    for slot in &finding.routes {
        if let Some(planned) = plan.routes.get(*slot) {
            inboxes.entry(&planned.route.inbox).or_default().push(*slot);
        }
    }
    let told = state.open_delivery(&finding.culprit).filter(|open| open.shown.kind == Kind::Junked).map(|open| &open.shown.last.evidence);
    let mut shares: Vec<Share<'_>> = inboxes.into_iter().map(|(inbox, slots)| share(state, inbox, &slots, told)).collect();
    shares.sort_by_key(|share| std::cmp::Reverse(share.now.0));
    shares
}

fn share<'s>(state: &'s State, inbox: &'s Name, slots: &[usize], told: Option<&Value>) -> Share<'s> {
    let routes = || slots.iter().filter_map(|slot| state.routes.get(*slot));
    let mut arrived: Vec<(At, bool)> = routes()
        .flat_map(|route| {
            let fresh =
                |c: &&Canary| c.has_arrived() && !c.is_set_aside() && route.judged_before.is_none_or(|before| c.sent_at() >= before);
            route.canaries.iter().filter(fresh).map(|c| (c.sent_at(), c.placement() == Some(Placement::Junk)))
        })
        .collect();
    arrived.sort_unstable_by(|a, b| b.cmp(a));
    // What goes on began where Junk became the rule.
    let (mut junk, mut all, mut now, mut since) = (0, 0, (0, 0), None);
    for (at, in_junk) in &arrived {
        all += 1;
        junk += u64::from(*in_junk);
        if *in_junk && junk * 2 >= all {
            (now, since) = ((junk, all), Some(*at));
        }
    }
    let before = (all > now.1).then(|| (junk - now.0, all - now.1)).or_else(|| before_told(told?, inbox));
    let words = || routes().filter_map(|r| state.identity(&r.route.provider, &r.route.stream)?.filters.get(inbox));
    let newest = |of: fn(&Filtered) -> Option<&Said>| words().filter_map(of).max_by_key(|(at, _)| *at).map_or(&[][..], |(_, words)| words);
    Share { inbox, now, since, before, says: newest(|f| f.junk.as_ref()), said: newest(|f| f.other.as_ref()) }
}

/// What was told of the time before: canaries are forgotten, and what was known of them then holds.
fn before_told(evidence: &Value, inbox: &Name) -> Option<(u64, u64)> {
    let row = evidence.get(FILTERS)?.as_array()?.iter().find(|row| row.get("inbox").and_then(Value::as_str) == Some(inbox.as_str()))?;
    row.get("in_junk_before").and_then(Value::as_u64).zip(row.get("of_before").and_then(Value::as_u64))
}

/// For the sentence of a page: behind it, without a point.
pub(super) fn in_words(plan: &Plan, state: &State, finding: &Finding) -> String {
    let shares = shares(plan, state, finding);
    let one = |share: &Share<'_>| {
        let before = share.before.map_or_else(String::new, |(junk, all)| format!(" ({junk} of {all} before)"));
        format!("{} of {} at `{}`{before}", share.now.0, share.now.1, share.inbox)
    };
    let since = shares.iter().filter_map(|share| share.since).min().map_or_else(String::new, |at| format!(" since {}", at.minute()));
    let more = shares.len().saturating_sub(SAID);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let named: Vec<String> = shares.iter().take(SAID).map(one).collect();
    let says = |share: &Share<'_>| {
        let words = share.says.first()?;
        Some(format!("; the filter at `{}` wrote {}", share.inbox, quoted(&shorten(words, WORDS))))
    };
    let said: String = shares.iter().filter_map(says).take(SAID).collect();
    format!("; {}{more}{since}{said}", named.join(", "))
}

/// For the evidence.
pub(super) fn facts(plan: &Plan, state: &State, finding: &Finding) -> Value {
    let one = |share: &Share<'_>| {
        json!({
            "inbox": share.inbox,
            "in_junk": share.now.0,
            "of": share.now.1,
            "since": share.since.map(At::rfc3339),
            "in_junk_before": share.before.map(|(junk, _)| junk),
            "of_before": share.before.map(|(_, all)| all),
            "says": share.says,
            "said_before": share.said,
        })
    };
    shares(plan, state, finding).iter().take(LIST_AT_MOST).map(one).collect()
}
