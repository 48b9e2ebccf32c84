//! A message that lies before us whole: what it is to us, and how that is told.

use super::desk::Desk;
use super::header::kept;
use super::report::Report;
use super::times;
use super::trouble::Trouble;
use crate::canary::Found;
use crate::model::{At, Placement};

/// What is looked at of a message: as much as would be searched for a token.
pub(super) const LOOKED_AT: usize = crate::canary::MAX_SCANNED;

/// The field that our own canaries are known by.
pub(super) const OWN: &str = "X-Mailcanary";

/// What is handed on of a message that is no canary: its header, and of its text so much.
const STRANGE: usize = 64 * 1024;

/// One message.
#[derive(Debug)]
pub(super) struct Mail<'a> {
    /// Header and body, at most [`LOOKED_AT`] of them.
    pub(super) raw: &'a [u8],
    /// There is more of it.
    pub(super) cut: bool,
    /// In what kind of folder it lies.
    pub(super) placement: Placement,
    /// When it came, by the receiver's clock.
    pub(super) arrived_at: At,
    /// Names this copy for ever.
    pub(super) copy: String,
    /// It may have been told of by an earlier run: a strange token was counted then.
    pub(super) before: bool,
}

/// Tells of `mail` what there is to be told. True: it is a canary of ours.
pub(super) async fn tell(desk: &Desk, mail: Mail<'_>) -> Result<bool, Trouble> {
    let (canary, issued_at) = match desk.recognise(mail.raw) {
        Found::Nothing | Found::Forged if mail.before => return Ok(false),
        Found::Nothing => return foreign(desk, mail).await.map(|()| false),
        // Another installation's, perhaps: that is counted, and not weighed.
        Found::Forged => return desk.tell(Report::Forged).await.map(|()| false),
        Found::Ours { canary, issued_at } => (canary, issued_at),
    };
    if let Some(why) = (desk.looks)(canary).and_then(|expected| expected.unlike(mail.raw)) {
        return desk.tell(Report::Mismatched { canary, why }).await.map(|()| true);
    }
    let header = header_of(mail.raw);
    let Mail { raw, cut, placement, arrived_at, copy, before } = mail;
    let (seen_at, received_top, header) = ((desk.now)(), times::top_received(header), kept(header));
    desk.tell(Report::Sighted { canary, placement, arrived_at, seen_at, copy, received_top, header }).await?;
    if !before && desk.wanted.message(canary) {
        desk.tell(Report::Mail { canary, issued_at, message: raw.to_vec(), cut }).await?;
    }
    Ok(true)
}

/// Tells of a mail that is no canary, if that is wanted.
pub(super) async fn foreign(desk: &Desk, mail: Mail<'_>) -> Result<(), Trouble> {
    if !desk.wanted.strangers {
        return Ok(());
    }
    let Mail { raw, placement, arrived_at, copy, .. } = mail;
    let message = raw.get(..STRANGE.saturating_add(header_of(raw).len())).unwrap_or(raw).to_vec();
    let cut = mail.cut || message.len() < raw.len();
    desk.tell(Report::Stranger { placement, arrived_at, copy, message, cut }).await
}

/// Everything before the first empty line.
pub(super) fn header_of(raw: &[u8]) -> &[u8] {
    let ends = |at: &usize| {
        let rest = raw.get(*at..).unwrap_or_default();
        rest.starts_with(b"\n\n") || rest.starts_with(b"\n\r\n")
    };
    let end = (0..raw.len()).filter(|at| raw.get(*at) == Some(&b'\n')).find(ends);
    end.and_then(|end| raw.get(..=end)).unwrap_or(raw)
}

#[cfg(test)]
mod tests {
    use super::header_of;

    #[test]
    fn a_header_ends_with_the_first_empty_line() {
        assert_eq!(header_of(b"A: 1\r\nB: 2\r\n\r\nC: 3\r\n\r\n"), b"A: 1\r\nB: 2\r\n");
        assert_eq!(header_of(b"A: 1\nB: 2\n\nC: 3\n"), b"A: 1\nB: 2\n");
        assert_eq!(header_of(b"A: 1"), b"A: 1");
        assert_eq!(header_of(b""), b"");
    }
}
