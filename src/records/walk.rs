//! The way through an SPF record and all that it includes: says what is to be asked, takes the answers, counts as a receiver counts.
//!
//! It asks nobody itself. A receiver stops at the first mechanism that fits, so it may need fewer look-ups than are counted here: what is
//! counted is what the record may cost.

use std::collections::VecDeque;

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
}

/// The way through one domain's record.
#[derive(Clone, Debug)]
pub struct Walk {
    text: Option<String>,
    several: usize,
    to_ask: VecDeque<Step>,
    asking: Option<Step>,
    lookups: u32,
    voids: u32,
    catch_all: Option<char>,
    faults: Vec<String>,
    notes: Vec<String>,
}

impl Walk {
    /// Begins with the texts of `domain`.
    #[must_use]
    pub fn new(domain: &str, texts: &[String]) -> Self {
        let found = records(texts);
        let mut walk = Self {
            text: None,
            several: found.len(),
            to_ask: VecDeque::new(),
            asking: None,
            lookups: 0,
            voids: 0,
            catch_all: None,
            faults: Vec::new(),
            notes: Vec::new(),
        };
        if let [text] = *found {
            let record = Record::read(text);
            walk.text = Some(record.fault.as_ref().map_or_else(|| record.canonical(), |_| text.to_owned()));
            walk.follow(&record, &[domain.trim_end_matches('.').to_ascii_lowercase()], true);
        } else if found.len() > 1 {
            let mut all: Vec<&str> = found;
            all.sort_unstable();
            walk.text = Some(all.join(" | "));
        }
        walk
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
        if answer.is_empty() {
            self.voids += 1;
        }
        match &step.ask {
            Ask::Texts(name) => self.enter(name, &step, answer),
            Ask::Mx(name) if answer.len() > HOSTS => self.fault(format!("`mx` of {name} has {} hosts, of at most {HOSTS}", answer.len())),
            Ask::Mx(_) | Ask::Addresses(_) => {}
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
        let mut answer = Answer { lookups: Some(self.lookups), ..Answer::new(grade, &text) };
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

    /// What a record that was included, or redirected to, adds.
    fn enter(&mut self, name: &str, step: &Step, texts: &[String]) {
        let found = records(texts);
        match *found {
            [text] => {
                let way: Vec<String> = step.way.iter().cloned().chain([name.to_owned()]).collect();
                self.follow(&Record::read(text), &way, step.main);
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
        self.later(Step { ask, way: way.to_vec(), main: false });
    }

    /// Follows the way to another record.
    fn go(&mut self, name: &str, way: &[String], main: bool) {
        let name = name.trim_end_matches('.');
        if way.iter().any(|before| before == name) {
            self.fault(format!("{name} includes itself"));
        } else {
            self.later(Step { ask: Ask::Texts(name.to_owned()), way: way.to_vec(), main });
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
