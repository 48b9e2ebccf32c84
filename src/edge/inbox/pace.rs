//! Every duration of the reader in one place, with its reason.

use std::time::Duration;

/// How fast the reader goes and how long it waits. [`Pace::default`] is for real servers; tests hand in shorter ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Until the greeting must have come. imapflow waits 16 s; slow servers look our name up first.
    pub greeting: Duration,
    /// Until the answer to `LOGIN` must have come. Some servers delay it on purpose.
    pub login: Duration,
    /// Until the answer to any other command must have come. Delta Chat uses 60 s as well.
    pub command: Duration,
    /// Until `IDLE`, `DONE` and `NOOP` must be answered: what takes longer is a dead connection (Delta Chat: 15 s for `DONE`).
    pub done: Duration,
    /// How long one `IDLE` lasts. RFC 2177 allows 29 minutes, but NATs and load balancers forget silent connections after about 5.
    pub slice: Duration,
    /// Between two looks besides `IDLE` while a canary is outstanding: some servers do not push, and a dead connection is found this way.
    pub sweep: Duration,
    /// Between two looks at first when a canary becomes outstanding, on a server that answers fast; × 1.03 with each. Dovecot pushes only
    /// 500 ms after mail is there (`NOTIFY_DELAY_MSECS`), whoever waits in `IDLE`.
    pub quick: Duration,
    /// When looks would be this far apart, `IDLE` is as good and takes over: after some 80 looks in 15 s.
    pub quick_until: Duration,
    /// Between two looks into a junk folder that has no `IDLE` of its own.
    pub junk_sweep: Duration,
    /// Between two looks into `INBOX` without `IDLE`, while a canary is outstanding.
    pub poll_outstanding: Duration,
    /// The same while none is.
    pub poll_quiet: Duration,
    /// After a push whose message cannot be fetched yet: first wait before looking again; it doubles, three times.
    pub settle: Duration,
    /// Between two look-ups of the folders: a junk folder may be made by the first junk mail.
    pub relist: Duration,
    /// First wait after a failed connection; × 1.6 with each further one.
    pub retry: Duration,
    /// Longest wait after a failed connection (the promise is "at most 30 s later").
    pub retry_max: Duration,
    /// First wait after refused credentials; doubles. Servers lock accounts that try too often (Gmail: up to 24 h).
    pub auth: Duration,
    /// Longest wait after refused credentials.
    pub auth_max: Duration,
    /// First wait after throttling; doubles.
    pub rate: Duration,
    /// Longest wait after throttling, also when the server suggests more.
    pub rate_max: Duration,
    /// A session that lived this long was a good one: the next failure begins at the first wait again.
    pub proven: Duration,
    /// How long an own canary is left for people to look at before it is deleted.
    pub delete_after: Duration,
    /// Between two sessions that delete.
    pub delete_every: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let secs = Duration::from_secs;
        Self {
            greeting: secs(20),
            login: secs(60),
            command: secs(60),
            done: secs(15),
            slice: secs(240),
            sweep: secs(22),
            quick: Duration::from_millis(50),
            quick_until: Duration::from_millis(500),
            junk_sweep: secs(10),
            poll_outstanding: secs(4),
            poll_quiet: secs(45),
            settle: Duration::from_millis(250),
            relist: secs(300),
            retry: secs(2),
            retry_max: secs(30),
            auth: secs(60),
            auth_max: secs(900),
            rate: secs(60),
            rate_max: secs(300),
            proven: secs(60),
            delete_after: secs(600),
            delete_every: secs(300),
        }
    }
}
