//! What was wrong about what was told of a world: whom it named, how often it spoke of one failure, and when it was over.

use std::collections::BTreeMap;
use std::fmt;

use mailcanary::model::{At, Change, Culprit, IncidentId, Kind, Notice, Route, Severity, Span};
use mailcanary::sandbox::simulate::{Harm, Trouble};

use super::draw::Drawn;

/// An incident is open no longer than this after its failure: so long, or so many rounds if that is longer.
const OVER_WITHIN: Span = Span::from_secs(30 * 60);
const OVER_WITHIN_ROUNDS: u64 = 15;
/// What is resolved so long before its failure is over was resolved too soon.
const SOON: Span = Span::from_secs(300);
/// A failure of which so many canaries were lost at least is found.
const FOUND_AFTER: f64 = 12.0;
/// Where it is a part that is lost, so many must have been sent.
const PART_FOUND_AFTER: f64 = 40.0;

/// One sort of mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The watcher was named while something delivered.
    Watcher,
    /// Somebody was named who has nothing to do with any failure, or only by the way.
    Wrong,
    /// Mail in Junk was told of where none was.
    Junk,
    /// A larger culprit was named than the one that failed.
    Wider,
    /// A part of it was named beside it, or instead of it.
    Narrower,
    /// A failure that anybody would have noticed was not told.
    Missed,
    /// Somebody was called for it more than once; that a warning becomes a page is no second time.
    Loud,
    /// It was told more than three times in all.
    Repeated,
    /// It was several incidents.
    Again,
    /// It was called over while it lasted.
    Early,
    /// It was open long after it was over.
    Late,
    /// Somebody was paged before anything failed.
    CalmPage,
    /// Somebody was warned before anything failed.
    CalmWarning,
}

impl Fault {
    pub const ALL: [Self; 13] = [
        Self::Watcher,
        Self::Wrong,
        Self::Junk,
        Self::Wider,
        Self::Narrower,
        Self::Missed,
        Self::Loud,
        Self::Repeated,
        Self::Again,
        Self::Early,
        Self::Late,
        Self::CalmPage,
        Self::CalmWarning,
    ];
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{self:?}"))
    }
}

/// A mistake: how long it stood, and about what.
pub struct Mark {
    pub fault: Fault,
    pub lasted: Span,
    pub about: String,
}

/// All that was wrong.
#[derive(Default)]
pub struct Marks {
    pub marks: Vec<Mark>,
    /// Failures that had to be found.
    pub to_find: usize,
    /// How long after its beginning each was told as whose it was, and how long after its end that was taken back.
    pub told_after: Vec<Span>,
    pub over_after: Vec<Span>,
}

/// While this was so an incident named this culprit.
struct Naming<'n> {
    from: At,
    until: At,
    notice: &'n Notice,
}

fn is_news(notice: &Notice) -> bool {
    matches!(notice.change, Change::Opened | Change::Updated)
}

fn is_quiet(notice: &Notice) -> bool {
    notice.evidence.get("quiet").is_some()
}

/// Looks at all that was told of a world until `end`.
pub fn marks(drawn: &Drawn, notices: &[(At, Notice)], end: At) -> Marks {
    let mut found = Marks::default();
    let begun = drawn.failures.iter().map(|f| f.from).min().unwrap_or(end);
    let mut incidents: BTreeMap<IncidentId, Vec<&(At, Notice)>> = BTreeMap::new();
    for told in notices.iter().filter(|(_, n)| n.kind.is_delivery()) {
        incidents.entry(told.1.incident).or_default().push(told);
    }
    for told in incidents.values() {
        let (opened_at, first) = told[0];
        if *opened_at < begun {
            let paged = told.iter().find(|(at, n)| *at < begun && n.severity == Severity::Page);
            let (fault, (at, notice)) = paged.map_or((Fault::CalmWarning, (opened_at, first)), |(at, n)| (Fault::CalmPage, (at, n)));
            found.mark(fault, end.since(*at), notice, *at, begun);
            continue;
        }
        let names = namings(told, end);
        for naming in &names {
            found.judge(drawn, naming, begun);
        }
        let calls = told.iter().filter(|(_, n)| is_news(n) && !is_quiet(n));
        let pages = calls.clone().filter(|(_, n)| n.severity == Severity::Page).count();
        let loud = pages.max(calls.count() - pages);
        let all = told.iter().filter(|(_, n)| is_news(n)).count();
        for (fault, is) in [(Fault::Loud, loud > 1), (Fault::Repeated, all > 3)] {
            if is {
                let kinds: Vec<&str> = told.iter().filter(|(_, n)| is_news(n)).map(|(_, n)| n.kind.as_str()).collect();
                let about = format!("{}: {loud} times of {}", first.culprit, kinds.join(", "));
                found.marks.push(Mark { fault, lasted: Span::ZERO, about });
            }
        }
        let last = names.last();
        let failure = last.and_then(|naming| drawn.failures.iter().find(|f| same(drawn, &f.harm.culprit(), &naming.notice.culprit)));
        let over = failure.map_or_else(|| drawn.lasts().1, |f| f.until);
        let late = last.map_or(Span::ZERO, |naming| naming.until.since(over));
        if late > OVER_WITHIN.max(drawn.settings.watch.every.scaled(OVER_WITHIN_ROUNDS, 1)) {
            let notice = last.unwrap().notice;
            found.marks.push(Mark { fault: Fault::Late, lasted: late, about: format!("{} {}", notice.kind.as_str(), notice.culprit) });
        }
    }
    for failure in &drawn.failures {
        found.follow(drawn, failure, &incidents, end);
    }
    found
}

/// Whom an incident named, from when until when.
fn namings<'n>(told: &[&'n (At, Notice)], end: At) -> Vec<Naming<'n>> {
    let mut names: Vec<Naming<'n>> = Vec::new();
    for (at, notice) in told {
        if let Some(last) = names.last_mut() {
            last.until = *at;
        }
        if notice.change != Change::Resolved {
            names.push(Naming { from: *at, until: end, notice });
        }
    }
    names
}

/// Whether two names cover the same routes: then no evidence can tell them apart.
fn same(drawn: &Drawn, a: &Culprit, b: &Culprit) -> bool {
    drawn.settings.routes.iter().all(|r| a.covers(r) == b.covers(r))
}

fn within(drawn: &Drawn, a: &Culprit, b: &Culprit) -> bool {
    drawn.settings.routes.iter().all(|r| !a.covers(r) || b.covers(r))
}

/// Whether anybody would have noticed it.
fn is_plain(drawn: &Drawn, failure: &Trouble) -> bool {
    let canaries = drawn.canaries(failure);
    match &failure.harm {
        Harm::Stop(_) | Harm::Refuse(..) => canaries >= FOUND_AFTER,
        Harm::Loss(_, share) => *share >= 0.5 && canaries >= PART_FOUND_AFTER,
        _ => false,
    }
}

impl Marks {
    fn mark(&mut self, fault: Fault, lasted: Span, notice: &Notice, at: At, begun: At) {
        let after = if at < begun { format!("-{}", begun.since(at)) } else { at.since(begun).to_string() };
        let (change, kind, severity) = (format!("{:?}", notice.change), notice.kind.as_str(), format!("{:?}", notice.severity));
        let about = format!("{after}: {change} {severity} {kind} {}: {}", notice.culprit, notice.summary);
        self.marks.push(Mark { fault, lasted, about });
    }

    /// Whether who was named has failed.
    fn judge(&mut self, drawn: &Drawn, naming: &Naming<'_>, begun: At) {
        let (named, lasted) = (&naming.notice.culprit, naming.until.since(naming.from));
        if !is_news(naming.notice) {
            return;
        }
        let failed: Vec<Culprit> = drawn.failures.iter().filter(|f| f.from <= naming.from).map(|f| f.harm.culprit()).collect();
        // Where nothing of it delivers, nobody could tell.
        let all_fail = || drawn.settings.routes.iter().all(|r| !named.covers(r) || failed.iter().any(|f| f.covers(r)));
        let fault = if failed.iter().any(|f| same(drawn, f, named)) {
            None
        } else if *named == (Culprit::Watcher {}) {
            Some(Fault::Watcher)
        } else if failed.iter().any(|f| within(drawn, f, named)) {
            Some(Fault::Wider).filter(|_| !all_fail())
        } else if failed.iter().any(|f| within(drawn, named, f)) {
            Some(Fault::Narrower)
        } else {
            Some(Fault::Wrong)
        };
        if let Some(fault) = fault {
            self.mark(fault, lasted, naming.notice, naming.from, begun);
        }
        let touches = |harm: &Harm| matches!(harm, Harm::Junk(of, _) if drawn.settings.routes.iter().any(|r: &Route| of.covers(r) && named.covers(r)));
        if naming.notice.kind == Kind::Junked && !drawn.failures.iter().any(|f| f.from <= naming.from && touches(&f.harm)) {
            self.mark(Fault::Junk, lasted, naming.notice, naming.from, begun);
        }
    }

    /// Whether a failure was found, once, and over when it was over.
    fn follow(&mut self, drawn: &Drawn, failure: &Trouble, incidents: &BTreeMap<IncidentId, Vec<&(At, Notice)>>, end: At) {
        let culprit = failure.harm.culprit();
        let mine = |told: &[&(At, Notice)]| -> Option<(At, At)> {
            let names = namings(told, end);
            let first = names.iter().find(|n| same(drawn, &n.notice.culprit, &culprit) && n.from >= failure.from)?.from;
            Some((first, names.last()?.until))
        };
        let mut spans: Vec<(At, At)> = incidents.values().filter_map(|told| mine(told)).collect();
        spans.sort();
        let about = failure.harm.to_string();
        let found_at = spans.first().map(|(from, _)| *from).filter(|at| *at <= failure.until.plus(SOON));
        if is_plain(drawn, failure) {
            self.to_find += 1;
            match found_at {
                Some(at) => self.told_after.push(at.since(failure.from)),
                None => self.marks.push(Mark { fault: Fault::Missed, lasted: failure.until.since(failure.from), about: about.clone() }),
            }
        }
        if spans.len() > 1 {
            self.marks.push(Mark { fault: Fault::Again, lasted: Span::ZERO, about: format!("{about}: {} incidents", spans.len()) });
        }
        let ended_early = spans.iter().find(|(_, until)| until.plus(SOON) < failure.until);
        if let Some((_, until)) = ended_early {
            self.marks.push(Mark { fault: Fault::Early, lasted: failure.until.since(*until), about });
        }
        if let Some((_, until)) = spans.last() {
            self.over_after.push(until.since(failure.until));
        }
    }
}
