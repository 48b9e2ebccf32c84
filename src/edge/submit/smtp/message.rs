//! The message on the wire, and what the answer says of it.

use super::talk::Reply;

/// `message` as it goes out behind `DATA`: a dot doubled where a line begins with one (RFC 5321, 4.5.2), a line break at the end, without
/// the final dot.
pub(super) fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len().saturating_add(16));
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if line.first() == Some(&b'.') {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// The provider's own id of the message, where its answer holds one in a known way.
pub(super) fn queue_id(reply: &Reply) -> Option<String> {
    let text = reply.lines().collect::<Vec<_>>().join(" ");
    let words: Vec<_> = text.split_whitespace().collect();
    let after = |signs: &[&str]| {
        let at = words.windows(signs.len()).position(|run| run.iter().zip(signs).all(|(word, sign)| word.eq_ignore_ascii_case(sign)))?;
        words.get(at.saturating_add(signs.len())).copied()
    };
    let before = |signs: &[&str]| {
        let at = words.windows(signs.len()).position(|run| run.iter().zip(signs).all(|(word, sign)| word.eq_ignore_ascii_case(sign)))?;
        words.get(at.checked_sub(1)?).copied()
    };
    let plausible = |word: &&str| word.len() >= 8 && word.contains(|c: char| c.is_ascii_digit());
    // Postfix and SendGrid; Gmail; Exim; sendmail and OpenSMTPD; qmail; Exchange; Amazon SES.
    let found = after(&["queued", "as"])
        .or_else(|| before(&["-", "gsmtp"]))
        .or_else(|| words.iter().find_map(|word| word.strip_prefix("id=")))
        .or_else(|| before(&["Message", "accepted", "for"]).filter(plausible))
        .or_else(|| after(&["qp"]))
        .or_else(|| words.iter().copied().find(|word| word.starts_with('<') && word.contains('@')))
        .or_else(|| after(&["Ok"]).filter(plausible))?;
    let id = found.trim_matches(|c: char| matches!(c, '<' | '>' | '.' | ',' | ';' | '(' | ')' | '"' | '\''));
    (!id.is_empty() && id.len() <= 200 && id.bytes().all(|byte| byte.is_ascii_graphic())).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Option<String> {
        queue_id(&Reply { code: 250, text: text.to_owned() })
    }

    #[test]
    fn the_queue_id_is_found_in_the_usual_answers() {
        let cases = [
            ("250 2.0.0 Ok: queued as 4LwHq12Rz3z9s", Some("4LwHq12Rz3z9s")),
            ("250 Ok: queued as Jr4-bTkTQ9G3xY0WwQ", Some("Jr4-bTkTQ9G3xY0WwQ")),
            ("250 OK id=1oL8Xk-0001aB-2c", Some("1oL8Xk-0001aB-2c")),
            ("250 2.0.0 278JU0aX012345 Message accepted for delivery", Some("278JU0aX012345")),
            ("250 2.0.0 a1b2c3d4 Message accepted for delivery", Some("a1b2c3d4")),
            ("250 ok 1659987000 qp 12345", Some("12345")),
            ("250 2.6.0 <abc.1@example.com> [InternalId=1, Hostname=x] Queued mail for delivery", Some("abc.1@example.com")),
            ("250 Ok 010201827f1e5a9c-8a7b-000000", Some("010201827f1e5a9c-8a7b-000000")),
            ("250 2.0.0 OK  1659987000 x12-20020a05600c21cc00b003a4.3 - gsmtp", Some("x12-20020a05600c21cc00b003a4.3")),
            ("250-2.0.0 Ok:\n250 2.0.0 queued as ABC123", Some("ABC123")),
            ("250 Great success", None),
            ("250 Ok", None),
            ("250 2.0.0 Message accepted for delivery", None),
        ];
        for (text, expected) in cases {
            assert_eq!(id(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn dots_are_doubled_and_the_last_line_ends() {
        assert_eq!(stuffed(b".a\r\nb.\r\n..\r\n."), b"..a\r\nb.\r\n...\r\n..\r\n");
        assert_eq!(stuffed(b""), b"\r\n");
    }
}
