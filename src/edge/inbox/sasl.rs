//! Logging in with an access token: XOAUTH2, as Google and Microsoft document it, and OAUTHBEARER (RFC 7628).

use data_encoding::BASE64;

use crate::config::ImapSettings;

/// Longest challenge that is looked at.
const CHALLENGE_MAX: usize = 4096;

/// One way of showing a token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mechanism {
    /// Its name.
    pub(super) name: &'static str,
    /// How the server says that it has it.
    pub(super) capability: &'static str,
    /// What the challenge that says why a token is not taken is answered with: the refusal comes only then. RFC 7628, 3.2.3: one octet of 1.
    pub(super) abort: &'static str,
}

/// XOAUTH2 goes first: whoever offers both has had it for longer.
pub(super) const MECHANISMS: [Mechanism; 2] = [
    Mechanism { name: "XOAUTH2", capability: "AUTH=XOAUTH2", abort: "" },
    Mechanism { name: "OAUTHBEARER", capability: "AUTH=OAUTHBEARER", abort: "AQ==" },
];

impl Mechanism {
    /// The first response, encoded.
    pub(super) fn response(self, imap: &ImapSettings, token: &str) -> String {
        let ImapSettings { username, host, port, .. } = imap;
        let plain = if self.name == "XOAUTH2" {
            format!("user={username}\x01auth=Bearer {token}\x01\x01")
        } else {
            // RFC 5801, 4: what would end the name is written in another way.
            let name = username.replace('=', "=3D").replace(',', "=2C");
            format!("n,a={name},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01")
        };
        BASE64.encode(plain.as_bytes())
    }
}

/// What a challenge says of why a token is not taken: ` (invalid_token)`, from `{"status":"invalid_token", …}`.
pub(super) fn why(challenge: &str) -> Option<String> {
    let bytes = BASE64.decode(challenge.trim().get(..CHALLENGE_MAX).unwrap_or(challenge.trim()).as_bytes()).ok()?;
    let json: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    let status = json.get("status")?.as_str()?;
    let plain: String = status.chars().filter(|c| c.is_ascii_graphic()).take(60).collect();
    (!plain.is_empty()).then(|| format!(" ({plain})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Proof, SecretRef, Tls};

    fn shown(mechanism: Mechanism, username: &str) -> String {
        let imap = ImapSettings {
            host: "imap.example.net".to_owned(),
            port: 993,
            tls: Tls::Implicit,
            username: username.to_owned(),
            proof: Proof::Password(SecretRef::Env("UNUSED".to_owned())),
            expires: None,
            junk: None,
            junk_tabs: Vec::new(),
            preset: None,
        };
        String::from_utf8(BASE64.decode(mechanism.response(&imap, "tok").as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn tokens_are_shown_as_documented() {
        let [old, new] = MECHANISMS;
        assert_eq!(shown(old, "a@b"), "user=a@b\x01auth=Bearer tok\x01\x01");
        assert_eq!(shown(new, "a,b=c@d"), "n,a=a=2Cb=3Dc@d,\x01host=imap.example.net\x01port=993\x01auth=Bearer tok\x01\x01");
    }

    #[test]
    fn a_challenge_says_why() {
        let said = |json: &str| why(&format!(" {}", BASE64.encode(json.as_bytes())));
        assert_eq!(said(r#"{"status":"invalid_token","scope":"x"}"#).as_deref(), Some(" (invalid_token)"));
        assert_eq!(said(r#"{"status":"400","schemes":"Bearer"}"#).as_deref(), Some(" (400)"));
        assert_eq!(said("{\"status\":\"a\\u001b[31mb\"}").as_deref(), Some(" (a[31mb)"));
        for other in ["", " ", " Password:", " !!!", " e30="] {
            assert_eq!(why(other), None, "{other}");
        }
    }
}
