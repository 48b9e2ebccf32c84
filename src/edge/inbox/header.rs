//! What is kept of a canary's header: for people, and for the provider's ticket.

use crate::canary::without_tokens;

/// Bytes of one header that are kept.
const MOST: usize = 16 * 1024;

/// The header as text, whole lines of it, without tokens.
pub(super) fn kept(header: &[u8]) -> String {
    let begin = header.get(..MOST).unwrap_or(header);
    let whole = if begin.len() < header.len() {
        begin.iter().rposition(|byte| *byte == b'\n').and_then(|end| begin.get(..=end)).unwrap_or_default()
    } else {
        begin
    };
    let text: String = String::from_utf8_lossy(whole).chars().filter(|c| *c != '\r' && *c != '\0').collect();
    let mut text = without_tokens(text.trim_end());
    if begin.len() < header.len() {
        text.push_str("\n…");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::kept;

    #[test]
    fn whole_lines_are_kept_and_no_token() {
        let token = format!("mc-{}", "a2".repeat(18));
        let header = format!("Received: from a\r\n\tby b\r\nSubject: [{token}] x\r\nTo: <seed+{token}@example.org>\r\n\r\n");
        assert_eq!(kept(header.as_bytes()), "Received: from a\n\tby b\nSubject: [mc-***] x\nTo: <seed+mc-***@example.org>");
        let long = format!("A: 1\r\n{}B: 2\r\n", "X: ü\0\r\n".repeat(2_000_000));
        let kept_of_long = kept(long.as_bytes());
        assert!(kept_of_long.len() <= super::MOST && kept_of_long.starts_with("A: 1\nX: ü\nX") && kept_of_long.ends_with("X: ü\n…"));
        assert_eq!(kept(&vec![b'x'; 20_000]), "\n…", "no line ends");
        assert_eq!(kept(b"\xff\xfe: \xc3"), "\u{fffd}\u{fffd}: \u{fffd}");
        assert_eq!(kept(b""), "");
    }
}
