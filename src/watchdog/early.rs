//! Early signs: one incident for each account that worries, opened at the first reading that is bad, told again when it gets worse, and
//! resolved when all is well; and one for each inbox whose credentials end soon. It is never about delivery, and nobody is blamed for delivery
//! by it.

use serde_json::{Map, Value, json};

use super::account::{Account, Worry};
use super::concern::{self, Concern};
use super::explain::grouped;
use super::incident::Move;
use super::outbox::Incident;
use super::plan::Plan;
use super::state::State;
use crate::config::{ENDS_SOON, Signs};
use crate::model::{At, Change, Culprit, Kind, Name, Severity, Sign, Standing};

/// Milliseconds of a day.
const A_DAY_MS: u64 = 86_400_000;

/// What changes by what is known of days to come.
pub(super) fn moves(plan: &Plan, state: &State) -> Vec<Move> {
    let mut moves = accounts(plan, state);
    moves.extend(credentials(plan, state));
    moves
}

/// What changes by how long inboxes can still be logged in to.
fn credentials(plan: &Plan, state: &State) -> Vec<Move> {
    let of = |incident: &Incident| match &incident.shown.culprit {
        Culprit::Inbox(name) if incident.shown.kind == Kind::EarlySign => Some(name.clone()),
        Culprit::Inbox(_) | Culprit::Provider(_) | Culprit::Stream(..) | Culprit::Path(..) | Culprit::Route(..) | Culprit::Watcher {} => {
            None
        }
    };
    let soon = |at: At| at.minus(ENDS_SOON) <= state.at;
    let open: Vec<(Name, &Incident)> = state.open().filter_map(|incident| Some((of(incident)?, incident))).collect();
    let known = |name: &Name| open.iter().any(|(open, _)| open == name);
    let fresh = plan.expires.iter().filter(|(name, at)| soon(**at) && !known(name)).map(|(name, at)| ending(name, *at, state.at));
    let over =
        open.iter().filter(|(name, incident)| plan.expires.get(name).is_none_or(|at| !soon(*at)) && plan.knows(&incident.shown.culprit));
    let over = over.map(|(name, incident)| Move::end(incident, format!("what inbox `{name}` is logged in to with has been renewed")));
    fresh.chain(over).collect()
}

fn ending(inbox: &Name, ends: At, now: At) -> Move {
    let day = ends.rfc3339().chars().take(10).collect::<String>();
    let when =
        if ends <= now { format!("ended on {day}") } else { format!("ends on {day}, in {} days", ends.since(now).as_ms() / A_DAY_MS) };
    let next = "make a new one, configure it, and write the day of its end as `expires`";
    Move {
        incident: None,
        change: Change::Opened,
        kind: Kind::EarlySign,
        severity: Severity::Warn,
        culprit: Culprit::Inbox(inbox.clone()),
        summary: format!("what inbox `{inbox}` is logged in to with {when}: it is blind from then on"),
        evidence: json!({ "expires": ends.rfc3339(), "next_step": next }),
        only: None,
    }
}

/// What changes by what providers say of their accounts.
fn accounts(plan: &Plan, state: &State) -> Vec<Move> {
    let mut moves = Vec::new();
    let open: Vec<&Incident> =
        state.open().filter(|i| i.shown.kind == Kind::EarlySign && !matches!(i.shown.culprit, Culprit::Inbox(_))).collect();
    if open.is_empty() && state.accounts.values().all(|account| account.worries.is_empty()) {
        return moves;
    }
    for (provider, by) in &plan.signs {
        let Some(account) = state.accounts.get(provider) else { continue };
        let known = open.iter().copied().find(|i| is_of(i, provider));
        match known {
            Some(known) if account.worries.is_empty() => {
                let now = now(account);
                moves.push(Move::end(known, format!("the account at provider `{provider}` is well again: {now}")));
            }
            Some(known) if is_worse(known, account) => moves.push(tell(plan, state, provider, by, account, Some(known))),
            None if !account.worries.is_empty() => moves.push(tell(plan, state, provider, by, account, None)),
            Some(_) | None => {}
        }
    }
    let left = |i: &&Incident| plan.signs.keys().all(|provider| !is_of(i, provider)) && plan.knows(&i.shown.culprit);
    moves.extend(open.iter().copied().filter(left).map(|i| Move::end(i, "it is not asked any more how the account stands".to_owned())));
    moves
}

fn is_of(incident: &Incident, provider: &Name) -> bool {
    matches!(&incident.shown.culprit, Culprit::Provider(name) if name == provider)
}

/// How bad a concern was when it was told of last; 0: not at all.
fn told(incident: &Incident, concern: Concern) -> u64 {
    incident.shown.last.evidence.get("levels").and_then(|levels| levels.get(concern.as_str())).and_then(Value::as_u64).unwrap_or(0)
}

fn is_worse(incident: &Incident, account: &Account) -> bool {
    account.worries.iter().any(|(concern, worry)| u64::from(worry.level) > told(incident, *concern))
}

fn tell(plan: &Plan, state: &State, provider: &Name, by: &Signs, account: &Account, open: Option<&Incident>) -> Move {
    let culprit = Culprit::Provider(provider.clone());
    let stopped = account.worries.contains_key(&Concern::Standing) && account.standing() == Some(Standing::Stopped);
    // Somebody is up already if mail through it is known to fail.
    let paged = state.open_delivery(&culprit).is_some_and(|i| i.shown.severity == Severity::Page);
    let severity = if stopped && !paged { Severity::Page } else { Severity::Warn }.min(plan.loudest(&culprit, &[]));
    let levels = Concern::ALL.into_iter().filter_map(|concern| {
        let now = account.worries.get(&concern).map_or(0, |worry| u64::from(worry.level));
        let level = now.max(open.map_or(0, |i| told(i, concern)));
        (level > 0).then(|| (concern.as_str().to_owned(), Value::from(level)))
    });
    let worst = account.worries.iter().max_by_key(|(concern, worry)| (worry.level, std::cmp::Reverse(**concern)));
    let next = worst.map_or("", |(concern, worry)| next_step(*concern, *worry));
    let details = details(account, by);
    let what: Vec<String> = details.iter().map(|detail| detail.words.clone()).collect();
    let lead = if stopped { "says that the account may not send" } else { "shows an early sign" };
    let standby = if plan.spares(&culprit, &[]) { "; a stand-by: nothing in use is touched" } else { "" };
    Move {
        incident: open.map(|i| i.shown.incident),
        change: if open.is_some() { Change::Updated } else { Change::Opened },
        kind: Kind::EarlySign,
        severity: open.map_or(severity, |i| i.shown.severity.max(severity)),
        culprit,
        summary: format!("provider `{provider}` {lead}: {}{standby}", what.join(", ")),
        evidence: json!({
            "signs": details.into_iter().map(|d| d.shown).collect::<Vec<_>>(),
            "levels": levels.collect::<Map<String, Value>>(),
            "read_at": account.read_at.map(At::rfc3339),
            "next_step": next,
        }),
        only: None,
    }
}

/// One sign that worries, for the evidence and for the summary.
struct Detail {
    shown: Value,
    words: String,
}

fn details(account: &Account, by: &Signs) -> Vec<Detail> {
    let of = |sign: &Sign| {
        let concern = Concern::of(sign);
        let worry = account.worries.get(&concern)?;
        let (says, why) = (sign.to_string(), against(sign, account, by));
        let words = format!("{says} ({why})");
        let shown = json!({
            "concern": concern.as_str(), "says": says, "since": worry.since.rfc3339(), "level": worry.level, "why": why,
        });
        Some(Detail { shown, words })
    };
    account.signs.iter().filter_map(of).collect()
}

/// What a sign is held against, in words.
fn against(sign: &Sign, account: &Account, by: &Signs) -> String {
    let at = account.read_at.unwrap_or_default();
    match sign {
        Sign::Standing { state, .. } => match state {
            Standing::Stopped => "sending is stopped there".to_owned(),
            Standing::Warned => "it may still send".to_owned(),
            Standing::Good => "it is good again".to_owned(),
        },
        Sign::Quota { remaining, limit, renews_at } => {
            let edge = match limit {
                Some(limit) => {
                    let share = *remaining as f64 / (*limit).max(1) as f64;
                    format!("{}, warned of below {}", percent(share), percent(by.quota))
                }
                None => format!("warned of below {}", grouped(u64::from(by.credits))),
            };
            let Some(ends) = concern::ends_early(sign, &account.past, at, true) else { return edge };
            let quota = limit.map_or_else(|| "what is left".to_owned(), |limit| format!("the quota of {}", grouped(limit)));
            let before = match renews_at.filter(|renews| *renews > ends) {
                Some(renews) => format!(", {} before it renews", renews.since(ends)),
                None => format!(", in {}", ends.since(at)),
            };
            format!("{edge}; at this pace {quota} ends at {}{before}", ends.minute())
        }
        Sign::Backlog { .. } => {
            let usual = account.past.usual(at);
            let edge = concern::edge_of_backlog(by, &account.past, at);
            format!("at most {} lately, warned of from {}", grouped(usual), grouped(edge))
        }
        Sign::Reputation { .. } => format!("warned of below {}", by.reputation),
    }
}

/// A share with one decimal, where that says more.
fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0).replace(".0 %", " %")
}

/// The signs of the last reading, in a row.
fn now(account: &Account) -> String {
    let texts: Vec<String> = account.signs.iter().map(ToString::to_string).collect();
    if texts.is_empty() { "what worried is not told any more".to_owned() } else { texts.join(", ") }
}

/// What is to be done about it.
const fn next_step(concern: Concern, worry: Worry) -> &'static str {
    match concern {
        Concern::Standing if worry.level >= concern::STOPPED => "call the provider, and move mail to another one now",
        Concern::Standing => "read the mail of the account's owner and answer the provider, before sending is stopped",
        Concern::Quota => "raise the plan or buy credits, or move mail to another provider, before the rest is used up",
        Concern::Backlog => "the provider holds mail back: see its hourly quota, and what it says of the account",
        Concern::Reputation => "look at bounces and complaints: a low reputation lowers the quota, and then stops the account",
    }
}
