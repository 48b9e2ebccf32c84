//! A server that does what a script says, good or bad.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

/// One step of a conversation.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sends this.
    Say(Vec<u8>),
    /// Sends this many bytes of a line that never ends.
    Flood(usize),
    /// Sends this over and over, as many bytes.
    Repeat(&'static str, usize),
    /// Sends this over and over, a byte now and then, until the other side closes.
    Drip(&'static str),
    /// Reads a line.
    Line,
    /// Reads up to and with these bytes.
    Until(&'static [u8]),
    /// Reads an HTTP request with its body.
    Request,
    /// Reads on and says nothing until the other side closes.
    Stall,
    /// Resets the connection.
    Reset,
}

/// What is said, as a step.
pub fn say(text: &str) -> Step {
    Step::Say(text.as_bytes().to_vec())
}

/// The steps of a server that takes everything, up to and with the reply to `DATA`.
pub fn up_to_data() -> Vec<Step> {
    let replies = ["220 fake ESMTP\r\n", "250-fake\r\n250 8BITMIME\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n"];
    let mut steps = vec![say(replies[0])];
    for reply in &replies[1..] {
        steps.extend([Step::Line, say(reply)]);
    }
    steps
}

/// A server with one script a connection.
#[derive(Debug)]
pub struct Fake {
    port: u16,
    thread: JoinHandle<Vec<String>>,
}

impl Fake {
    /// For one connection.
    pub fn new(steps: Vec<Step>) -> Self {
        Self::of(vec![steps])
    }

    /// For as many connections as there are scripts.
    pub fn of(scripts: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || scripts.iter().map(|steps| play(listener.accept().unwrap().0, steps)).collect());
        Self { port, thread }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it was told, a text a connection. Waits for the scripts to end.
    pub async fn heard(self) -> Vec<String> {
        // Not in the way of the tasks that close our side of the connections.
        tokio::task::spawn_blocking(|| self.thread.join().unwrap()).await.unwrap()
    }
}

fn play(mut stream: TcpStream, steps: &[Step]) -> String {
    let mut heard = Vec::new();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    for step in steps {
        // The other side may be gone already, which ends the conversation.
        let went_on = match step {
            Step::Say(bytes) => stream.write_all(bytes).is_ok(),
            Step::Flood(bytes) => flood(&mut stream, b"250-xxxxxxxxxxxx", *bytes),
            Step::Repeat(text, bytes) => flood(&mut stream, text.as_bytes(), *bytes),
            Step::Drip(text) => drip(&mut stream, text.as_bytes()),
            Step::Line => read_until(&mut stream, &mut heard, b"\n"),
            Step::Until(end) => read_until(&mut stream, &mut heard, end),
            Step::Request => read_request(&mut stream, &mut heard),
            Step::Stall => std::io::copy(&mut stream, &mut heard).is_ok(),
            Step::Reset => {
                socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
                false
            }
        };
        if !went_on {
            break;
        }
    }
    String::from_utf8_lossy(&heard).into_owned()
}

/// Whether the other side has had enough of it.
fn drip(stream: &mut TcpStream, text: &[u8]) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    text.iter().cycle().take(1500).any(|byte| {
        let waits = |error: &std::io::Error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        !stream.read(&mut [0]).is_err_and(|error| waits(&error)) || stream.write_all(&[*byte]).is_err()
    })
}

fn flood(stream: &mut TcpStream, text: &[u8], bytes: usize) -> bool {
    let chunk = text.repeat(1 + 65_536 / text.len());
    (0..=bytes / chunk.len()).all(|_| stream.write_all(&chunk).is_ok())
}

fn read_until(stream: &mut TcpStream, heard: &mut Vec<u8>, end: &[u8]) -> bool {
    let begun = heard.len();
    let mut byte = [0];
    while !heard[begun..].ends_with(end) {
        match stream.read(&mut byte) {
            Ok(1) => heard.push(byte[0]),
            _ => return false,
        }
    }
    true
}

fn read_request(stream: &mut TcpStream, heard: &mut Vec<u8>) -> bool {
    if !read_until(stream, heard, b"\r\n\r\n") {
        return false;
    }
    let head = String::from_utf8_lossy(heard).to_ascii_lowercase();
    let length = head.rsplit_once("content-length: ").map_or(0, |(_, rest)| rest.lines().next().unwrap().parse().unwrap());
    let mut body = vec![0; length];
    let read = stream.read_exact(&mut body).is_ok();
    heard.extend_from_slice(&body);
    read
}
