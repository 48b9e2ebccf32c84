//! The legs of one canary's way as bars, one below the other, in their places in time.

use maud::{Markup, html};

use super::bits::{clock, foreign, table, took};
use super::spread::{self, Took};
use super::text;
use crate::model::past::{Became, Way};
use crate::model::way::{STEP, Stretch};
use crate::model::{At, Hop, Outcome, Side, Span};

/// The width that bars are drawn in; the picture is stretched to its column.
const WIDTH: f64 = 1000.0;
/// The least that is seen of a bar.
const LEAST: f64 = 4.0;
/// The legs of handing over, in their order.
const HANDED: [(&str, &str); 4] =
    [("connect", "connecting to the provider"), ("tls", "TLS handshake"), ("auth", "authentication"), ("data", "handing the message over")];

/// The leg that begins when the receiver had it.
const SEEN: &str = "observation";
/// The instant of which the receiver tells.
const ARRIVED: &str = "arrived, by the receiver’s clock";
/// Bytes of a host's name that are shown; the whole is there for who asks.
const HOST: usize = 60;

/// One leg: its class, its name, when it began, and how long it took.
struct Leg {
    class: &'static str,
    name: Markup,
    from: At,
    to: At,
    /// It has not ended.
    open: bool,
}

/// The whole way of a canary, as it is known at `now`.
pub(super) fn waterfall(way: &Way, now: At) -> Markup {
    let legs = legs(way, now);
    let end = legs.iter().map(|leg| leg.to).max().unwrap_or(way.sent_at);
    let whole = end.since(way.sent_at).as_secs_f64().max(1e-3);
    let x = |at: At| WIDTH * (at.since(way.sent_at).as_secs_f64() / whole).clamp(0.0, 1.0);
    let rows = html! {
        @for leg in &legs {
            tr {
                th scope="row" { (leg.name) }
                td.bar {
                    svg.fall viewBox=(format!("0 0 {WIDTH} 16")) preserveAspectRatio="none" aria-hidden="true" {
                        line x1="0" y1="8" x2=(WIDTH) y2="8" {}
                        rect class=(leg.class) x=(format!("{:.1}", x(leg.from).min(WIDTH - LEAST))) y="2" height="12" rx="2"
                            width=(format!("{:.1}", (x(leg.to) - x(leg.from)).max(LEAST))) {}
                    }
                }
                td.num data-k="took" { (lasted(leg)) @if leg.open { " so far" } }
                td.num data-k="began" { time datetime=(leg.from) title=(clock(leg.from)) { (began(leg, way.sent_at)) } }
            }
        }
    };
    html! {
        (table("The legs of its way", "stack", &["leg", "in time", ">took", ">began"], &rows))
        (stretches(way))
        (moments(way))
    }
}

fn legs(way: &Way, now: At) -> Vec<Leg> {
    let mut legs = Vec::new();
    let mut at = way.sent_at;
    for ((class, name), span) in HANDED.into_iter().zip(way.legs) {
        if let Some(span) = span {
            legs.push(Leg { class, name: html! { (name) }, from: at, to: at.plus(span), open: false });
            at = at.plus(span);
        }
    }
    let handed = way.answered_at.unwrap_or(now).max(at);
    if handed.since(at) > Span::ZERO || legs.is_empty() {
        let name = if legs.is_empty() { "handing it to the provider" } else { "until the answer was written down" };
        legs.push(Leg { class: "data", name: html! { (name) }, from: at, to: handed, open: way.answered_at.is_none() });
    }
    let gone = matches!(way.outcome, Some(Outcome::Refused(_)));
    match (way.arrived_at, way.seen_at) {
        // Receivers tell the second: it may seem to have come before it was handed over.
        (Some(arrived), seen) => {
            let end = seen.unwrap_or(arrived).max(arrived).max(handed);
            let last = hops(&mut legs, &way.hops, handed, end);
            let arrived = arrived.max(last).min(end);
            let name = if way.hops.is_empty() {
                "delivery, by the receiver’s clock"
            } else {
                "until it lay in the inbox, by the receiver’s clock"
            };
            legs.push(Leg { class: "delivery", name: html! { (name) }, from: last, to: arrived, open: false });
            legs.push(Leg { class: SEEN, name: html! { "until it was seen" }, from: arrived, to: end, open: false });
        }
        (None, _) if gone => {}
        (None, _) => {
            let open = way.became == Became::InFlight;
            let end = way.lost_at.or(way.forgotten_at).filter(|_| !open).unwrap_or(now).max(handed);
            let (class, name) = if open { ("wait", "on its way") } else { ("gone", "waited for, and it did not come") };
            legs.push(Leg { class, name: html! { (name) }, from: handed, to: end, open });
        }
    }
    legs
}

/// The hosts of its way, each with how long the mail lay before it had it; says when the last of them had it. Where clocks differ a bar ends
/// where the one before it did.
fn hops(legs: &mut Vec<Leg>, hops: &[Hop], handed: At, end: At) -> At {
    let mut last = handed;
    for hop in hops {
        let to = hop.at.unwrap_or(last).max(last).min(end);
        legs.push(Leg { class: side(hop.side), name: host(hop), from: last, to, open: false });
        last = to;
    }
    last
}

const fn side(side: Option<Side>) -> &'static str {
    match side {
        Some(Side::Provider) => "hop provider",
        Some(Side::Receiver) => "hop receiver",
        Some(Side::Between) | None => "hop",
    }
}

/// A host with whom it had the mail from.
fn host(hop: &Hop) -> Markup {
    let by = if hop.by.is_empty() { "a host without a name" } else { &hop.by };
    html! {
        "until " span.host title=(text::plain(by, 253)) { (foreign(by, HOST)) } " had it"
        span.small {
            @if !hop.from.is_empty() { br; "from " span.host title=(text::plain(&hop.from, 253)) { (foreign(&hop.from, HOST)) } }
            @if let Some(address) = hop.address.filter(|address| address.to_string() != hop.from) { " [" (address) "]" }
            @if hop.at.is_none() { br; "it does not say when" }
            @if let Some(behind) = hop.behind { br; "its clock is " (took(behind)) " behind" }
        }
    }
}

/// The five legs in one line each, where hosts wrote enough down.
fn stretches(way: &Way) -> Markup {
    let legs = way.stretches();
    if way.hops.is_empty() || legs.iter().flatten().count() < 3 {
        return html! {};
    }
    let rows = html! {
        @for (leg, ms) in Stretch::ALL.iter().zip(legs) {
            tr {
                th scope="row" { (leg.as_str()) }
                td { (leg.in_words()) }
                td.num data-k="took" {
                    @match ms {
                        Some(ms @ 0..) => (told(*leg == Stretch::Observation, Span::from_ms(ms.unsigned_abs()))),
                        Some(ms) if ms >= -STEP => "0ms",
                        Some(ms) => { (took(Span::from_ms(ms.unsigned_abs()))) " less than nothing: clocks differ" }
                        None => "not known",
                    }
                }
            }
        }
    };
    table("Its way in five legs", "stack", &["part", "where it waits", ">took"], &rows)
}

/// How long a leg took.
fn lasted(leg: &Leg) -> String {
    told(leg.class == "delivery" || leg.class == SEEN, leg.to.since(leg.from))
}

/// When it began, after the canary was sent.
fn began(leg: &Leg, sent: At) -> String {
    let after = told(leg.class == SEEN, leg.from.since(sent));
    if after.starts_with('<') { after } else { format!("+{after}") }
}

/// A span; one that begins or ends by the receiver's clock no finer than that tells.
fn told(by_receiver: bool, span: Span) -> String {
    if by_receiver { spread::said(Took::Within(span)) } else { took(span) }
}

/// The instants of its life.
fn moments(way: &Way) -> Markup {
    let refused = matches!(way.outcome, Some(Outcome::Refused(_)));
    let answer = if refused { "the provider refused it" } else { "the provider had answered" };
    let moments = [
        ("composed and recorded", Some(way.sent_at)),
        (answer, way.answered_at),
        (ARRIVED, way.arrived_at),
        ("seen", way.seen_at),
        ("its deadline passed", way.lost_at),
        ("looked for no more", way.forgotten_at),
    ];
    let mut known: Vec<(&str, At)> = moments.into_iter().filter_map(|(what, at)| Some((what, at?))).collect();
    // What its receiver says of it cannot have been before it was handed over.
    let least = |what: &str| if what == ARRIVED { way.answered_at.unwrap_or(way.sent_at) } else { way.sent_at };
    known.sort_by_key(|(what, at)| (*at).max(least(what)));
    let rows = html! {
        @for (what, at) in known {
            tr {
                th scope="row" { (what) }
                td { time datetime=(at) { (at.rfc3339()) } }
                td.num data-k="after sending" { (told(what == ARRIVED, at.since(way.sent_at))) }
            }
        }
    };
    table("When what happened", "stack", &["what", "when", ">after sending"], &rows)
}
