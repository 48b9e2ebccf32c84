//! The parts of a message that a client can ask for.

use imap_next::imap_types::core::AString;
use imap_next::imap_types::fetch::Section;
use mail_parser::MessageParser;

/// Where the body begins; all of the message is header when there is none.
fn body_at(message: &[u8]) -> usize {
    if message.starts_with(b"\r\n") {
        return 2;
    }
    message.windows(4).position(|w| w == b"\r\n\r\n").map_or(message.len(), |at| at + 4)
}

/// The lines of the header fields that are wanted, and the blank line.
fn fields(message: &[u8], wanted: impl Fn(&str) -> bool) -> Vec<u8> {
    let mut lines = Vec::new();
    if let Some(parsed) = MessageParser::default().parse_headers(message) {
        for header in parsed.headers() {
            let range = header.offset_field as usize..header.offset_end as usize;
            if let Some(line) = message.get(range)
                && wanted(header.name())
            {
                lines.extend_from_slice(line);
            }
        }
    }
    lines.extend_from_slice(b"\r\n");
    lines
}

/// The bytes of a section; `None` for those that need the structure of the body, which we do not tell.
pub(super) fn cut(message: &[u8], section: Option<&Section<'_>>) -> Option<Vec<u8>> {
    let names = |list: &[AString<'_>], name: &str| list.iter().any(|n| n.as_ref().eq_ignore_ascii_case(name.as_bytes()));
    match section {
        None => Some(message.to_vec()),
        Some(Section::Header(None)) => message.get(..body_at(message)).map(<[u8]>::to_vec),
        Some(Section::Text(None)) => message.get(body_at(message)..).map(<[u8]>::to_vec),
        Some(Section::HeaderFields(None, list)) => Some(fields(message, |name| names(list.as_ref(), name))),
        Some(Section::HeaderFieldsNot(None, list)) => Some(fields(message, |name| !names(list.as_ref(), name))),
        Some(
            Section::Part(_)
            | Section::Mime(_)
            | Section::Header(Some(_))
            | Section::Text(Some(_))
            | Section::HeaderFields(Some(_), _)
            | Section::HeaderFieldsNot(Some(_), _),
        ) => None,
    }
}

#[cfg(test)]
mod tests {
    use imap_next::imap_types::core::Vec1;

    use super::*;

    #[test]
    fn fields_come_whole_and_with_the_blank_line() {
        let message = b"Received: from a\r\n\tby b\r\nSubject: one\r\nX-Canary: 7\r\n\r\nSubject: in the body\r\n";
        let list = Vec1::from(AString::try_from("SUBJECT").unwrap());
        let section = Section::HeaderFields(None, list.clone());
        assert_eq!(cut(message, Some(&section)).unwrap(), b"Subject: one\r\n\r\n");
        let section = Section::HeaderFieldsNot(None, list);
        assert_eq!(cut(message, Some(&section)).unwrap(), b"Received: from a\r\n\tby b\r\nX-Canary: 7\r\n\r\n");
        assert_eq!(cut(message, Some(&Section::Text(None))).unwrap(), b"Subject: in the body\r\n");
        assert!(cut(message, Some(&Section::Header(None))).unwrap().ends_with(b"7\r\n\r\n"));
    }
}
