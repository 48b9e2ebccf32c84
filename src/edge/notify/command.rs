//! A program of one's own: its arguments from the settings, the whole notice as JSON on its standard input. Never a shell.
//!
//! It runs in a process group of its own, which is killed when its time is over; what it says is read to its end, and hardly any of it is
//! kept.

use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, join3};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command as Process};
use tokio::time::{Instant, timeout, timeout_at};

use super::page::{Page, Pages};
use super::work::LANES;
use super::{Attempt, Channel, Outgoing, Tools, fit};
use crate::config::{CommandSettings, fill};
use crate::model::{At, Notice, Span};

/// Bytes of its words that are kept: the last line is told.
const KEPT: usize = 4096;
/// Bytes of evidence on its standard input.
const EVIDENCE: usize = 64 * 1024;
/// What it left running may hold its output open; so long its last words are waited for.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Try again (sysexits.h, `EX_TEMPFAIL`).
const AGAIN: i32 = 75;
/// Where its own programs are found: nothing else of our environment is passed on, for secrets may be in it.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// One program.
#[derive(Debug)]
pub(super) struct Command {
    argv: Vec<String>,
    limit: Span,
    pages: Pages,
}

impl Command {
    pub(super) fn new(settings: &CommandSettings, tools: &Tools<'_>) -> Self {
        Self { argv: settings.argv.clone(), limit: settings.timeout, pages: tools.pages.clone() }
    }

    async fn run(&self, out: &Outgoing) -> Attempt {
        let page = self.pages.page(out);
        let mut argv = self.argv.iter();
        let Some(program) = argv.next() else { return Attempt::Refused { why: "there is no program".to_owned() } };
        let mut process = Process::new(program);
        process.args(argv.map(|argument| filled(argument, &page)));
        process.env_clear().env("PATH", PATH).current_dir("/").process_group(0).kill_on_drop(true);
        process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = match process.spawn() {
            Ok(child) => child,
            Err(error) => return Attempt::Doubtful { why: format!("it does not start: {error}") },
        };
        let (ended, words) = self.follow(child, &input(&page, &out.notice)).await;
        let said = words.lines().rfind(|line| !line.trim().is_empty()).map(|line| fit::line(line, 200));
        let said = said.filter(|said| !said.is_empty()).map_or_else(String::new, |said| format!(": {said}"));
        match ended {
            None => Attempt::Retry { after: None, why: format!("it was killed after {}{said}", self.limit), unclear: true },
            Some(Err(why)) => Attempt::Doubtful { why },
            Some(Ok(status)) if status.success() => Attempt::Delivered,
            Some(Ok(status)) => match status.code() {
                Some(AGAIN) => Attempt::Retry { after: None, why: format!("it ended with {AGAIN}{said}"), unclear: false },
                Some(code) => Attempt::Doubtful { why: format!("it ended with {code}{said}") },
                None => Attempt::Doubtful { why: format!("it was killed by somebody else{said}") },
            },
        }
    }

    /// Feeds it and listens until it ends; nothing if it had to be killed. And what it said.
    async fn follow(&self, mut child: Child, input: &[u8]) -> (Option<Result<ExitStatus, String>>, String) {
        let deadline = Instant::now() + Duration::from(self.limit);
        let mut group = Group::of(&child);
        let words = Mutex::new(Vec::new());
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let feed = async {
            if let Some(mut stdin) = stdin {
                // Who does not read it needs it not.
                drop(stdin.write_all(input).await);
            }
        };
        let mut talk = Box::pin(join3(feed, listen(stdout, &words), listen(stderr, &words)));
        let mut talked = false;
        let ended = timeout_at(deadline, async {
            loop {
                tokio::select! {
                    status = child.wait() => return status.map_err(|error| format!("it cannot be waited for: {error}")),
                    _ = &mut talk, if !talked => talked = true,
                }
            }
        })
        .await;
        if ended.is_ok() && (talked || timeout(LAST_WORDS, &mut talk).await.is_ok()) {
            // Nobody of the group holds our pipes: what it has left running is meant to be.
            group.let_go();
        }
        drop(talk);
        drop(group);
        if ended.is_err() {
            // It is dead: this takes its remains away.
            drop(timeout(LAST_WORDS, child.wait()).await);
        }
        let words = words.into_inner().unwrap_or_else(PoisonError::into_inner);
        (ended.ok(), String::from_utf8_lossy(&words).into_owned())
    }
}

impl Channel for Command {
    fn tell<'a>(&'a self, out: &'a Outgoing, _now: At) -> BoxFuture<'a, Attempt> {
        Box::pin(self.run(out))
    }

    /// Each is a process.
    fn lanes(&self) -> usize {
        LANES
    }

    /// Its people would get a second message.
    fn repeats(&self) -> bool {
        true
    }
}

/// A process and all that it started, killed when nobody wants it any more.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    const fn let_go(&mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // All of it may have ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Reads to the end, and keeps the newest.
async fn listen(from: Option<impl AsyncRead + Unpin>, words: &Mutex<Vec<u8>>) {
    let Some(mut from) = from else { return };
    let mut bytes = [0; KEPT];
    while let Ok(count) = from.read(&mut bytes).await {
        if count == 0 {
            return;
        }
        let mut words = words.lock().unwrap_or_else(PoisonError::into_inner);
        words.extend(bytes.iter().take(count));
        let most = words.len().saturating_sub(KEPT);
        words.drain(..most);
    }
}

/// An argument with its placeholders filled in, once each. What begins with a placeholder is never an option.
fn filled(argument: &str, page: &Page) -> String {
    let value = |name: &str| {
        Some(match name {
            "key" => page.key.clone(),
            "change" => page.change.as_str().to_owned(),
            "severity" => page.severity.as_str().to_owned(),
            "title" => page.title.clone(),
            "text" => page.body(),
            "link" => page.link.clone().unwrap_or_default(),
            "runbook" => page.runbook.clone().unwrap_or_default(),
            _ => return None,
        })
    };
    let text = fill(argument, value);
    match text.strip_prefix('-') {
        Some(rest) if argument.starts_with('{') => format!("–{rest}"),
        _ => text,
    }
}

/// The notice as the webhook has it, and the page in words.
fn input(page: &Page, notice: &Notice) -> Vec<u8> {
    let data = Notice { evidence: fit::evidence(&notice.evidence, EVIDENCE), summary: fit::cut(&notice.summary, 4000), ..notice.clone() };
    let facts: Vec<_> = page.facts.iter().map(|fact| json!({ "name": fact.name, "value": fact.value })).collect();
    let input = json!({
        "type": format!("incident.{}", page.change.as_str()),
        "timestamp": page.at.rfc3339(),
        "key": page.key,
        "title": page.title,
        "text": page.text,
        "facts": facts,
        "link": page.link,
        "runbook": page.runbook,
        "data": data,
    });
    input.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::super::nasty;
    use super::*;
    use crate::config::{Template, Wording};

    #[test]
    fn no_text_becomes_an_option_or_a_second_argument() {
        let own = |source: &str| Wording { title: Some(Template::new(source.to_owned()).unwrap()), text: None };
        let pages = Pages::new(nasty::origin(), own("-{{ text }}"));
        for out in nasty::all() {
            let page = pages.page(&out);
            for argument in ["{title}", "{text}", "{key}", "{link}", "x{title}", "{severity}: {title}"] {
                let filled = filled(argument, &page);
                assert!(!filled.starts_with('-') && !filled.contains('\0'), "{filled}");
                nasty::assert_plain(&filled);
            }
        }
        let page = nasty::pages().page(&nasty::opened());
        assert_eq!(filled("--severity={severity}", &page), "--severity=page");
        assert_eq!(filled("{nothing} {title", &page), "{nothing} {title");
    }

    #[test]
    fn the_input_is_bounded_json() {
        for out in nasty::all() {
            let page = nasty::pages().page(&out);
            let input = input(&page, &out.notice);
            assert!(input.len() < 200_000, "{}", input.len());
            let value: serde_json::Value = serde_json::from_slice(&input).unwrap();
            assert_eq!(value["data"]["incident"], 3);
        }
    }
}
