//! The desktop of whoever runs mailcanary: one notification an incident, replaced in place, with an action that opens its page.
//!
//! Wants the session bus, which a system service has not. Which notification is which is known as long as the process lives; the tag that
//! dunst goes by outlives it.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::future::{Abortable, BoxFuture, pending};
use futures::stream::{AbortHandle, FuturesUnordered};
use notify_rust::{Hint, Notification, NotificationHandle, NotificationResponse, Timeout, Urgency};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::fit::{self, Unit};
use super::page::{Page, Pages};
use super::{Attempt, Channel, Outgoing, Rate, Tools};
use crate::model::{At, Change, Name, Severity, Span, on_a_line};

/// The bus and the daemon are on this machine.
const DEADLINE: Duration = Duration::from_secs(10);
/// What is over is shown for so long.
const OVER_MS: u32 = 10_000;
/// Notifications whose action is waited for; of more, the oldest cannot be clicked any more.
const CLICKABLE: usize = 32;
/// Incidents whose notification is known; of more, the oldest gets a second one.
const KNOWN: usize = 200;
/// Opens an address in the user's browser.
const OPENER: &str = "xdg-open";

/// A notification that can be clicked, and where it leads.
type Shown = (NotificationHandle, String);

/// One desktop.
#[derive(Debug)]
pub(super) struct Desktop {
    name: Name,
    pages: Pages,
    /// The numbers of notifications by incident, the newest last.
    known: Mutex<Vec<(String, u32)>>,
    clicks: mpsc::Sender<Shown>,
    clicked: Mutex<Option<mpsc::Receiver<Shown>>>,
}

impl Desktop {
    pub(super) fn new(tools: &Tools<'_>) -> Self {
        let (clicks, clicked) = mpsc::channel(CLICKABLE);
        let clicked = Mutex::new(Some(clicked));
        Self { name: tools.name.clone(), pages: tools.pages.clone().at_home(), known: Mutex::default(), clicks, clicked }
    }

    async fn send(&self, out: &Outgoing) -> Attempt {
        match timeout(DEADLINE, self.show(&self.pages.page(out))).await {
            Ok(Ok(())) => Attempt::Delivered,
            // The session may begin later.
            Ok(Err(why)) => Attempt::Retry { after: None, why, unclear: false },
            Err(_) => Attempt::Retry { after: None, why: "the session's notifications do not answer".to_owned(), unclear: true },
        }
    }

    async fn show(&self, page: &Page) -> Result<(), String> {
        let can = capabilities().await?;
        let can = |what: &str| can.iter().any(|known| known == what);
        let before = self.number(&page.key);
        let mut notification = notification(page, can("body-markup"), can("actions"));
        if let Some(before) = before {
            notification.id(before);
        }
        let handle = notification.show_async().await.map_err(|error| explained(&error.to_string()))?;
        self.remember(&page.key, handle.id());
        if let Some(link) = page.link.clone().filter(|_| can("actions")) {
            // Full: the notification is there, only its click leads nowhere.
            drop(self.clicks.try_send((handle, link)));
        }
        Ok(())
    }

    fn number(&self, key: &str) -> Option<u32> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().rfind(|(other, _)| other == key).map(|(_, number)| *number)
    }

    fn remember(&self, key: &str, number: u32) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(other, _)| other != key);
        known.push((key.to_owned(), number));
        if known.len() > KNOWN {
            known.remove(0);
        }
    }

    /// Waits for clicks, and says at the start whether there is a desktop at all.
    async fn wait(&self) {
        match timeout(DEADLINE, capabilities()).await {
            Ok(Ok(_)) => {}
            Ok(Err(why)) => tracing::error!(sink = %self.name, why, "this sink reaches nobody: {}: {}", self.name, on_a_line(&why)),
            Err(_) => tracing::error!(sink = %self.name, "this sink reaches nobody: the session's notifications do not answer"),
        }
        let clicked = self.clicked.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut clicked) = clicked else { return pending().await };
        let mut waiting = FuturesUnordered::new();
        let mut open: BTreeMap<u32, AbortHandle> = BTreeMap::new();
        loop {
            tokio::select! {
                Some((handle, link)) = clicked.recv() => {
                    let id = handle.id();
                    let (abort, registration) = AbortHandle::new_pair();
                    waiting.push(Abortable::new(click(handle, link), registration));
                    // The one that it replaces waits no more; nor does the oldest of too many.
                    let oldest = open.keys().next().copied().filter(|_| open.len() >= CLICKABLE);
                    for abort in [open.insert(id, abort), oldest.and_then(|id| open.remove(&id))].into_iter().flatten() {
                        abort.abort();
                    }
                }
                Some(over) = waiting.next(), if !waiting.is_empty() => {
                    if let Ok((id, link)) = over {
                        open.remove(&id);
                        if let Some(link) = link {
                            open_page(&link).await;
                        }
                    }
                }
            }
        }
    }
}

impl Channel for Desktop {
    fn tell<'a>(&'a self, out: &'a Outgoing, _now: At) -> BoxFuture<'a, Attempt> {
        Box::pin(self.send(out))
    }

    /// So many at once cover a screen.
    fn rate(&self) -> Rate {
        Rate { burst: 10, every: Span::from_secs(1) }
    }

    fn tend(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.wait())
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async {
            match timeout(DEADLINE, capabilities()).await {
                Ok(found) => found.map(drop),
                Err(_) => Err("the session's notifications do not answer".to_owned()),
            }
        })
    }
}

/// What the session's notifications can do.
async fn capabilities() -> Result<Vec<String>, String> {
    const NAME: &str = "org.freedesktop.Notifications";
    let fail = |error: zbus::Error| explained(&error.to_string());
    let bus = zbus::Connection::session().await.map_err(fail)?;
    let answer = bus.call_method(Some(NAME), "/org/freedesktop/Notifications", Some(NAME), "GetCapabilities", &()).await.map_err(fail)?;
    answer.body().deserialize::<Vec<String>>().map_err(fail)
}

fn explained(why: &str) -> String {
    let why = fit::line(why, 200);
    format!("no notifications in this session ({why}): a desktop's own service has them (`systemctl --user`), a system service has not")
}

/// Until it is clicked or closed: its number, and where to go.
async fn click(handle: NotificationHandle, link: String) -> (u32, Option<String>) {
    let mut clicked = false;
    handle.wait_for_action_async(|response: &NotificationResponse| clicked = !matches!(response, NotificationResponse::Closed(_))).await;
    (handle.id(), clicked.then_some(link))
}

/// Opens our own page, by the session's own program.
async fn open_page(link: &str) {
    let mut command = tokio::process::Command::new(OPENER);
    command.arg(link).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.spawn() {
        Ok(mut child) => drop(timeout(DEADLINE, child.wait()).await),
        Err(error) => tracing::warn!(%error, "`{OPENER}` does not start: the incident's page was not opened"),
    }
}

fn notification(page: &Page, markup: bool, actions: bool) -> Notification {
    let (urgency, icon) = match page.severity {
        Severity::Info if page.is_over() => (Urgency::Low, "dialog-information"),
        _ if page.is_over() => (Urgency::Normal, "dialog-information"),
        Severity::Page if page.change == Change::Acknowledged => (Urgency::Normal, "dialog-warning"),
        Severity::Page => (Urgency::Critical, "dialog-error"),
        Severity::Warn => (Urgency::Normal, "dialog-warning"),
        Severity::Info => (Urgency::Low, "dialog-information"),
    };
    let body = fit::inert(&page.body());
    let body = if markup { fit::escaped(&body, 4000, Unit::Char, escape) } else { fit::within(&body, 4000, Unit::Char) };
    let mut notification = Notification::new();
    notification.appname("mailcanary").summary(&fit::inert(&page.title)).body(&body).icon(icon).urgency(urgency);
    notification.hint(Hint::Category("email".to_owned()));
    notification.hint(Hint::Custom("x-dunst-stack-tag".to_owned(), page.key.clone()));
    notification.timeout(match page.severity {
        _ if page.is_over() => Timeout::Milliseconds(OVER_MS),
        Severity::Page if page.change != Change::Acknowledged => Timeout::Never,
        Severity::Page | Severity::Warn | Severity::Info => Timeout::Default,
    });
    if actions && page.link.is_some() {
        notification.action("default", "Open the incident");
    }
    notification
}

fn escape(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::nasty;
    use super::*;

    #[test]
    fn nothing_from_outside_is_markup_or_a_link() {
        for out in nasty::all() {
            for markup in [false, true] {
                let shown = notification(&nasty::pages().page(&out), markup, true);
                nasty::assert_plain(&shown.summary);
                nasty::assert_plain(&shown.body);
                assert!(!markup || !shown.body.contains(['<', '>']), "{}", shown.body);
                assert!(!shown.body.contains("https://") && !shown.body.contains("evil.example"), "{}", shown.body);
            }
        }
    }

    #[test]
    fn a_click_leads_to_the_daemon_itself_where_no_address_is_said() {
        let clickable = |public: Option<&str>, own: Option<&str>| {
            let own_url = own.map(str::to_owned);
            let origin = super::super::Origin { public_url: public.map(str::to_owned), own_url, ..nasty::origin() };
            let page = Pages::new(origin, crate::config::Wording::default()).at_home().page(&nasty::opened());
            (notification(&page, true, true).actions.contains(&"default".to_owned()), page.link)
        };
        let own = Some("http://127.0.0.1:9825");
        assert_eq!(clickable(None, own), (true, Some("http://127.0.0.1:9825/incidents/3".to_owned())));
        assert_eq!(clickable(Some("https://canary.example"), own), (true, Some("https://canary.example/incidents/3".to_owned())));
        assert_eq!(clickable(None, None), (false, None));
    }
}
