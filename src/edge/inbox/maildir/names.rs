//! What the name of a file in a Maildir says.

use crate::model::{At, Span};

/// A name says a wrong time if it is further than this from the file's own.
const APART: Span = Span::from_secs(2 * 86_400);

/// The part that stays when flags change: `1659987000.M7P8.host` of `1659987000.M7P8.host:2,S`. Some write `;` or `!` for the colon.
pub(super) fn base(name: &str) -> &str {
    [":2,", ";2,", "!2,"].iter().find_map(|mark| name.split_once(mark)).map_or(name, |(base, _)| base)
}

/// When the message was put there: seconds lead its name, and microseconds may follow behind an `M`. Where the name says nothing of the kind,
/// as that of a message that somebody has copied there, it is when the file was written.
pub(super) fn delivered(name: &str, written: At) -> At {
    let mut parts = name.split('.');
    let secs = parts.next().filter(|secs| secs.len() <= 12).and_then(|secs| secs.parse::<i64>().ok());
    let Some(secs) = secs else { return written };
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).take(6).collect::<String>();
    let micros = parts.next().and_then(|middle| middle.split_once('M')).and_then(|(_, micros)| digits(micros).parse::<i64>().ok());
    let said = At::from_ms(secs.saturating_mul(1000).saturating_add(micros.unwrap_or(0) / 1000));
    if said.since(written).max(written.since(said)) <= APART { said } else { written }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: At = At::from_ms(1_659_987_000_250);

    #[test]
    fn flags_are_no_part_of_the_name() {
        assert_eq!(base("1659987000.M250000P8.host,S=12:2,RS"), "1659987000.M250000P8.host,S=12");
        assert_eq!(base("1659987000.M1P8.host;2,"), "1659987000.M1P8.host");
        assert_eq!(base("odd"), "odd");
    }

    #[test]
    fn the_name_says_when_it_came() {
        let written = TIME.plus(Span::from_secs(5));
        assert_eq!(delivered("1659987000.M250000P8.host", written), TIME);
        assert_eq!(delivered("1659987000.P8Q3M250123.host", written), TIME);
        assert_eq!(delivered("1659987000.8_3.host", written), At::from_ms(1_659_987_000_000));
        for odd in ["", "x", "99999999999999999999.x", "1.M2.h", "-5.h"] {
            assert_eq!(delivered(odd, written), written, "{odd}");
        }
    }
}
