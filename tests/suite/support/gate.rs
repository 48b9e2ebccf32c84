//! A receiver of webhooks that kills its caller at a step of its choice, and keeps all that the caller sent until then.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use super::alertmanager::{Received, answer};

/// Who has not called by then is killed at rest.
const REST: Duration = Duration::from_secs(4);
/// Between two looks at the door.
const LOOK: Duration = Duration::from_millis(1);

/// What has happened to a notice when its sender dies, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Anything or nothing: the sender has just begun.
    Begun,
    /// It was recorded, and its sink is being called.
    Called,
    /// The sink has it, and has not answered.
    Handed,
    /// The sink has answered.
    Answered,
    /// The answer is being recorded, or was.
    Noted,
}

impl Step {
    pub const ALL: [Self; 5] = [Self::Begun, Self::Called, Self::Handed, Self::Answered, Self::Noted];
}

/// When to kill.
#[derive(Clone, Copy, Debug)]
pub struct Kill {
    pub step: Step,
    /// At which call of this life, the first being 0.
    pub call: usize,
    /// How long after that: of use with [`Step::Begun`] and [`Step::Noted`].
    pub pause: Duration,
}

/// One call: a notice that came whole.
#[derive(Debug)]
pub struct Call {
    pub received: Received,
    /// Whether it was answered; the sender may not have lived to see it.
    pub answered: bool,
}

/// A process, while it lives, and what it sent.
#[derive(Debug)]
pub struct Life {
    child: Mutex<Child>,
    begun: Instant,
    kill: Option<Kill>,
    count: AtomicUsize,
    /// At which step it was killed, if not at rest.
    killed: Mutex<Option<Step>>,
}

impl Life {
    pub fn begin(child: Child, kill: Option<Kill>) -> Arc<Self> {
        Arc::new(Self { child: Mutex::new(child), begun: Instant::now(), kill, count: AtomicUsize::new(0), killed: Mutex::new(None) })
    }

    /// At which step it was killed.
    pub fn killed(&self) -> Option<Step> {
        *self.killed.lock().unwrap()
    }

    /// Takes what comes to `gate` until the process has ended and all that it sent was read, and ends it when `over`. In the order in which
    /// it came.
    pub fn serve(self: &Arc<Self>, gate: &TcpListener, over: impl Fn() -> bool) -> Vec<Call> {
        gate.set_nonblocking(true).unwrap();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let mut talks: Vec<JoinHandle<Option<()>>> = Vec::new();
        loop {
            // Asked before the door is looked at: a process that has ended calls no more.
            let ended = self.child.lock().unwrap().try_wait().unwrap().is_some();
            match gate.accept() {
                Ok((stream, _)) => {
                    let (life, calls) = (Arc::clone(self), Arc::clone(&calls));
                    talks.push(spawn(move || life.talk(stream, &calls)));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock && ended => break,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.look();
                    if over() {
                        self.end();
                    }
                    sleep(LOOK);
                }
                Err(error) => panic!("{error}"),
            }
        }
        talks.into_iter().for_each(|talk| assert!(talk.join().is_ok()));
        std::mem::take(&mut calls.lock().unwrap())
    }

    fn look(&self) {
        let Some(kill) = self.kill else { return };
        if kill.step == Step::Begun && self.begun.elapsed() >= kill.pause {
            self.kill_at(Step::Begun);
        } else if self.begun.elapsed() >= REST {
            self.end();
        }
    }

    fn talk(&self, mut stream: TcpStream, calls: &Mutex<Vec<Call>>) -> Option<()> {
        let call = self.count.fetch_add(1, Ordering::SeqCst);
        let kill = self.kill.filter(|kill| kill.call == call);
        let dies = |step| kill.is_some_and(|kill| kill.step == step);
        if dies(Step::Called) {
            self.kill_at(Step::Called);
        }
        stream.set_nonblocking(false).ok()?;
        let received = read(&mut stream)?;
        let index = {
            let mut calls = calls.lock().unwrap();
            calls.push(Call { received, answered: false });
            calls.len() - 1
        };
        if dies(Step::Handed) {
            self.kill_at(Step::Handed);
            return None;
        }
        calls.lock().unwrap()[index].answered = true;
        stream.write_all(answer("200 OK", "").as_bytes()).ok()?;
        if dies(Step::Answered) {
            self.kill_at(Step::Answered);
        }
        if let Some(kill) = kill.filter(|kill| kill.step == Step::Noted) {
            sleep(kill.pause);
            self.kill_at(Step::Noted);
        }
        Some(())
    }

    fn kill_at(&self, step: Step) {
        self.killed.lock().unwrap().get_or_insert(step);
        self.end();
    }

    /// `kill -9`.
    fn end(&self) {
        let mut child = self.child.lock().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

/// A request, if it comes whole.
fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let mut some = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let received = Received { head, body: bytes[end + 4..].to_vec() };
            if received.body.len() >= received.header("content-length")?.parse().ok()? {
                return Some(received);
            }
        }
        let count = stream.read(&mut some).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&some[..count]);
    }
}
