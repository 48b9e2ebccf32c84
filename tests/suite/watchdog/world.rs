//! A small world in virtual time: it answers submissions and reports arrivals, and parts of it can be broken.

use std::collections::BTreeMap;

use mailcanary::config::{
    Budget, Duty, Family, Http, ImapSettings, Inbox, InboxKind, LedgerSettings, Mailbox, MandrillSettings, Proof, Provider, ProviderKind,
    SecretRef, Settings, Sink, SinkKind, SmtpSettings, Stream, Takes, Templates, Tls, Watch, WebhookSettings, Wire, Wording,
};
use mailcanary::model::{self, At, CanaryId, Change, Class, Name, Notice, Outcome, Placement, Route, Severity, Span};
use mailcanary::watchdog::{Delivery, Effect, Event, Reads, Record, Step, Watchdog};

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A mailbox that nobody looks into.
fn imap() -> ImapSettings {
    ImapSettings {
        host: "127.0.0.1".to_owned(),
        port: 143,
        tls: Tls::None,
        username: "u".to_owned(),
        proof: Proof::Password(SecretRef::Env("P".to_owned())),
        expires: None,
        junk: None,
        junk_tabs: Vec::new(),
        preset: None,
    }
}

/// Settings for a full matrix: providers `p0…`, streams `s0…`, inboxes `i0…`.
pub fn settings(providers: usize, streams: usize, inboxes: usize, every: Span) -> Settings {
    let names = |prefix: &str, n: usize| (0..n).map(|i| name(&format!("{prefix}{i}"))).collect::<Vec<_>>();
    let (ps, ss, is) = (names("p", providers), names("s", streams), names("i", inboxes));
    let mut routes = Vec::new();
    for provider in &ps {
        for stream in &ss {
            for inbox in &is {
                routes.push(Route { provider: provider.clone(), stream: stream.clone(), inbox: inbox.clone() });
            }
        }
    }
    let wire = Wire { family: Family::Any, ..Wire::default() };
    let from = Mailbox { name: None, address: "no-reply@example.com".to_owned() };
    let smtp = SmtpSettings { host: "127.0.0.1".to_owned(), port: 25, tls: Tls::None, login: None, hello: None };
    let provider = Provider {
        from,
        dkim_selectors: Vec::new(),
        budget: Budget::default(),
        duty: Duty::default(),
        kind: ProviderKind::Smtp(smtp),
        wire: wire.clone(),
    };
    let inbox = |n: &Name, wire: &Wire| Inbox {
        honeytoken_of: None,
        address: format!("{n}@example.net"),
        aliases: Vec::new(),
        baits: Vec::new(),
        plus_address: false,
        delete: false,
        budget: Budget::default(),
        kind: InboxKind::Imap(imap()),
        wire: wire.clone(),
    };
    let sink = Sink {
        takes: Takes::default(),
        try_at: None,
        kind: SinkKind::Webhook(WebhookSettings { url: "http://127.0.0.1:9/".to_owned(), secret: None }),
        wording: Wording::default(),
        wire: wire.clone(),
    };
    Settings {
        expected_mail: Vec::new(),
        honeytokens: Vec::new(),
        name_server: mailcanary::config::NameServer::Off,
        records: mailcanary::config::Records::default(),
        blocklists: BTreeMap::new(),
        watch: watch(every),
        streams: ss.iter().map(|s| (s.clone(), stream())).collect(),
        providers: ps.iter().map(|p| (p.clone(), provider.clone())).collect(),
        inboxes: is.iter().map(|i| (i.clone(), inbox(i, &wire))).collect(),
        sinks: BTreeMap::from([(name("hook"), sink)]),
        heartbeats: BTreeMap::new(),
        maintenance: BTreeMap::new(),
        drills: BTreeMap::new(),
        routes,
        public: None,
        http: Some(Http::at("127.0.0.1:0".parse().unwrap())),
        ledger: LedgerSettings { path: "/nonexistent".into(), keep: Span::from_secs(86_400), keep_failures: Span::from_secs(86_400) },
    }
}

fn stream() -> Stream {
    Stream { subject: "Reset".to_owned(), deadline: Span::from_secs(900), severity: Severity::Page }
}

fn watch(every: Span) -> Watch {
    Watch {
        instance: "test".to_owned(),
        every,
        confirmations: 0.2,
        false_pages_per_year: 1.0,
        blind_after: Span::from_secs(300),
        cut_off_after: Span::from_secs(120),
        remind_after: MINUTES_30,
        hold_at_least: Span::ZERO,
        hold_at_most: Span::from_secs(7200),
        runbooks: None,
        domains: Vec::new(),
    }
}

/// Settings in which every provider can be asked.
pub fn asking(providers: usize, streams: usize, inboxes: usize) -> Settings {
    let mut settings = settings(providers, streams, inboxes, Span::from_secs(60));
    for provider in settings.providers.values_mut() {
        provider.kind = ProviderKind::Mandrill(MandrillSettings {
            base_url: "http://127.0.0.1:9".to_owned(),
            api_key: SecretRef::Env("KEY".to_owned()),
            subaccount: None,
            webhook_secret: None,
            templates: Templates::default(),
        });
    }
    settings
}

/// What becomes of a canary.
#[derive(Clone, Copy, PartialEq)]
pub enum Fate {
    Arrives(Span, Placement),
    Swallowed,
    Refused(Class),
    /// Refused as too fast, with a time for which nothing more is wanted.
    Wait(Span),
    /// The provider takes the connection and says nothing until the submission is given up.
    Hangs,
}

/// A submission is given up after this.
pub const GIVEN_UP: Span = Span::from_secs(60);

type Tells = Box<dyn Fn(&Name, &Name, At) -> Option<(model::Fate, &'static str)>>;
/// What a provider answers at an instant; nothing, if it never does.
type Stands = Box<dyn Fn(&Name, At) -> Option<Event>>;
type Rule = Box<dyn Fn(&Route, At, u64) -> Option<Fate>>;

/// The world: a watchdog, a clock, and events on their way.
pub struct World {
    pub settings: Settings,
    pub dog: Watchdog,
    pub now: At,
    pub records: Vec<Record>,
    pub notices: Vec<(At, Notice)>,
    pub sent: Vec<(At, CanaryId, Route)>,
    /// The first rule that says something decides; otherwise mail arrives in 2 to 6 s.
    pub rules: Vec<Rule>,
    /// What a refusal gives away besides its class.
    pub hint: Option<String>,
    /// Boundaries of steps in `records`.
    pub steps: Vec<(At, Event, usize, Step)>,
    /// What comes at the same instant is taken in together, and concluded once.
    pub together: bool,
    /// Of how many events what followed was concluded at once, each time.
    pub bunches: Vec<usize>,
    /// Every inbox is read so often; otherwise at once.
    pub polled: Option<Span>,
    /// Each mail is seen after a while of its own, up to this long.
    pub jitter: Option<Span>,
    /// Mail is stamped when it is read, as if it arrived in batches.
    pub stamped_late: bool,
    /// What providers say of canaries when they are asked, by provider, inbox and time.
    pub tells: Option<Tells>,
    /// When which canary was asked after, with whom, and where it should have been.
    pub asked: Vec<(At, CanaryId, Name, Name)>,
    /// What accounts are said to be like when they are asked about.
    pub stands: Option<Stands>,
    /// When whose account was asked about.
    pub polled_at: Vec<(At, Name)>,
    /// What arrives before this is seen then: no inbox can be read.
    pub dark_until: Option<At>,
    /// Sinks take what they are told after so long; otherwise they say nothing.
    pub taken_after: Option<Span>,
    queue: BTreeMap<(At, u64), Event>,
    order: u64,
}

/// The first reminder.
pub const MINUTES_30: Span = Span::from_secs(1800);
pub const START: At = At::from_ms(1_700_000_000_000);

impl World {
    pub fn new(settings: Settings) -> Self {
        let dog = Watchdog::new(&settings);
        let mut world = Self {
            settings,
            dog,
            now: START,
            records: Vec::new(),
            notices: Vec::new(),
            sent: Vec::new(),
            rules: Vec::new(),
            hint: None,
            steps: Vec::new(),
            together: false,
            bunches: Vec::new(),
            polled: None,
            jitter: None,
            stamped_late: false,
            tells: None,
            asked: Vec::new(),
            stands: None,
            polled_at: Vec::new(),
            dark_until: None,
            taken_after: None,
            queue: BTreeMap::new(),
            order: 0,
        };
        world.feed(Event::Started { seed: 7, reads: Reads::Implied });
        world
    }

    /// From `at` on, `fate` for the canaries that `on` picks.
    pub fn from(&mut self, at: At, on: impl Fn(&Route, u64) -> bool + 'static, fate: Fate) {
        self.rules.insert(0, Box::new(move |route, sent, n| (sent >= at && on(route, n)).then_some(fate)));
    }

    /// From `at` on, health again.
    pub fn heal(&mut self, at: At) {
        self.rules.insert(0, Box::new(move |_, sent, n| (sent >= at).then(|| healthy(n))));
    }

    pub fn at(&mut self, at: At, event: Event) {
        self.order += 1;
        self.queue.insert((at, self.order), event);
    }

    pub fn feed(&mut self, event: Event) {
        let step = self.dog.step(self.now, event.clone()).unwrap();
        assert!(step.wake_at.is_none_or(|w| w > self.now), "wake_at is later than at");
        self.records.extend(step.records.iter().cloned());
        self.steps.push((self.now, event, self.records.len(), step.clone()));
        self.begin(step.effects);
    }

    /// All that comes at this instant.
    fn feed_together(&mut self) {
        let (mut step, mut bunch) = (Step::default(), 0);
        while let Some(event) = self.queue.first_entry().filter(|e| e.key().0 == self.now) {
            let taken = self.dog.take(self.now, event.remove()).unwrap();
            step.records.extend(taken.records);
            step.effects.extend(taken.effects);
            bunch += 1;
        }
        self.bunches.push(bunch);
        let concluded = self.dog.conclude(self.now);
        assert_eq!(concluded.wake_at, self.dog.wake_at());
        self.records.extend(step.records.into_iter().chain(concluded.records));
        self.begin(step.effects.into_iter().chain(concluded.effects).collect());
    }

    fn begin(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Submit { canary, provider, stream, inbox, .. } => self.submit(canary, &Route { provider, stream, inbox }),
                Effect::Notify(notice) => {
                    let sinks = self.dog.pending(notice.notice).map(|p| p.sinks).unwrap_or_default();
                    for (sink, after) in sinks.into_iter().zip(std::iter::repeat(self.taken_after)).filter_map(|(s, a)| Some((s, a?))) {
                        let taken = Event::Noticed { notice: notice.notice, sink, outcome: Delivery::Delivered, why: None };
                        self.at(self.now.plus(after), taken);
                    }
                    self.notices.push((self.now, notice));
                }
                Effect::Trace { canary, provider, inbox, .. } => {
                    self.asked.push((self.now, canary, provider.clone(), inbox.clone()));
                    let told = self.tells.as_ref().and_then(|tells| tells(&provider, &inbox, self.now));
                    if let Some((fate, words)) = told {
                        let words = Some(words.to_owned());
                        self.at(self.now.plus(Span::from_ms(300)), Event::Traced { canary, fate, words });
                    }
                }
                Effect::Poll { provider } => {
                    self.polled_at.push((self.now, provider.clone()));
                    if let Some(event) = self.stands.as_ref().and_then(|stands| stands(&provider, self.now)) {
                        self.at(self.now.plus(Span::from_ms(400)), event);
                    }
                }
                Effect::Look { .. } => panic!("nobody is asked to look with implied reads"),
            }
        }
    }

    fn submit(&mut self, canary: CanaryId, route: &Route) {
        let n = u64::try_from(self.sent.len()).unwrap();
        self.sent.push((self.now, canary, route.clone()));
        let fate = self.rules.iter().find_map(|rule| rule(route, self.now, n)).unwrap_or_else(|| healthy(n));
        let (outcome, retry_after) = match fate {
            Fate::Refused(class) => (Outcome::Refused(class), None),
            Fate::Wait(span) => (Outcome::Refused(Class::Rate), Some(span)),
            Fate::Arrives(..) | Fate::Swallowed => (Outcome::Accepted, None),
            Fate::Hangs => (Outcome::Unknown, None),
        };
        let hint = self.hint.clone().filter(|_| outcome != Outcome::Accepted);
        let answer = Event::Answered { canary, outcome, reply: None, hint, message_id: None, legs: Vec::new(), retry_after };
        let after = if fate == Fate::Hangs { GIVEN_UP } else { Span::from_ms(120) };
        self.at(self.now.plus(after), answer);
        if let Fate::Arrives(after, placement) = fate {
            let arrived_at = self.now.plus(after);
            let inbox = route.inbox.clone();
            let reads = |every: Span| START.plus(every.scaled(arrived_at.since(START).as_ms() / every.as_ms() + 1, 1));
            let seen = self.polled.map_or(arrived_at, reads);
            let share = (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) * 1000 / (1 << 24);
            let seen = self.jitter.map_or(seen, |longest| seen.plus(longest.scaled(share, 1000)));
            let arrived_at = if self.stamped_late { seen } else { arrived_at };
            let seen = self.dark_until.map_or(seen, |until| seen.max(until));
            self.at(seen, Event::Sighted { inbox, canary, placement, arrived_at, seen_at: None, copy: None });
        }
    }

    /// Lets `span` pass: events and wake-ups in their order.
    pub fn run(&mut self, span: Span) {
        let end = self.now.plus(span);
        loop {
            let event = self.queue.keys().next().map(|(at, _)| *at);
            let wake = self.dog.wake_at();
            let next = [event, wake].into_iter().flatten().min().unwrap();
            if next > end {
                self.now = end;
                return;
            }
            self.now = next;
            if event == Some(next) && self.together {
                self.feed_together();
            } else if event == Some(next) {
                let (_, event) = self.queue.pop_first().unwrap();
                self.feed(event);
            } else {
                self.feed(Event::Woke {});
            }
        }
    }

    /// Time passes and nobody is awake; what arrives meanwhile is reported afterwards.
    pub fn sleep(&mut self, span: Span) {
        self.now = self.now.plus(span);
        let slept: Vec<(At, u64)> = self.queue.keys().copied().filter(|(at, _)| *at < self.now).collect();
        for key in slept {
            let event = self.queue.remove(&key).unwrap();
            self.at(self.now, event);
        }
        self.feed(Event::Woke {});
    }

    pub fn opened(&self) -> Vec<&Notice> {
        self.notices.iter().map(|(_, n)| n).filter(|n| n.change == Change::Opened).collect()
    }

    pub fn told(&self, change: Change) -> usize {
        self.notices.iter().filter(|(_, n)| n.change == change).count()
    }
}

fn healthy(n: u64) -> Fate {
    Fate::Arrives(Span::from_ms(2000 + n * 2_654_435_761 % 4000), Placement::Inbox)
}
