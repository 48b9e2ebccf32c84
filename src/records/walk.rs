//! The way through an SPF record and all that it includes: says what is to be asked, takes the answers, counts as a receiver counts.
//!
//! It asks nobody itself. A receiver stops at the first mechanism that fits, so it may need fewer look-ups than are counted here: what is
//! counted is what the record may cost.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use super::covers::Reach;
use super::spf::{Kind, Mechanism, Record, records};
use crate::model::{Answer, Grade};

/// RFC 7208 4.6.4: more mechanisms that have to be asked for are a permanent error…
const LOOKUPS: u32 = 10;
/// …and so are more answers that have nothing in them…
const VOIDS: u32 = 2;
/// …and more hosts of one `mx`.
const HOSTS: usize = 10;
/// It goes on so far, that people hear by how much it is too many.
const ASKED: u32 = 40;
/// Hosts of `mx` whose addresses are asked for, over all of it.
const EXCHANGERS: usize = 40;

/// What is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The texts of a name.
    Texts(String),
    /// Its addresses, of either family.
    Addresses(String),
    /// The hosts that mail for it goes to.
    Mx(String),
}

#[derive(Clone, Debug)]
struct Step {
    ask: Ask,
    /// The domains whose records lead here, the first first.
    way: Vec<String>,
    /// It is what the first record redirects to.
    main: bool,
    /// It counts among the look-ups that find nothing.
    counts: bool,
}

/// The way through one domain's record.
#[derive(Clone, Debug)]
pub struct Walk {
    domain: String,
    text: Option<String>,
    several: usize,
    to_ask: VecDeque<Step>,
    asking: Option<Step>,
    lookups: u32,
    voids: u32,
    catch_all: Option<char>,
    faults: Vec<String>,
    notes: Vec<String>,
    /// Addresses of which it is to be said whether the record lets them pass.
    seen: Vec<IpAddr>,
    reach: Reach,
    /// What is included, in one way of writing it.
    includes: BTreeMap<String, String>,
    exchangers: usize,
}

impl Walk {
    /// Begins with the texts of `domain`.
    #[must_use]
    pub fn new(domain: &str, texts: &[String]) -> Self {
        let found = records(texts);
        let mut walk = Self {
            domain: domain.trim_end_matches('.').to_ascii_lowercase(),
            text: None,
            several: found.len(),
            to_ask: VecDeque::new(),
            asking: None,
            lookups: 0,
            voids: 0,
            catch_all: None,
            faults: Vec::new(),
            notes: Vec::new(),
            seen: Vec::new(),
            reach: Reach::default(),
            includes: BTreeMap::new(),
            exchangers: 0,
        };
        if let [text] = *found {
            let record = Record::read(text);
            walk.text = Some(record.fault.as_ref().map_or_else(|| record.canonical(), |_| text.to_owned()));
            walk.follow(&record, &[walk.domain.clone()], true);
        } else if found.len() > 1 {
            let mut all: Vec<&str> = found;
            all.sort_unstable();
            walk.text = Some(all.join(" | "));
        }
        walk
    }

    /// The same, which says in its answer whether the record lets these addresses pass.
    #[must_use]
    pub fn seen(mut self, addresses: &[IpAddr]) -> Self {
        self.seen = addresses.to_vec();
        self
    }

    /// What is to be asked next; the answer goes to [`Walk::take`]. `None`: nothing any more.
    #[expect(clippy::should_implement_trait, reason = "it is no iterator: each question waits for its answer")]
    pub fn next(&mut self) -> Option<Ask> {
        self.asking = self.to_ask.pop_front();
        self.asking.as_ref().map(|step| step.ask.clone())
    }

    /// Takes the answer to what was asked last: texts, addresses, or names of hosts.
    pub fn take(&mut self, answer: &[String]) {
        let Some(step) = self.asking.take() else { return };
        if answer.is_empty() && step.counts {
            self.voids += 1;
        }
        match &step.ask {
            Ask::Texts(name) => self.enter(name, &step, answer),
            Ask::Mx(name) if answer.len() > HOSTS => self.fault(format!("`mx` of {name} has {} hosts, of at most {HOSTS}", answer.len())),
            Ask::Mx(name) => self.exchange(name, &step, answer),
            Ask::Addresses(name) => {
                self.reach.addresses.insert(name.clone(), answer.iter().filter_map(|text| text.parse().ok()).collect());
            }
        }
    }

    /// What all of it comes to.
    #[must_use]
    pub fn answer(mut self) -> Answer {
        let Some(text) = self.text.take() else { return Answer::absent() };
        if self.several > 1 {
            return Answer::new(Grade::Broken, &text).note(&format!("{} records, where there may be one: receivers fail it", self.several));
        }
        if self.lookups > LOOKUPS {
            let more = if self.lookups > ASKED { "more than " } else { "" };
            self.faults.insert(0, format!("{more}{} look-ups, of at most {LOOKUPS}", self.lookups.min(ASKED)));
        }
        if self.voids > VOIDS {
            self.faults.push(format!("{} look-ups find nothing, of at most {VOIDS}", self.voids));
        }
        let (grade, note) = match self.catch_all {
            _ if !self.faults.is_empty() => (Grade::Broken, "receivers call that a permanent error"),
            Some('+') => (Grade::Weak, "`+all` lets anybody send"),
            Some('?') | None => (Grade::Weak, "it says nothing of others than those it names"),
            Some(_) => (Grade::Sound, ""),
        };
        let passes = |host: &IpAddr| Some((*host, self.reach.passes(&self.domain, *host)?));
        // Of a record that is an error nobody is let pass, whoever stands in it.
        let hosts = if self.faults.is_empty() { self.seen.iter().filter_map(passes).collect() } else { BTreeMap::new() };
        let mut answer = Answer { lookups: Some(self.lookups), hosts, ..Answer::new(grade, &text).including(&self.includes) };
        for note in self.faults.iter().chain(&self.notes).map(String::as_str).chain(Some(note)).filter(|note| !note.is_empty()) {
            answer = answer.note(note);
        }
        answer
    }

    fn fault(&mut self, fault: String) {
        if self.faults.len() < 3 && !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// The hosts of an `mx`: their addresses are asked for only where there is an address to be held against them.
    fn exchange(&mut self, name: &str, step: &Step, answer: &[String]) {
        let bare = |host: &String| host.rsplit(' ').next().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
        let hosts: Vec<String> = answer.iter().map(bare).collect();
        for host in hosts.iter().filter(|_| !self.seen.is_empty()) {
            if self.exchangers < EXCHANGERS {
                self.exchangers += 1;
                self.to_ask.push_back(Step { ask: Ask::Addresses(host.clone()), counts: false, ..step.clone() });
            }
        }
        self.reach.exchangers.insert(name.to_owned(), hosts);
    }

    /// What a record that was included, or redirected to, adds.
    fn enter(&mut self, name: &str, step: &Step, texts: &[String]) {
        let found = records(texts);
        match *found {
            [text] => {
                let way: Vec<String> = step.way.iter().cloned().chain([name.to_owned()]).collect();
                let record = Record::read(text);
                self.includes.insert(name.to_owned(), record.fault.as_ref().map_or_else(|| record.canonical(), |_| text.to_owned()));
                self.follow(&record, &way, step.main);
            }
            [] => self.fault(format!("{name} has no SPF record, and is included")),
            [..] => self.fault(format!("{name} has {} SPF records", found.len())),
        }
    }

    fn follow(&mut self, record: &Record, way: &[String], main: bool) {
        let domain = way.last().map_or("", String::as_str);
        if let Some(fault) = &record.fault {
            self.fault(format!("{fault} (in the record of {domain})"));
            return;
        }
        self.reach.records.insert(domain.to_owned(), record.clone());
        if main {
            self.catch_all = record.catch_all();
        }
        for mechanism in record.counted().filter(|m| m.kind.asks()) {
            self.count(mechanism, way, domain);
        }
        // Where there is an `all`, nobody is redirected.
        if let Some(to) = record.redirect.as_ref().filter(|_| record.catch_all().is_none()) {
            self.lookups += 1;
            self.go(to, way, main);
        }
    }

    fn count(&mut self, mechanism: &Mechanism, way: &[String], domain: &str) {
        self.lookups += 1;
        let named = mechanism.value.split('/').next().unwrap_or_default();
        let name = if named.is_empty() { domain } else { named.trim_end_matches('.') };
        let ask = match mechanism.kind {
            Kind::Include => return self.go(name, way, false),
            Kind::A => Ask::Addresses(name.to_owned()),
            Kind::Mx => Ask::Mx(name.to_owned()),
            Kind::Ptr => {
                if self.notes.is_empty() {
                    self.notes.push("`ptr` should not be used (RFC 7208 5.5)".to_owned());
                }
                return;
            }
            Kind::All | Kind::Exists | Kind::Ip4 | Kind::Ip6 => return,
        };
        self.later(Step { ask, way: way.to_vec(), main: false, counts: true });
    }

    /// Follows the way to another record.
    fn go(&mut self, name: &str, way: &[String], main: bool) {
        let name = name.trim_end_matches('.');
        if way.iter().any(|before| before == name) {
            self.fault(format!("{name} includes itself"));
        } else {
            self.later(Step { ask: Ask::Texts(name.to_owned()), way: way.to_vec(), main, counts: true });
        }
    }

    /// What depends on the mail that is checked (`%{i}`) cannot be asked for without one.
    fn later(&mut self, step: Step) {
        let (Ask::Texts(name) | Ask::Addresses(name) | Ask::Mx(name)) = &step.ask;
        if self.lookups <= ASKED && !name.contains('%') {
            self.to_ask.push_back(step);
        }
    }
}
