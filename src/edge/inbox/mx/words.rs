//! One line of a sender, understood. What is not needed for taking mail is not understood.

/// What a sender wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// `EHLO` (true) or `HELO`, and the name that was said, made plain.
    Hello(bool, String),
    /// `MAIL FROM`: who it is from, made plain, and how large it is said to be.
    Mail(String, Option<u64>),
    /// `RCPT TO`.
    Rcpt(String),
    Data,
    StartTls,
    Rset,
    Noop,
    Vrfy,
    Quit,
    /// A command with arguments that cannot be understood.
    Garbled,
    /// A parameter of `MAIL` or `RCPT` that was not offered.
    Parameter,
    /// Anything else.
    Unknown,
}

/// Longest address (RFC 5321, 4.5.3.1.3) or name that is repeated.
const LONGEST: usize = 256;

/// What `line` says, which has no line end any more.
pub(super) fn command(line: &[u8]) -> Command {
    let text = String::from_utf8_lossy(line);
    let (verb, rest) = text.split_once(' ').unwrap_or((&text, ""));
    let rest = rest.trim();
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" | "HELO" if rest.is_empty() => Command::Garbled,
        "EHLO" => Command::Hello(true, plain(rest)),
        "HELO" => Command::Hello(false, plain(rest)),
        "MAIL" => path(rest, "FROM:").map_or(Command::Garbled, |(from, parameters)| mail(&from, &parameters)),
        "RCPT" => match path(rest, "TO:") {
            Some((to, _)) if to.is_empty() => Command::Garbled,
            Some((_, parameters)) if !parameters.is_empty() => Command::Parameter,
            Some((to, _)) => Command::Rcpt(to),
            None => Command::Garbled,
        },
        "DATA" if rest.is_empty() => Command::Data,
        "STARTTLS" if rest.is_empty() => Command::StartTls,
        "DATA" | "STARTTLS" => Command::Garbled,
        "RSET" => Command::Rset,
        "NOOP" => Command::Noop,
        "VRFY" => Command::Vrfy,
        "QUIT" => Command::Quit,
        _ => Command::Unknown,
    }
}

fn mail(from: &str, parameters: &[String]) -> Command {
    let mut size = None;
    for parameter in parameters {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match (name.to_ascii_uppercase().as_str(), value.to_ascii_uppercase().as_str()) {
            ("SIZE", value) => match value.parse() {
                Ok(bytes) => size = Some(bytes),
                Err(_) => return Command::Garbled,
            },
            ("BODY", "7BIT" | "8BITMIME") | ("SMTPUTF8", "") => {}
            _ => return Command::Parameter,
        }
    }
    Command::Mail(plain(from), size)
}

/// The address between `<` and `>` behind `keyword`, without a source route, and what follows it.
fn path(rest: &str, keyword: &str) -> Option<(String, Vec<String>)> {
    let begins = rest.get(..keyword.len())?.eq_ignore_ascii_case(keyword);
    let inside = rest.get(keyword.len()..).filter(|_| begins)?.trim_start().strip_prefix('<')?;
    let (address, parameters) = inside.split_once('>')?;
    let address = if address.starts_with('@') { address.split_once(':')?.1 } else { address };
    let fits = address.len() <= LONGEST && !address.chars().any(|c| c.is_control() || c.is_whitespace() || c == '<');
    fits.then(|| (address.to_owned(), parameters.split_ascii_whitespace().map(str::to_owned).collect()))
}

/// `text` as it may stand in a header: what could end a line or be taken for something else is left out.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() && !matches!(c, '(' | ')' | '<' | '>' | ';' | '"' | '\\')).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Command {
        command(line.as_bytes())
    }

    #[test]
    fn what_is_needed_is_understood() {
        assert_eq!(said("ehlo mail.example.net"), Command::Hello(true, "mail.example.net".to_owned()));
        assert_eq!(said("HELO [192.0.2.1]"), Command::Hello(false, "[192.0.2.1]".to_owned()));
        assert_eq!(said("MAIL FROM:<>"), Command::Mail(String::new(), None));
        assert_eq!(said("mail from: <a@b.example> SIZE=700 BODY=8BITMIME SMTPUTF8"), Command::Mail("a@b.example".to_owned(), Some(700)));
        assert_eq!(said("RCPT TO:<@relay.example:seed@example.net>"), Command::Rcpt("seed@example.net".to_owned()));
        assert_eq!(said("rcpt to:<seed+mc-x@example.net>"), Command::Rcpt("seed+mc-x@example.net".to_owned()));
    }

    #[test]
    fn what_is_odd_is_not() {
        for line in
            ["EHLO", "MAIL FROM:a@b", "MAIL <a@b>", "RCPT TO:<>", "RCPT TO:<a b@c>", "DATA now", "MAIL FROM:<a@b> SIZE=x", "MAIL FROM:<é"]
        {
            assert_eq!(said(line), Command::Garbled, "{line}");
        }
        for line in ["RCPT TO:<a@b> NOTIFY=NEVER", "MAIL FROM:<a@b> RET=HDRS", "MAIL FROM:<a@b> BODY=BINARYMIME"] {
            assert_eq!(said(line), Command::Parameter, "{line}");
        }
        for line in ["", "AUTH PLAIN AA==", "GET / HTTP/1.1", "BDAT 5 LAST", "EXPN list"] {
            assert_eq!(said(line), Command::Unknown, "{line}");
        }
        assert_eq!(command(b"\xff\xfe\x00"), Command::Unknown);
        assert_eq!(said("EHLO a(b)\u{202e};<c>\""), Command::Hello(true, "abc".to_owned()));
    }
}
