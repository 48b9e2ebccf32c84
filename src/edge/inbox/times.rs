//! When the receiving server had a message, by its own words.

use chrono::DateTime;

use crate::model::At;

/// `INTERNALDATE`: ` 8-Aug-2022 19:30:00 +0200`. Steps of a second, any offset, a day padded with a space.
pub(super) fn internal_date(text: &str) -> Option<At> {
    DateTime::parse_from_str(text.trim(), "%d-%b-%Y %H:%M:%S %z").ok().map(|t| At::from_ms(t.timestamp_millis()))
}

/// The date of the top-most `Received` field of a header: what stands behind its last semicolon.
pub(super) fn top_received(header: &[u8]) -> Option<At> {
    let header = String::from_utf8_lossy(header);
    let mut field = String::new();
    for line in header.lines() {
        if field.is_empty() {
            if line.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("received:")) {
                field.push_str(line);
            }
        } else if line.starts_with([' ', '\t']) {
            field.push_str(line);
        } else {
            break;
        }
    }
    let (_, date) = field.rsplit_once(';')?;
    // A comment such as `(PDT)` may follow, and folding leaves runs of blanks.
    let date = date.split('(').next().unwrap_or_default();
    let date = date.split_whitespace().collect::<Vec<_>>().join(" ");
    DateTime::parse_from_rfc2822(&date).ok().map(|t| At::from_ms(t.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: At = At::from_ms(1_659_987_000_000);

    #[test]
    fn internal_dates_have_any_offset() {
        for text in ["08-Aug-2022 19:30:00 +0000", " 8-Aug-2022 21:30:00 +0200", "8-Aug-2022 14:00:00 -0530"] {
            assert_eq!(internal_date(text), Some(TIME), "{text}");
        }
        for text in ["", "yesterday", "32-Aug-2022 19:30:00 +0000", "08-Aug-2022 19:30:00"] {
            assert_eq!(internal_date(text), None, "{text}");
        }
    }

    #[test]
    fn the_top_received_counts() {
        let header = b"Subject: hi; Mon, 1 Jan 2001 00:00:00 +0000\r\nRECEIVED: from a by b (x; y)\r\n\tid 7 for <c>;\r\n  Mon,  8 Aug 2022\r\n 12:30:00 -0700 (PDT)\r\nReceived: from z; Mon, 1 Jan 2001 00:00:00 +0000\r\n\r\n";
        assert_eq!(top_received(header), Some(TIME));
        assert_eq!(top_received(b"Received: by nobody\r\n\r\n"), None);
        assert_eq!(top_received(b"Received: by \xff\xfe; soon\r\n"), None);
        assert_eq!(top_received(b""), None);
    }
}
