//! What people want: to acknowledge and close incidents, to silence, to drill.

use axum::http::StatusCode;

use super::super::super::gate::signed;
use super::super::super::problem::Problem;
use super::super::asked::Asked;
use super::super::form::{is_drilling, is_lasting, says_something};
use super::super::operation::{Operation, Reply, Run, Verb, Want};
use super::super::shape::{
    Accepted, Anew, BY, Dns, DrillBegun, DrillEnded, Drilling, Ended, Identities, Incident, Named, Right, Said, Silence, TEXT, Tried,
    Trying, VALUE, Wished,
};
use crate::canary::normal;
use crate::config::span;
use crate::model::{At, IncidentId, Mark, Span, Subject};
use crate::watchdog::{Event, View};

/// No silence lasts longer: what is silent for ever has been forgotten.
const LONGEST_SILENCE: Span = Span::from_secs(90 * 24 * 3600);
/// No silence begins later than this from now.
const LATEST_SILENCE: Span = Span::from_secs(366 * 24 * 3600);

/// An operation by which somebody wants something.
macro_rules! wanting {
    ($id:literal, $verb:ident $path:literal, $doc:literal, $body:ty => $shape:ty, $makes:literal, $event:expr, $told:expr) => {
        Operation {
            id: $id,
            verb: Verb::$verb,
            path: $path,
            doc: $doc,
            query: &[],
            answer: |schemas| schemas.subschema_for::<$shape>(),
            run: Run::Want(Want { body: |schemas| schemas.subschema_for::<$body>(), makes: $makes, event: $event, told: $told }),
        }
    };
}

pub(super) static OPERATIONS: &[Operation] = &[
    wanting!(
        "acknowledge",
        Post "/incidents/{incident}/ack",
        "Somebody has seen it: nobody is reminded of it any more.",
        Said => Incident, false, acknowledge, the_incident
    ),
    wanting!(
        "close",
        Post "/incidents/{incident}/close",
        "Somebody says that it is over. What shows by itself whether it goes on is only acknowledged.",
        Said => Incident, false, close, the_incident
    ),
    wanting!(
        "approve",
        Post "/identities/approve",
        "A value in the mail of a provider and stream is right: it is not foreign, now or when it comes.",
        Right => Identities, false, approve, |_, view| Reply::of(&Identities::new(view))
    ),
    wanting!(
        "forget",
        Post "/identities/forget",
        "A value in the mail of a provider and stream is right no more, learnt or approved: it is foreign when it comes again, unless others of its organisation are known there.",
        Right => Identities, false, forget, |_, view| Reply::of(&Identities::new(view))
    ),
    wanting!(
        "relearn",
        Post "/identities/relearn",
        "What the mail of a provider and stream looks like is learnt anew from its next ten canaries, but for what was approved.",
        Anew => Identities, false, relearn, |_, view| Reply::of(&Identities::new(view))
    ),
    wanting!(
        "acceptDns",
        Post "/dns/approve",
        "What stands in the DNS now is right: it is what is usual from now on.",
        Accepted => Dns, false, accept, |_, view| Reply::of(&Dns::new(view))
    ),
    wanting!("addSilence", Post "/silences", "Some incidents are not told of for a while.", Wished => Silence, true, silence, silenced),
    wanting!("endSilence", Delete "/silences/{silence}", "A silence ends before its time.", Named => Ended, false, unsilence, ended),
    wanting!(
        "trySink",
        Post "/sinks/try",
        "Somebody says that a sink was mended: if it refuses what it is told it is tried now, and told once more what it refused and is still open.",
        Trying => Tried, false, try_sink, tried
    ),
    wanting!(
        "beginDrill",
        Post "/drill",
        "A provider's canaries are withheld, to see whether and when somebody is paged.",
        Drilling => DrillBegun, true, begin_drill, drill_begun
    ),
    wanting!(
        "stopDrill",
        Delete "/drill",
        "The drill ends before its time.",
        Named => DrillEnded, false, stop_drill, |_, view| Reply::of(&DrillEnded::new(view))
    ),
];

fn acknowledge(asked: &Asked, _: At) -> Result<Event, Problem> {
    let (incident, Said { by, note }) = (IncidentId(asked.path_number("incident")), said(asked)?);
    Ok(Event::Acknowledged { incident, by, note, said_at: None, via: None })
}

fn close(asked: &Asked, _: At) -> Result<Event, Problem> {
    let (incident, Said { by, note }) = (IncidentId(asked.path_number("incident")), said(asked)?);
    Ok(Event::Closed { incident, by, note })
}

fn approve(asked: &Asked, _: At) -> Result<Event, Problem> {
    let Right { provider, stream, part, value, by } = asked.read()?;
    let value = value.trim().to_lowercase();
    if !says_something(&value, VALUE) {
        return Err(unfit(format!("say which `value`, of {VALUE} characters at most")));
    }
    let part = crate::model::Part::from(part);
    let refused = |right| Problem::conflict(format!("no mail can have this as its {}: it would be {right}", part.title()));
    let mark = Mark { part, value: normal(part, &value).map_err(refused)? };
    Ok(Event::Approved { provider: provider.into_inner(), stream: stream.into_inner(), mark, by: named(asked, &by)? })
}

fn forget(asked: &Asked, _: At) -> Result<Event, Problem> {
    let Right { provider, stream, part, value, by } = asked.read()?;
    let value = value.trim().to_lowercase();
    if !says_something(&value, VALUE) {
        return Err(unfit(format!("say which `value`, of {VALUE} characters at most")));
    }
    let part = crate::model::Part::from(part);
    // What an earlier version took need not be what would be taken now.
    let mark = Mark { part, value: normal(part, &value).unwrap_or(value) };
    Ok(Event::Unlearnt { provider: provider.into_inner(), stream: stream.into_inner(), mark: Some(mark), by: named(asked, &by)? })
}

fn relearn(asked: &Asked, _: At) -> Result<Event, Problem> {
    let Anew { provider, stream, by } = asked.read()?;
    Ok(Event::Unlearnt { provider: provider.into_inner(), stream: stream.into_inner(), mark: None, by: named(asked, &by)? })
}

fn accept(asked: &Asked, _: At) -> Result<Event, Problem> {
    let Accepted { subject, by } = asked.read()?;
    let subject = Subject::try_from(subject.trim().to_lowercase()).map_err(|error| unfit(error.to_string()))?;
    Ok(Event::Accepted { subject, by: named(asked, &by)? })
}

/// The incident that the path names.
pub(super) fn the_incident(asked: &Asked, view: &View) -> Result<Reply, Problem> {
    let number = asked.path_number("incident");
    let found = view.incidents.iter().find(|incident| incident.incident.0 == number);
    let found = found.ok_or_else(|| {
        Problem::nothing("there is no such incident, or it ended too long ago to be listed here: its timeline is kept for longer")
    })?;
    Reply::of(&Incident::new(found, view))
}

fn silence(asked: &Asked, now: At) -> Result<Event, Problem> {
    let wished: Wished = asked.read()?;
    let (from, until) = times(&wished, now)?;
    let reason = wished.reason;
    if !says_something(&reason, TEXT) {
        return Err(unfit(format!("a silence needs a `reason`, of {TEXT} characters at most")));
    }
    Ok(Event::Silenced { which: wished.which.into(), from, until, by: named(asked, &wished.by)?, reason })
}

fn silenced(_: &Asked, view: &View) -> Result<Reply, Problem> {
    let newest = view.silences.iter().max_by_key(|silence| silence.silence);
    let newest = newest.map(Silence::from).ok_or_else(|| Problem::conflict("the silence has ended already"))?;
    Ok(Reply::of(&newest)?.made(format!("/api/v1/silences/{}", newest.silence)))
}

fn unsilence(asked: &Asked, _: At) -> Result<Event, Problem> {
    Ok(Event::Unsilenced { silence: asked.path_number("silence"), by: who(asked)? })
}

fn ended(asked: &Asked, _: &View) -> Result<Reply, Problem> {
    Reply::of(&Ended { ended: asked.path_number("silence") })
}

fn try_sink(asked: &Asked, _: At) -> Result<Event, Problem> {
    let Trying { sink, by } = asked.read()?;
    named(asked, &by)?;
    Ok(Event::SinksRenewed { only: Some(sink.into_inner()) })
}

fn tried(asked: &Asked, view: &View) -> Result<Reply, Problem> {
    let Trying { sink, .. } = asked.read()?;
    Reply::of(&Tried::new(sink.into_inner(), view))
}

fn begin_drill(asked: &Asked, now: At) -> Result<Event, Problem> {
    let Drilling { provider, lasts, by } = asked.read()?;
    let lasts = span(&lasts).filter(|_| is_drilling(&lasts));
    let lasts = lasts.ok_or_else(|| unfit("`lasts` is written as `10m` or `90s`, and is 30m at most"))?;
    Ok(Event::DrillBegan { provider: provider.into_inner(), until: now.plus(lasts), by: named(asked, &by)? })
}

fn drill_begun(_: &Asked, view: &View) -> Result<Reply, Problem> {
    Ok(Reply::of(&DrillBegun::new(view))?.made("/api/v1/drill".to_owned()))
}

fn stop_drill(asked: &Asked, _: At) -> Result<Event, Problem> {
    Ok(Event::DrillStopped { by: who(asked)? })
}

/// From when until when a silence is wanted.
fn times(wished: &Wished, now: At) -> Result<(Option<At>, At), Problem> {
    let instant = |text: &String| At::from_rfc3339(text).ok_or_else(|| unfit("times are written as `2022-08-08T19:30:00Z`"));
    let from = wished.from.as_ref().map(instant).transpose()?;
    let begins = from.unwrap_or(now);
    let until = match (&wished.lasts, &wished.until) {
        (Some(lasts), None) => {
            let lasts = span(lasts).filter(|_| is_lasting(lasts));
            let lasts = lasts.ok_or_else(|| unfit("`lasts` is written as `90s`, `1h30m` or `2d`, and is 90 days at most"))?;
            begins.plus(lasts)
        }
        (None, Some(until)) => instant(until)?,
        _ => return Err(unfit("a silence has an end: give either `lasts` or `until`")),
    };
    if until <= now.max(begins) {
        return Err(Problem::conflict("a silence ends after it begins, and not in the past"));
    }
    if until.since(begins) > LONGEST_SILENCE || begins.since(now) > LATEST_SILENCE {
        return Err(Problem::conflict(
            "a silence begins within a year and lasts 90 days at most: what is not to be told of for longer belongs out of the configuration",
        ));
    }
    Ok((from, until))
}

fn said(asked: &Asked) -> Result<Said, Problem> {
    let Said { by, note } = asked.read()?;
    if note.as_ref().is_some_and(|note| note.chars().count() > TEXT) {
        return Err(unfit(format!("a `note` has {TEXT} characters at most")));
    }
    Ok(Said { by: named(asked, &by)?, note })
}

fn who(asked: &Asked) -> Result<String, Problem> {
    let Named { by } = asked.read()?;
    named(asked, &by)
}

/// Who says so. A user of the web configuration is who they are, and not who they say.
fn named(asked: &Asked, by: &str) -> Result<String, Problem> {
    if says_something(by, BY) {
        Ok(signed(by, asked.user.as_deref()))
    } else {
        Err(unfit(format!("say who you are: `by`, of {BY} characters at most")))
    }
}

fn unfit(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
}
