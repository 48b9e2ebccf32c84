//! From an open connection to a logged-in one: greeting, STARTTLS, login.
//!
//! This part is read line by line and byte by byte, for three reasons: nothing may be left in a buffer when TLS begins (what was sent in
//! the clear would count as sent under TLS, CVE-2011-0411), async-imap writes every command to its trace log, password included, and the
//! answers here are single lines.

use std::collections::BTreeSet;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::credentials::Shown;
use super::pace::Pace;
use super::sasl;
use super::trouble::{Trouble, plain};
use super::wait::{lost, within};
use crate::config::{ImapSettings, Tls};
use crate::edge::dial::{BoxStream, Dialer};
use crate::model::Class;

/// Longest line that is read here. Capability lists reach about 1 KiB.
const LINE_MAX: usize = 16 * 1024;
/// Most lines in answer to one command.
const LINES_MAX: usize = 200;

/// What the server says that it can do, in upper case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Capabilities(BTreeSet<String>);

impl Capabilities {
    /// Whether `name` (upper case) is among them.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// From `* CAPABILITY IMAP4rev1 IDLE` or `… [CAPABILITY IMAP4rev1 IDLE] …`, if `line` is one.
    fn find(line: &str) -> Option<Self> {
        let upper = line.to_ascii_uppercase();
        let words = match upper.split_once("[CAPABILITY ") {
            Some((_, rest)) => rest.split_once(']').map(|(inside, _)| inside)?,
            None => upper.strip_prefix("* CAPABILITY ")?,
        };
        Some(Self(words.split_ascii_whitespace().map(str::to_owned).collect()))
    }
}

/// A connection before the login is through.
#[derive(Debug)]
struct Lines<'a> {
    stream: BoxStream,
    tags: u32,
    pace: &'a Pace,
}

/// A successful answer.
#[derive(Debug)]
struct Reply {
    /// What the server can do, if it said so by the way.
    capabilities: Option<Capabilities>,
}

/// Connects and logs in. What is handed back speaks from the next byte on, as an authenticated session.
pub(super) async fn greet(dialer: &Dialer, imap: &ImapSettings, proof: &Shown, pace: &Pace) -> Result<(BoxStream, Capabilities), Trouble> {
    let mut stream = dialer.tcp(&imap.host, imap.port).await?;
    if imap.tls == Tls::Implicit {
        stream = dialer.tls(stream, &imap.host).await?;
    }
    let mut lines = Lines { stream, tags: 0, pace };
    let greeting = within(pace.greeting, "the greeting", lines.line("the greeting")).await?;
    let authenticated = greeting_says(&greeting)?;
    let mut known = Capabilities::find(&greeting);
    if imap.tls == Tls::StartTls {
        if authenticated {
            return Err(Trouble::Unfit { class: Class::Tls, why: "the server does not let STARTTLS happen (PREAUTH)" });
        }
        lines.starttls().await?;
        lines.stream = dialer.tls(lines.stream, &imap.host).await?;
        known = None;
    }
    if !authenticated {
        let before = match known.take() {
            Some(known) => known,
            None => lines.capabilities().await?,
        };
        known = match proof {
            Shown::Password(password) => lines.log_in(&before, &imap.username, password.expose()).await?.capabilities,
            Shown::Bearer(token) => lines.show_token(&before, imap, token.expose()).await?.capabilities,
        };
    }
    let capabilities = match known {
        Some(known) => known,
        None => lines.capabilities().await?,
    };
    if capabilities.has("ID") {
        // 163.com and its sisters refuse EXAMINE as "Unsafe Login" without it. It is a courtesy: a server that offers it and then says no,
        // as proxies do for their back-ends, is read all the same.
        match lines.command("ID", "ID (\"name\" \"mailcanary\")", false).await {
            Ok(_) | Err(Trouble::Refused { .. }) => {}
            Err(other) => return Err(other),
        }
    }
    Ok((lines.stream, capabilities))
}

/// Whether the greeting says that we are logged in already.
fn greeting_says(greeting: &str) -> Result<bool, Trouble> {
    let upper = greeting.to_ascii_uppercase();
    if upper.starts_with("* OK") {
        Ok(false)
    } else if upper.starts_with("* PREAUTH") {
        Ok(true)
    } else if upper.starts_with("* BYE") {
        Err(Trouble::Bye { text: words(greeting, 2) })
    } else {
        Err(Trouble::Garbled { what: "the connection (no IMAP greeting)" })
    }
}

/// `line` without its first `n` words, fit for people.
fn words(line: &str, n: usize) -> String {
    plain(line.splitn(n.saturating_add(1), ' ').nth(n).unwrap_or_default())
}

impl Lines<'_> {
    async fn line(&mut self, what: &'static str) -> Result<String, Trouble> {
        let mut line = Vec::new();
        loop {
            let byte = self.stream.read_u8().await.map_err(|e| lost(what, &e))?;
            if byte == b'\n' {
                break;
            }
            if line.len() >= LINE_MAX {
                return Err(Trouble::Flood { what });
            }
            line.push(byte);
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    async fn write(&mut self, what: &'static str, text: &str) -> Result<(), Trouble> {
        let line = format!("{text}\r\n");
        self.stream.write_all(line.as_bytes()).await.map_err(|e| lost(what, &e))?;
        self.stream.flush().await.map_err(|e| lost(what, &e))
    }

    fn tag(&mut self) -> String {
        self.tags = self.tags.saturating_add(1);
        format!("g{}", self.tags)
    }

    async fn command(&mut self, what: &'static str, text: &str, login: bool) -> Result<Reply, Trouble> {
        self.exchange(what, text, &[], login).await
    }

    /// Sends `text`, answers each `+` with the next of `more`, and waits for the end of it.
    async fn exchange(&mut self, what: &'static str, text: &str, more: &[String], login: bool) -> Result<Reply, Trouble> {
        let after = if login { self.pace.login } else { self.pace.command };
        let tag = self.tag();
        let answer = async {
            self.write(what, &format!("{tag} {text}")).await?;
            let mut more = more.iter();
            let mut capabilities = None;
            let mut challenge: Option<String> = None;
            for _ in 0..LINES_MAX {
                let line = self.line(what).await?;
                capabilities = Capabilities::find(&line).or(capabilities);
                if let Some(rest) = line.strip_prefix(&tag).and_then(|rest| rest.strip_prefix(' ')) {
                    return match rest.split(' ').next().unwrap_or_default().to_ascii_uppercase().as_str() {
                        "OK" => Ok(Reply { capabilities }),
                        "NO" | "BAD" => Err(Trouble::Refused { what, text: words(rest, 1) + &challenge.unwrap_or_default(), login }),
                        _ => Err(Trouble::Garbled { what }),
                    };
                } else if let Some(said) = line.strip_prefix('+') {
                    challenge = sasl::why(said).or(challenge);
                    // An empty line where we have nothing to say: it ends an exchange that failed.
                    self.write(what, more.next().map_or("", String::as_str)).await?;
                } else if line.to_ascii_uppercase().starts_with("* BYE") {
                    return Err(Trouble::Bye { text: words(&line, 2) });
                }
            }
            Err(Trouble::Flood { what })
        };
        within(after, what, answer).await
    }

    /// Shows an access token. Where it is not taken, a challenge says why, and the refusal follows once that is answered.
    async fn show_token(&mut self, capabilities: &Capabilities, imap: &ImapSettings, token: &str) -> Result<Reply, Trouble> {
        if imap.username.contains(['\r', '\n', '\0', '\x01']) || token.contains(|c: char| c.is_control()) {
            return Err(Trouble::Unfit { class: Class::Auth, why: "the user name or token holds a control character" });
        }
        let Some(mechanism) = sasl::MECHANISMS.into_iter().find(|mechanism| capabilities.has(mechanism.capability)) else {
            return Err(Trouble::Unfit {
                class: Class::Auth,
                why: "the server offers neither XOAUTH2 nor OAUTHBEARER: it takes no access tokens",
            });
        };
        let (first, after) = (mechanism.response(imap, token), mechanism.abort.to_owned());
        let (line, more) = if capabilities.has("SASL-IR") {
            (format!("AUTHENTICATE {} {first}", mechanism.name), vec![after])
        } else {
            (format!("AUTHENTICATE {}", mechanism.name), vec![first, after])
        };
        self.exchange("AUTHENTICATE", &line, &more, true).await
    }

    async fn starttls(&mut self) -> Result<(), Trouble> {
        match self.command("STARTTLS", "STARTTLS", false).await {
            Ok(_) => Ok(()),
            Err(Trouble::Refused { .. }) => Err(Trouble::Unfit { class: Class::Tls, why: "the server does not offer STARTTLS" }),
            Err(other) => Err(other),
        }
    }

    async fn capabilities(&mut self) -> Result<Capabilities, Trouble> {
        Ok(self.command("CAPABILITY", "CAPABILITY", false).await?.capabilities.unwrap_or_default())
    }

    async fn log_in(&mut self, capabilities: &Capabilities, username: &str, password: &str) -> Result<Reply, Trouble> {
        let forbidden = |text: &str| text.contains(['\r', '\n', '\0']);
        if forbidden(username) || forbidden(password) {
            return Err(Trouble::Unfit { class: Class::Auth, why: "the user name or password holds a line break" });
        }
        let plain_offered = capabilities.has("AUTH=PLAIN");
        let ascii = username.is_ascii() && password.is_ascii();
        if capabilities.has("LOGINDISABLED") && !plain_offered {
            return Err(Trouble::Unfit { class: Class::Auth, why: "the server takes no password on this connection (LOGINDISABLED)" });
        }
        if plain_offered && (capabilities.has("LOGINDISABLED") || !ascii) {
            let token = data_encoding::BASE64.encode(format!("\0{username}\0{password}").as_bytes());
            return self.exchange("AUTHENTICATE", "AUTHENTICATE PLAIN", &[token], true).await;
        }
        if ascii {
            let command = format!("LOGIN {} {}", quoted(username), quoted(password));
            return self.command("LOGIN", &command, true).await;
        }
        let more = [format!("{username} {{{}}}", password.len()), password.to_owned()];
        self.exchange("LOGIN", &format!("LOGIN {{{}}}", username.len()), &more, true).await
    }
}

/// An IMAP quoted string. The text must be free of line breaks.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_found_where_they_stand() {
        for line in [
            "* CAPABILITY IMAP4rev1 Idle AUTH=plain",
            "* OK [CAPABILITY imap4rev1 IDLE AUTH=PLAIN] ready",
            "g1 OK [CAPABILITY IDLE AUTH=PLAIN] hi",
        ] {
            let found = Capabilities::find(line).unwrap();
            assert!(found.has("IDLE") && found.has("AUTH=PLAIN"), "{line}");
        }
        assert_eq!(Capabilities::find("* OK [CAPABILITY IDLE"), None);
        assert_eq!(Capabilities::find("* OK hello"), None);
    }

    #[test]
    fn greetings_are_told_apart() {
        assert_eq!(greeting_says("* ok ready"), Ok(false));
        assert_eq!(greeting_says("* PREAUTH you are in"), Ok(true));
        assert_eq!(greeting_says("* BYE Too many connections"), Err(Trouble::Bye { text: "Too many connections".to_owned() }));
        assert!(greeting_says("220 mail.example.net ESMTP").is_err());
    }

    #[test]
    fn quotes_and_backslashes_are_escaped() {
        assert_eq!(quoted("a\"b\\c"), r#""a\"b\\c""#);
    }
}
