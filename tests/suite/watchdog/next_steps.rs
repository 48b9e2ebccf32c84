//! Whether a page says what to do first: by what is known most exactly.

use mailcanary::model::{Class, Fate as Told, Kind, Severity, Span};

use super::world::{Fate, World, asking, settings};

const fn minutes(n: u64) -> Span {
    Span::from_secs(n * 60)
}

fn well(providers: usize, inboxes: usize) -> World {
    let mut w = World::new(settings(providers, 1, inboxes, Span::from_secs(60)));
    w.run(minutes(60));
    w
}

fn refuses(w: &mut World, class: Class) {
    w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Refused(class));
    w.run(minutes(30));
}

/// The first step of the newest notice about mail that is refused.
fn step(w: &World) -> String {
    let notices = w.notices.iter().rev().map(|(_, n)| n);
    let notice = notices.filter(|n| n.kind == Kind::Refused).find(|n| n.severity >= Severity::Warn).unwrap();
    notice.evidence["next_step"].as_str().unwrap().to_owned()
}

#[test]
fn each_class_of_refusal_has_a_first_step_that_can_be_done() {
    let expected = [
        (Class::Suspended, "open a ticket"),
        (Class::Auth, "check whether the key or password was changed"),
        (Class::Quota, "used up or unpaid"),
        (Class::Sender, "are verified"),
        (Class::Policy, "SPF, DKIM or DMARC"),
        (Class::Permanent, "names what is not taken"),
        (Class::Rate, "slow it down"),
        (Class::Transient, "status page"),
        (Class::Unknown, "check its address in the configuration"),
        (Class::Tls, "certificate"),
        (Class::Network, "from another network"),
    ];
    for (class, words) in expected {
        let mut w = well(2, 2);
        refuses(&mut w, class);
        let step = step(&w);
        assert!(step.contains(words), "{class}: {step}");
        // What was refused never became anything.
        assert!(!step.contains("what became of"), "{class}: {step}");
        assert!(step.ends_with("; meanwhile move urgent mail to another provider"), "{class}: {step}");
    }
    for (class, words) in [(Class::Suppressed, "suppression list"), (Class::Recipient, "mailbox exists")] {
        let mut w = well(2, 2);
        w.from(w.now, |r, _| r.provider.as_str() == "p0" && r.inbox.as_str() == "i0", Fate::Refused(class));
        w.run(minutes(30));
        let step = step(&w);
        assert!(step.contains(words) && step.contains("users are not affected") && !step.contains("urgent"), "{class}: {step}");
    }
}

#[test]
fn what_an_answer_gives_away_beats_its_class() {
    let hint = "this host's clock is 20m behind the provider's: mend the clock, not the key";
    for class in [Class::Auth, Class::Policy, Class::Permanent, Class::Quota] {
        let mut w = well(2, 2);
        w.hint = Some(hint.to_owned());
        refuses(&mut w, class);
        assert_eq!(step(&w), format!("{hint}; meanwhile move urgent mail to another provider"), "{class}");
        super::replay::holds(&w);
    }
    let mut w = well(2, 2);
    w.hint = Some("x".repeat(100_000));
    refuses(&mut w, Class::Auth);
    assert!(step(&w).len() < 700, "it is cut");
}

#[test]
fn a_spare_is_not_moved_to_and_not_away_from() {
    let mut settings = settings(2, 1, 2, Span::from_secs(60));
    settings.providers.values_mut().next().unwrap().duty.standby = true;
    let mut w = World::new(settings);
    w.run(minutes(60));
    w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Refused(Class::Auth));
    w.run(minutes(60));
    let step = step(&w);
    assert!(step.starts_with("no failover to it before it delivers again; check whether the key") && !step.contains("urgent"), "{step}");
}

#[test]
fn what_the_provider_says_of_its_canaries_beats_the_name_of_the_culprit() {
    for (fate, words) in [
        (Told::Vanished, "suspended accounts"),
        (Told::Stuck, "a suspension or a limit"),
        (Told::Deferred, "the receiver's words"),
        (Told::HandedOff, "quarantine"),
        (Told::Bounced, "read the bounce"),
        (Told::Blind, "what became of the canaries named here"),
    ] {
        let mut w = World::new(asking(2, 1, 2));
        w.run(minutes(60));
        w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Swallowed);
        w.tells = Some(Box::new(move |_, _, _| Some((fate, "its words"))));
        w.run(minutes(10));
        let step = w.notices.last().unwrap().1.evidence["next_step"].as_str().unwrap();
        assert!(step.contains(words), "{fate:?}: {step}");
    }
}
