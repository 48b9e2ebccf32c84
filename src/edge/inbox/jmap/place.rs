//! Where the reader of a mailbox stands: in which state of the account all was read.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::model::{At, Span};

/// First start: how far the receiver's clock may be behind ours.
const SLACK: Span = Span::from_secs(300);
/// Mail that was there before the reader stood where it stands, and is moved afterwards, is looked at for so long.
const MOVED: Span = Span::from_secs(86_400);
/// Messages that are remembered, so that a mark on one is not another sighting.
const TOLD_MAX: usize = 4096;
/// Own canaries that wait for being destroyed.
const OWN_MAX: usize = 4096;
/// A message that the server does not hand out, or fails at, is stepped over after so many reads.
const STRIKES: u32 = 5;
/// Messages of which failures are counted.
const STRIKES_MAX: usize = 256;

/// How it is kept: `{"v":1,"jmap":["ACCOUNT","STATE",MS],"own":[["ID",MS]]}`.
#[derive(Serialize, Deserialize)]
struct Written {
    v: u8,
    jmap: (String, String, i64),
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    own: Vec<(String, i64)>,
}

/// Where the reader stands.
#[derive(Debug)]
pub(super) struct Place {
    account: Option<String>,
    /// The state of all messages that was read; `None`: the latest ones are to be looked at.
    pub(super) state: Option<String>,
    /// All that came before was read.
    pub(super) read_to: At,
    /// What came before may have been told of by an earlier run.
    pub(super) told_to: At,
    /// Messages from then on are ours to tell of, also if they only change.
    pub(super) since: At,
    /// There was no earlier run: older mail is none of ours.
    pub(super) first: bool,
    told: BTreeMap<String, String>,
    order: VecDeque<String>,
    own: VecDeque<(String, At)>,
    strikes: BTreeMap<String, u32>,
}

impl Place {
    /// From what an earlier run left; what cannot be read is an unknown place, and no first start.
    pub(super) fn parse(cursor: Option<&str>, begun: At) -> Self {
        let written: Option<Written> = cursor.and_then(|text| serde_json::from_str(text).ok()).filter(|w: &Written| w.v == 1);
        let first = cursor.is_none();
        let begin = begun.minus(SLACK);
        let (account, state, read_to, own) = match written {
            Some(Written { jmap: (account, state, at), own, .. }) => (Some(account), Some(state), At::from_ms(at).min(begun), own),
            None => (None, None, begin, Vec::new()),
        };
        let since = if first { begin } else { read_to.minus(MOVED) };
        let own = own.into_iter().map(|(id, at)| (id, At::from_ms(at))).collect();
        let (told, order, strikes) = (BTreeMap::new(), VecDeque::new(), BTreeMap::new());
        Self { account, state, read_to, told_to: read_to, since, first, told, order, own, strikes }
    }

    /// For a later run.
    pub(super) fn cursor(&self) -> String {
        let jmap = (self.account.clone().unwrap_or_default(), self.state.clone().unwrap_or_default(), self.read_to.as_ms());
        let own = self.own.iter().map(|(id, at)| (id.clone(), at.as_ms())).collect();
        serde_json::to_string(&Written { v: 1, jmap, own }).unwrap_or_default()
    }

    /// The mail that is read is this account's. What was known of another's says nothing of it.
    pub(super) fn of_account(&mut self, account: &str) {
        if self.account.as_deref().is_some_and(|before| before != account) {
            self.state = None;
            self.told.clear();
            self.order.clear();
            self.own.clear();
        }
        self.account = Some(account.to_owned());
    }

    /// All that lay there at `up_to` was told of.
    pub(super) fn read(&mut self, up_to: At) {
        self.read_to = self.read_to.max(up_to);
        self.first = false;
    }

    /// Whether the message was told of, where it lies.
    pub(super) fn was_told(&self, id: &str, folder: &str) -> bool {
        self.told.get(id).is_some_and(|at| at == folder)
    }

    /// Whether it was told of at all.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.told.contains_key(id)
    }

    /// It was told of.
    pub(super) fn note(&mut self, id: &str, folder: &str) {
        self.strikes.remove(id);
        if self.told.insert(id.to_owned(), folder.to_owned()).is_none() {
            self.order.push_back(id.to_owned());
        }
        while self.order.len() > TOLD_MAX {
            let Some(oldest) = self.order.pop_front() else { return };
            self.told.remove(&oldest);
        }
    }

    /// It is a canary of ours, and will be destroyed; what is too many stays.
    pub(super) fn own(&mut self, id: &str, at: At) {
        if self.own.len() < OWN_MAX && !self.own.iter().any(|(own, _)| own == id) {
            self.own.push_back((id.to_owned(), at));
        }
    }

    /// Own canaries that were seen before `before`, at most `most`.
    pub(super) fn due(&self, before: At, most: usize) -> Vec<String> {
        self.own.iter().filter(|(_, at)| *at < before).take(most).map(|(id, _)| id.clone()).collect()
    }

    /// These are gone, or never will be.
    pub(super) fn forget(&mut self, ids: &[String]) {
        self.own.retain(|(id, _)| !ids.contains(id));
    }

    /// The message could not be had. True: often enough, it is stepped over.
    pub(super) fn strike(&mut self, id: &str) -> bool {
        if self.strikes.len() >= STRIKES_MAX && !self.strikes.contains_key(id) {
            self.strikes.clear();
        }
        let count = self.strikes.entry(id.to_owned()).or_default();
        *count = count.saturating_add(1);
        *count >= STRIKES
    }

    /// Whether it is stepped over.
    pub(super) fn is_struck(&self, id: &str) -> bool {
        self.strikes.get(id).is_some_and(|count| *count >= STRIKES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: At = At::from_ms(1_659_987_000_000);

    #[test]
    fn a_later_run_goes_on_where_the_earlier_one_stood() {
        let mut place = Place::parse(None, AT);
        assert!(place.first && place.state.is_none() && place.since == AT.minus(SLACK));
        place.of_account("u1");
        place.state = Some("s5".to_owned());
        place.own("m1", AT);
        place.read(AT);
        let cursor = place.cursor();
        assert_eq!(cursor, r#"{"v":1,"jmap":["u1","s5",1659987000000],"own":[["m1",1659987000000]]}"#);
        let later = AT.plus(Span::from_secs(86_400));
        let mut again = Place::parse(Some(&cursor), later);
        again.of_account("u1");
        assert_eq!((again.state.as_deref(), again.read_to, again.first), (Some("s5"), AT, false));
        assert_eq!(again.due(later, 9), ["m1"]);
        again.of_account("u2");
        assert_eq!((again.state.as_deref(), again.due(later, 9).len()), (None, 0), "another's mail");
    }

    #[test]
    fn an_odd_cursor_is_an_unknown_place() {
        for odd in ["", "null", r#"{"v":1,"folders":{}}"#, r#"{"v":2,"jmap":["a","b",1]}"#] {
            let place = Place::parse(Some(odd), AT);
            assert!(!place.first && place.state.is_none(), "{odd}");
        }
    }

    #[test]
    fn what_is_remembered_does_not_grow() {
        let mut place = Place::parse(None, AT);
        for n in 0..10_000 {
            place.note(&n.to_string(), "in");
            place.own(&n.to_string(), AT);
            place.strike(&format!("x{n}"));
        }
        assert!(
            place.told.len() <= TOLD_MAX
                && place.order.len() <= TOLD_MAX
                && place.own.len() <= OWN_MAX
                && place.strikes.len() <= STRIKES_MAX
        );
        assert!(place.was_told("9999", "in") && !place.was_told("9999", "junk") && !place.knows("1"));
    }
}
