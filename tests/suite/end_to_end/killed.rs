//! `kill -9` at every step of a notice, over many seeded lives: no notice is lost, none is told again but what was in flight, and nobody is
//! called after a recovery.
//!
//! The providers refuse at the first canary, which opens an incident each; those that the next life does not configure are resolved by it.
//! One sink is up, and kills; the other is down until the last life.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mailcanary::ledger::Ledger;
use mailcanary::model::{Change, IncidentId, Notice, NoticeId};
use mailcanary::watchdog::Fact;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::support::alertmanager::{Folder, free_port};
use crate::support::gate::{Call, Kill, Life, Step};
use crate::support::notices::present;
use crate::support::refuser::Refuser;

/// So many lives are killed unless the environment says otherwise.
const KILLS: u64 = 200;
const HOW_MANY: &str = "MAILCANARY_TEST_KILLS";
/// Of one ledger; then comes a life in peace.
const LIVES: u64 = 10;
const PROVIDERS: u64 = 6;
/// The last life of a ledger has told everything by then.
const PATIENCE: Duration = Duration::from_secs(60);

/// What looks like chance: SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    /// Some of the providers, and one at least.
    fn providers(&mut self) -> Vec<String> {
        let certain = self.below(PROVIDERS);
        (0..PROVIDERS).filter(|n| *n == certain || self.below(2) == 0).map(|n| format!("p{n}")).collect()
    }

    fn kill(&mut self) -> Kill {
        let step = Step::ALL[self.below(Step::ALL.len() as u64) as usize];
        let longest = if step == Step::Begun { 400 } else { 30 };
        Kill { step, call: self.below(4) as usize, pause: Duration::from_millis(self.below(longest)) }
    }
}

/// One ledger, and all that its lives told the sink that is up.
struct Installation<'a> {
    folder: Folder,
    refuser: &'a Refuser,
    down: u16,
    told: Vec<Told>,
}

/// A notice as a sink got it.
#[derive(Debug)]
struct Told {
    id: String,
    body: Vec<u8>,
    notice: NoticeId,
    incident: IncidentId,
    answered: bool,
}

impl From<Call> for Told {
    fn from(call: Call) -> Self {
        let body: Value = call.received.json();
        let number = |key: &str| body["data"][key].as_u64().unwrap();
        let id = call.received.header("webhook-id").unwrap().to_owned();
        let (notice, incident) = (NoticeId(number("notice")), IncidentId(number("incident")));
        Self { id, notice, incident, answered: call.answered, body: call.received.body }
    }
}

impl<'a> Installation<'a> {
    fn new(refuser: &'a Refuser) -> Self {
        let folder = Folder::new("killed");
        folder.write("password", "none");
        folder.write("authorities", "");
        Self { folder, refuser, down: free_port(), told: Vec::new() }
    }

    /// The door of the sink that is up. It is not where the other one will be: nobody holds that port as long as it is down.
    fn gate(&self) -> TcpListener {
        let mut doors = std::iter::repeat_with(|| gate(0));
        doors.find(|door| door.local_addr().unwrap().port() != self.down).unwrap()
    }

    /// Starts the daemon with these providers.
    fn start(&self, providers: &[String], up: &TcpListener) -> Child {
        let (path, down, up) = (self.folder.path(), self.down, up.local_addr().unwrap());
        let providers: String = providers.iter().map(|name| self.refuser.provider(name)).collect();
        let text = format!(
            "[watch]\nevery = \"1s\"\ninstance = \"killed\"\n\n[stream.reset]\nsubject = \"Reset your password\"\n{providers}\n\
            [inbox.seed.imap]\naddress = \"seed@example.org\"\nhost = \"127.0.0.1\"\nport = {down}\ntls = \"none\"\n\
            username = \"seed\"\npassword = {{ file = \"{folder}/password\" }}\n\n\
            [sink.up.webhook]\nurl = \"http://{up}/\"\n\n[sink.down.webhook]\nurl = \"http://127.0.0.1:{down}/\"\n\n\
            [http]\nlisten = \"off\"\n\n[ledger]\npath = \"{folder}/ledger\"\n",
            folder = path.display(),
        );
        let config = self.folder.write("mailcanary.toml", &text);
        let log = || std::fs::OpenOptions::new().create(true).append(true).open(path.join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_mailcanary"));
        command.arg("run").arg("-c").arg(config).stdin(Stdio::null()).stdout(log()).stderr(log());
        // Nothing here is encrypted, and reading the system's authorities takes longer than all the rest of a life.
        command.env("SSL_CERT_FILE", path.join("authorities")).env_remove("SSL_CERT_DIR");
        command.spawn().unwrap()
    }

    /// One life with these providers, killed. Returns at which step it died.
    fn live(&mut self, providers: &[String], kill: Kill) -> Option<Step> {
        let up = self.gate();
        let before = self.ended("up");
        let life = Life::begin(self.start(providers, &up), Some(kill));
        let told: Vec<Told> = life.serve(&up, || false).into_iter().map(Told::from).collect();
        let after = self.ended("up");
        let mut open = BTreeSet::new();
        for notice in told.iter().map(|t| t.notice).collect::<BTreeSet<_>>() {
            assert!(!before.contains(&notice), "notice {notice} was told again, though it was known to be delivered\n{}", self.log());
            let incident = told.iter().find(|t| t.notice == notice).unwrap().incident;
            assert!(
                after.contains(&notice) || open.insert(incident),
                "two notices of incident {incident} would be repeated\n{}",
                self.log()
            );
        }
        self.told.extend(told);
        life.killed()
    }

    /// The last life, in which both sinks are up, until nothing waits. Returns what the other sink was told.
    fn rest(&mut self, providers: &[String]) -> Vec<Told> {
        let (up, down) = (self.gate(), gate(self.down));
        let life = Life::begin(self.start(providers, &up), None);
        let other = Arc::clone(&life);
        let there = std::thread::spawn(move || other.serve(&down, || false));
        let end = Instant::now() + PATIENCE;
        let told = life.serve(&up, || {
            // In this order: what is opened between the two is seen.
            let begun = self.is_begun(providers);
            let waiting = self.ask("SELECT notice FROM deliveries WHERE outcome = 'pending'", "");
            assert!(Instant::now() < end, "{waiting:?} still wait\n{}", self.log());
            begun && waiting.is_empty()
        });
        self.told.extend(told.into_iter().map(Told::from));
        there.join().unwrap().into_iter().map(Told::from).collect()
    }

    /// Whether these providers have an incident each, and no other has one: the last life has nothing more to say.
    fn is_begun(&self, providers: &[String]) -> bool {
        self.ask("SELECT id FROM open_incidents", "").len() == providers.len()
    }

    /// The notices whose way to this sink is over, as the next life will know it.
    fn ended(&self, sink: &str) -> BTreeSet<NoticeId> {
        self.ask("SELECT notice FROM deliveries WHERE sink = ?1 AND outcome <> 'pending'", sink)
    }

    /// The notices that this sink was not told, since they were over before.
    fn dropped(&self, sink: &str) -> BTreeSet<NoticeId> {
        self.ask("SELECT notice FROM deliveries WHERE sink = ?1 AND outcome = 'dropped'", sink)
    }

    /// Numbers that the ledger has; none before there is one.
    fn ask(&self, query: &str, sink: &str) -> BTreeSet<NoticeId> {
        let file = self.folder.path().join("ledger/ledger.sqlite");
        let Ok(connection) = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY) else { return BTreeSet::new() };
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        let Ok(mut statement) = connection.prepare(query) else { return BTreeSet::new() };
        let values: &[&dyn rusqlite::ToSql] = if sink.is_empty() { &[] } else { &[&sink] };
        let rows = statement.query_map(values, |row| row.get(0)).unwrap();
        rows.map(|number: rusqlite::Result<u32>| NoticeId(number.unwrap().into())).collect()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// All notices that the ledger has.
    fn recorded(&self) -> BTreeMap<NoticeId, Notice> {
        let (_, recovered) = Ledger::open(&self.folder.path().join("ledger"), present()).unwrap();
        assert!(recovered.checkpoint.is_none(), "no life ended in peace");
        let told = recovered.tail.into_iter().filter_map(|record| match record.fact {
            Fact::Told { notice, sinks, .. } => {
                assert_eq!(sinks.len(), 2, "{notice:?}");
                Some((notice.notice, notice))
            }
            _ => None,
        });
        told.collect()
    }
}

fn gate(port: u16) -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap()
}

/// What must hold of all that a sink was told.
///
/// What it has clearly not taken is dropped with the recovery that overtakes it, and for what says later how the same incident stands.
fn judge(told: &[Told], recorded: &BTreeMap<NoticeId, Notice>, dropped: &BTreeSet<NoticeId>) {
    let mut first: BTreeMap<NoticeId, &Told> = BTreeMap::new();
    let mut newest: BTreeMap<IncidentId, NoticeId> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for one in told {
        assert!(recorded.contains_key(&one.notice), "told, and not recorded: {one:?}");
        let known = first.entry(one.notice).or_insert(one);
        assert_eq!((&known.id, &known.body), (&one.id, &one.body), "a repeat is the same to the byte");
        ids.insert(&one.id);
        let last = newest.insert(one.incident, one.notice);
        assert!(last.is_none_or(|last| last <= one.notice), "incident {}: notice {} came after {last:?}", one.incident, one.notice);
    }
    assert_eq!(ids.len(), first.len(), "each notice has an id of its own");
    let answered: BTreeSet<NoticeId> = told.iter().filter(|t| t.answered).map(|t| t.notice).collect();
    for (number, notice) in recorded {
        let over = || recorded.values().any(|n| n.incident == notice.incident && n.change == Change::Resolved);
        let later = || recorded.values().any(|n| n.incident == notice.incident && n.notice > *number && answered.contains(&n.notice));
        assert!(answered.contains(number) || (dropped.contains(number) && (over() || later())), "lost: {notice:?}");
    }
    let resolved = recorded.values().filter(|n| n.change == Change::Resolved);
    for over in resolved {
        let last = newest.get(&over.incident);
        assert!(last == Some(&over.notice) || dropped.contains(&over.notice), "told of after its recovery");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_every_step_of_a_notice_it_loses_none_and_repeats_only_what_was_in_flight() {
    let refuser = Refuser::start().await;
    let kills = std::env::var(HOW_MANY).map_or(KILLS, |text| text.parse().unwrap());
    let mut died: BTreeMap<Option<Step>, u64> = BTreeMap::new();
    let (mut notices, mut repeats) = (0, 0);
    tokio::task::block_in_place(|| {
        for seed in 0..kills.div_ceil(LIVES) {
            let mut dice = Dice(seed);
            let mut installation = Installation::new(&refuser);
            for _ in 0..LIVES {
                let step = installation.live(&dice.providers(), dice.kill());
                *died.entry(step).or_default() += 1;
            }
            let other = installation.rest(&dice.providers());
            let recorded = installation.recorded();
            let (up, down) = (installation.dropped("up"), installation.dropped("down"));
            judge(&installation.told, &recorded, &up);
            judge(&other, &recorded, &down);
            assert_eq!(other.len() + down.len(), recorded.len(), "the sink that was down is told everything once");
            notices += recorded.len();
            repeats += installation.told.len() + up.len() - recorded.len();
        }
    });
    println!("{notices} notices, {repeats} told twice; killed: {died:?}");
    for step in Step::ALL {
        assert!(died.get(&Some(step)).is_some_and(|count| count * 20 >= kills), "{step:?} is too rare: {died:?}");
    }
}
