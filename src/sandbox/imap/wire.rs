//! The socket of a session, and imap-next's server on it. Memory is bounded by both of imap-next's limits, and by never reading while there
//! is something to write.

use std::collections::VecDeque;
use std::time::Duration;

use imap_next::imap_types::response::{Data, Greeting, Status};
use imap_next::server::{Error, Event, Options, Server};
use imap_next::{Interrupt, Io, State};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// The longest command, in bytes; Dovecot takes 64 KiB too.
const COMMAND: u32 = 64 << 10;

/// The longest literal in a command: passwords, folder names.
const LITERAL: u32 = 4 << 10;

/// Commands that are kept while answers go out.
const STASH: usize = 64;

/// The connection is gone, or does not take what we write.
#[derive(Debug)]
pub(super) struct Gone;

/// What came in.
#[derive(Debug)]
pub(super) enum Heard {
    /// A command, or a part of one.
    Event(Event),
    /// What is no command: the line, as far as it was kept.
    Nonsense(Vec<u8>),
}

/// One connection.
#[derive(Debug)]
pub(super) struct Wire<S> {
    stream: S,
    pub(super) server: Server,
    out: Vec<u8>,
    stash: VecDeque<Heard>,
    patience: Duration,
    queued: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S, greeting: Greeting<'static>, patience: Duration) -> Self {
        let mut options = Options::default();
        options.max_command_size = COMMAND;
        options.max_literal_size = LITERAL;
        Self { stream, server: Server::new(options, greeting), out: Vec::new(), stash: VecDeque::new(), patience, queued: 0 }
    }

    /// Queues a status.
    pub(super) fn say(&mut self, status: Status<'static>) {
        self.server.enqueue_status(status);
    }

    /// Queues data.
    pub(super) fn tell(&mut self, data: Data<'static>) {
        self.server.enqueue_data(data);
    }

    /// Queues data of about this many bytes, and writes out what is queued when it is much.
    pub(super) async fn tell_much(&mut self, data: Data<'static>, bytes: usize) -> Result<(), Gone> {
        self.tell(data);
        self.queued += bytes + 256;
        if self.queued > 256 << 10 { self.settle().await } else { Ok(()) }
    }

    /// Waits for the next thing to come in, and writes out what is queued meanwhile. Can be dropped at any await without loss.
    pub(super) async fn hear(&mut self) -> Result<Heard, Gone> {
        loop {
            if let Some(heard) = self.stash.pop_front() {
                return Ok(heard);
            }
            self.settle().await?;
            if self.stash.is_empty() {
                let mut chunk = [0; 8192];
                let n = self.stream.read(&mut chunk).await.or(Err(Gone))?;
                if n == 0 {
                    return Err(Gone);
                }
                self.server.enqueue_input(chunk.get(..n).unwrap_or_default());
            }
        }
    }

    /// Writes out everything that is queued.
    pub(super) async fn settle(&mut self) -> Result<(), Gone> {
        loop {
            while !self.out.is_empty() {
                let written = timeout(self.patience, self.stream.write(&self.out)).await.or(Err(Gone))?.or(Err(Gone))?;
                if written == 0 {
                    return Err(Gone);
                }
                self.out.drain(..written);
            }
            match self.server.next() {
                Ok(Event::GreetingSent { .. } | Event::ResponseSent { .. }) => {}
                Ok(event) => self.keep(Heard::Event(event))?,
                Err(Interrupt::Io(Io::Output(bytes))) => self.out.extend(bytes),
                Err(Interrupt::Io(Io::NeedMoreInput)) => {
                    self.queued = 0;
                    return Ok(());
                }
                Err(Interrupt::Error(error)) => self.keep(Heard::Nonsense(discarded(&error)))?,
            }
            if !self.stash.is_empty() && self.out.is_empty() {
                // imap-next sends before it receives: what it received proves that all is sent.
                self.queued = 0;
                return Ok(());
            }
        }
    }

    fn keep(&mut self, heard: Heard) -> Result<(), Gone> {
        if self.stash.len() >= STASH {
            return Err(Gone);
        }
        self.stash.push_back(heard);
        Ok(())
    }

    /// Takes in whatever comes, says nothing, and returns when the client has closed.
    pub(super) async fn until_hung_up(&mut self) {
        let mut sink = [0; 4096];
        while matches!(self.stream.read(&mut sink).await, Ok(n) if n > 0) {}
    }
}

fn discarded(error: &Error) -> Vec<u8> {
    let (Error::ExpectedCrlfGotLf { discarded_bytes }
    | Error::MalformedMessage { discarded_bytes }
    | Error::LiteralTooLong { discarded_bytes }
    | Error::CommandTooLong { discarded_bytes }) = error;
    discarded_bytes.declassify().to_vec()
}
