//! Modified UTF-7, in which IMAP servers write folder names (RFC 3501, section 5.1.3).

use data_encoding::BASE64_NOPAD;

/// The name that people see. What is no modified UTF-7 stays as it is: some servers send UTF-8 or worse.
pub(super) fn decode(wire: &str) -> String {
    let mut out = String::with_capacity(wire.len());
    let mut rest = wire;
    while let Some((before, shifted)) = rest.split_once('&') {
        out.push_str(before);
        match shifted.split_once('-').map(|(code, after)| (decode_run(code), code, after)) {
            Some((Some(text), _, after)) => {
                out.push_str(&text);
                rest = after;
            }
            Some((None, ..)) | None => {
                out.push('&');
                rest = shifted;
            }
        }
    }
    out.push_str(rest);
    out
}

/// One run between `&` and `-`; empty is the ampersand itself.
fn decode_run(code: &str) -> Option<String> {
    if code.is_empty() {
        return Some("&".to_owned());
    }
    let bytes = BASE64_NOPAD.decode(code.replace(',', "/").as_bytes()).ok()?;
    if bytes.len() % 2 != 0 {
        return None;
    }
    let units: Vec<u16> = bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok().map(u16::from_be_bytes)).collect();
    String::from_utf16(&units).ok()
}

/// The name as it goes over the wire.
pub(super) fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut run: Vec<u8> = Vec::new();
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            flush(&mut out, &mut run);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
        } else {
            let mut units = [0; 2];
            run.extend(c.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush(&mut out, &mut run);
    out
}

fn flush(out: &mut String, run: &mut Vec<u8>) {
    if !run.is_empty() {
        out.push('&');
        out.push_str(&BASE64_NOPAD.encode(run).replace('/', ","));
        out.push('-');
        run.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_there_and_back() {
        let cases = [
            ("INBOX", "INBOX"),
            ("Unerw&APw-nscht", "Unerwünscht"),
            ("&BCEEPwQwBDw-", "Спам"),
            ("&j,dg0TDhMPww6w-", "迷惑メール"),
            ("Tom &- Jerry", "Tom & Jerry"),
            ("&2D3eAA-", "😀"),
        ];
        for (wire, name) in cases {
            assert_eq!(decode(wire), name);
            assert_eq!(encode(name), wire);
        }
    }

    #[test]
    fn nonsense_stays_as_it_is() {
        for wire in ["&", "a&b", "&!!-", "&2D0-", "&A-", "Спам & co", "&&-", "&é-"] {
            let name = decode(wire);
            assert!(name.contains('&'), "{wire} became {name}");
        }
    }
}
