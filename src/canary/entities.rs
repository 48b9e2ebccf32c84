//! What a page writes instead of letters: `&#104;ttps&colon;//` leads where `https://` does.

use std::borrow::Cow;

/// Characters of an entity that are looked at.
const LONGEST: usize = 12;

/// Those by name that may stand in an address or a link, and those that mails are full of.
const NAMED: [(&str, char); 29] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("colon", ':'),
    ("sol", '/'),
    ("bsol", '\\'),
    ("period", '.'),
    ("commat", '@'),
    ("num", '#'),
    ("quest", '?'),
    ("equals", '='),
    ("lowbar", '_'),
    ("dash", '\u{2010}'),
    ("hyphen", '\u{2010}'),
    ("plus", '+'),
    ("percnt", '%'),
    ("comma", ','),
    ("semi", ';'),
    ("lpar", '('),
    ("rpar", ')'),
    ("excl", '!'),
    ("Tab", '\t'),
    ("NewLine", '\n'),
    ("shy", '\u{ad}'),
    ("zwnj", '\u{200c}'),
    ("zwj", '\u{200d}'),
];

/// A page with its entities undone, as a browser reads a link: without tabs and ends of lines, which it leaves out there. What is none stays.
pub(super) fn undone(page: &str) -> Cow<'_, str> {
    if !page.contains('&') {
        return Cow::Borrowed(page);
    }
    let mut out = String::with_capacity(page.len());
    let mut rest = page;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        match entity(after) {
            Some((c, length)) => {
                if !is_left_out(c) {
                    out.push(c);
                }
                rest = after.get(length..).unwrap_or_default();
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Whether browsers leave a character out of a link, wherever in it that stands.
pub(super) const fn is_left_out(c: char) -> bool {
    matches!(c, '\t' | '\r' | '\n')
}

/// The character that an entity stands for, and its length behind the `&`. A number needs no `;` at its end, and may begin with any number of zeros.
fn entity(text: &str) -> Option<(char, usize)> {
    if let Some(number) = text.strip_prefix('#') {
        let (hex, digits) = number.strip_prefix(['x', 'X']).map_or((false, number), |digits| (true, digits));
        let (zeros, digits) = (digits.len().saturating_sub(digits.trim_start_matches('0').len()), digits.trim_start_matches('0'));
        let is_digit = |b: u8| if hex { b.is_ascii_hexdigit() } else { b.is_ascii_digit() };
        let length = digits.bytes().take(LONGEST).take_while(|b| is_digit(*b)).count();
        let code = match digits.get(..length)? {
            "" if zeros > 0 => 0,
            digits => u32::from_str_radix(digits, if hex { 16 } else { 10 }).ok()?,
        };
        let ends = usize::from(digits.get(length..)?.starts_with(';'));
        return Some((char::from_u32(code)?, zeros.saturating_add(length).saturating_add(ends).saturating_add(if hex { 2 } else { 1 })));
    }
    let length = text.bytes().take(LONGEST).take_while(u8::is_ascii_alphabetic).count();
    let name = text.get(..length).filter(|_| text.get(length..).is_some_and(|after| after.starts_with(';')))?;
    NAMED.iter().find(|(known, _)| *known == name).map(|(_, c)| (*c, length.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_undoes_is_undone_and_the_rest_stays() {
        for (page, plain) in [
            ("&#104;&#x74;tp&#115://a&period;example", "https://a.example"),
            ("help&commat;a.example &amp; &nbsp;&lt;x&gt;", "help@a.example &  <x>"),
            ("a&b&&#;&#x;&unknown;&#99999999999;&amp", "a&b&&#;&#x;&unknown;&#99999999999;&amp"),
            ("&#0;&#xd800;", "\0&#xd800;"),
            ("&#0000000000000000104;t&#x000000000000000074;p&#00", "http\0"),
            ("ht&Tab;t&NewLine;p&#13;s", "https"),
            ("plain ü", "plain ü"),
        ] {
            assert_eq!(undone(page), plain);
        }
    }
}
