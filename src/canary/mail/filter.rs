//! Why a mail lies in Junk, as far as the receiver wrote it down: the fields of spam filters, each in a few words.
//!
//! They are another program's notes to itself, and anybody can write such fields into a mail: what they say is shown, and decides nothing. Of
//! each field the topmost counts, which whoever had the mail last wrote.

use super::head::Head;
use super::names::cut;
use crate::model::{Check, Finding};

/// Fields that are told of, each in so many characters.
pub(super) const MOST: usize = 8;
const LONGEST: usize = 200;
/// Tests that a filter names of one mail.
const TESTS: usize = 12;

/// The fields that are read, as they are shown, and how.
const FIELDS: [(&str, Form); 27] = [
    ("X-Forefront-Antispam-Report", Form::Pairs(&["SCL", "CAT", "SFV"])),
    ("X-Microsoft-Antispam", Form::Pairs(&["BCL"])),
    ("X-Microsoft-Antispam-Mailbox-Delivery", Form::Pairs(&["dest", "OFR"])),
    ("X-MS-Exchange-Organization-SCL", Form::Words),
    ("X-MS-Exchange-Organization-PCL", Form::Words),
    ("X-Spam-Status", Form::SpamAssassin),
    ("X-Spam-Flag", Form::Words),
    ("X-Spam-Score", Form::Words),
    ("X-Spam-Action", Form::Words),
    ("X-Spam-Result", Form::Words),
    ("X-Spam", Form::Words),
    ("X-Spam-Known-Sender", Form::Words),
    ("X-Spamd-Result", Form::Words),
    ("X-Rspamd-Score", Form::Words),
    ("X-Rspamd-Action", Form::Words),
    ("X-YahooFilteredBulk", Form::Words),
    ("X-UI-Filterresults", Form::Words),
    ("X-UI-Out-Filterresults", Form::Words),
    ("X-GMX-Antispam", Form::Words),
    ("X-Apple-Action", Form::Words),
    ("X-Apple-MoveToFolder", Form::Words),
    ("X-Proofpoint-Spam-Details", Form::Words),
    ("X-Barracuda-Spam-Status", Form::SpamAssassin),
    ("X-Mimecast-Spam-Score", Form::Words),
    ("X-Bogosity", Form::Words),
    ("X-DSPAM-Result", Form::Words),
    ("X-CMAE-Verdict", Form::Words),
];

/// How a field is written.
#[derive(Clone, Copy)]
enum Form {
    /// `NAME:value;…`, of which these say something.
    Pairs(&'static [&'static str]),
    /// `Yes, score=7.2 required=5.0 tests=A,B autolearn=no`.
    SpamAssassin,
    /// As it stands.
    Words,
}

/// What Microsoft's words for the category and the verdict mean (its page "Anti-spam message headers").
const MEANINGS: [(&str, &str); 22] = [
    ("CAT:AMP", "malware"),
    ("CAT:BULK", "bulk mail"),
    ("CAT:DIMP", "a domain is imitated"),
    ("CAT:GIMP", "a known sender is imitated"),
    ("CAT:HPHISH", "surely phishing"),
    ("CAT:HPHSH", "surely phishing"),
    ("CAT:HSPM", "surely spam"),
    ("CAT:INTOS", "phishing within the organisation"),
    ("CAT:MALW", "malware"),
    ("CAT:OSPM", "outgoing spam"),
    ("CAT:PHSH", "phishing"),
    ("CAT:SPM", "spam"),
    ("CAT:SPOOF", "a false sender"),
    ("CAT:UIMP", "a user is imitated"),
    ("SFV:BLK", "the user blocks this sender"),
    ("SFV:NSPM", "no spam"),
    ("SFV:SFE", "the user wants this sender"),
    ("SFV:SKB", "a list blocks this sender"),
    ("SFV:SKN", "let through by a rule"),
    ("SFV:SKS", "marked as spam by a rule"),
    ("SFV:SPM", "spam"),
    ("DEST:J", "into Junk"),
];

/// The place of a field in the list of those that are read.
pub(super) fn place(name: &[u8]) -> Option<usize> {
    FIELDS.iter().position(|(field, _)| name.eq_ignore_ascii_case(field.as_bytes()))
}

/// What filters wrote down, field by field; and which of the receiver's own checks the mail failed.
pub(super) fn words(head: &Head, checks: &[Check]) -> Vec<String> {
    let read = |(place, value): &(usize, String)| {
        let (field, form) = FIELDS.get(*place)?;
        let said = match form {
            Form::Pairs(wanted) => pairs(value, wanted),
            Form::SpamAssassin => spam_assassin(value),
            Form::Words => value.clone(),
        };
        Some(format!("{field}: {said}")).filter(|_| !said.is_empty())
    };
    let mut sorted: Vec<&(usize, String)> = head.filters.iter().collect();
    sorted.sort_by_key(|(place, _)| *place);
    let failed = checks.iter().filter(|check| check.by_receiver && check.finding == Finding::Fail);
    let failed: Vec<String> = failed.map(|check| format!("{} failed ({})", check.method.as_str().to_uppercase(), check.why)).collect();
    let failed = (!failed.is_empty()).then(|| format!("Authentication-Results: {}", failed.join(", ")));
    failed.into_iter().chain(sorted.into_iter().filter_map(read)).map(|words| shown(&words)).take(MOST).collect()
}

/// Those of `NAME:value;…` that are wanted, with what they mean: `SCL 5, CAT SPM (spam)`.
fn pairs(value: &str, wanted: &[&str]) -> String {
    let found = |name: &&str| {
        let mut all = value.split(';').take(64).filter_map(|pair| pair.split_once(':'));
        let (_, said) = all.find(|(key, said)| key.trim().eq_ignore_ascii_case(name) && !said.trim().is_empty())?;
        let said = said.trim();
        let key = format!("{}:{}", name.to_uppercase(), said.to_uppercase());
        let meaning = MEANINGS.iter().find(|(of, _)| *of == key).map_or_else(String::new, |(_, meaning)| format!(" ({meaning})"));
        Some(format!("{name} {said}{meaning}"))
    };
    wanted.iter().filter_map(found).collect::<Vec<_>>().join(", ")
}

/// `Yes, score 7.2 of 5.0: BAYES_99, HTML_ONLY`.
fn spam_assassin(value: &str) -> String {
    let verdict: String = value.chars().take_while(char::is_ascii_alphanumeric).collect();
    // Its list of tests is folded where it is long.
    let part = |name: &str| {
        let (_, rest) = value.split_once(name)?;
        let end = rest.split_once('=').map_or(rest, |(upto, _)| upto.rsplit_once(' ').map_or(upto, |(said, _)| said));
        Some(end.trim().trim_end_matches(',')).filter(|said| !said.is_empty())
    };
    let score = part("score=").or_else(|| part("hits=")).zip(part("required="));
    let score = score.map_or_else(String::new, |(score, of)| format!(", score {score} of {of}"));
    let tests: Vec<&str> = part("tests=").unwrap_or_default().split([',', ' ', '[', ']']).filter(|t| !t.is_empty()).take(TESTS).collect();
    let tests = if tests.is_empty() { String::new() } else { format!(": {}", tests.join(", ")) };
    if verdict.is_empty() || score.is_empty() { value.to_owned() } else { format!("{verdict}{score}{tests}") }
}

/// One line that is safe to show, without tokens.
fn shown(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric() { c } else { '?' }).collect();
    let plain = super::super::without_tokens(&plain);
    cut(&plain.chars().take(LONGEST).collect::<String>(), 4 * LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Method;

    fn said(header: &str) -> Vec<String> {
        words(&Head::read(header.as_bytes()), &[])
    }

    #[test]
    fn what_each_filter_writes_is_put_in_a_few_words() {
        for (header, expected) in [
            (
                "X-Forefront-Antispam-Report: CIP:192.0.2.1;CTRY:US;LANG:en;SCL:5;SRV:;IPV:NLI;SFV:SPM;H:o1.example.com;\r\n PTR:o1.example.com;CAT:SPM;SFS:(13230040)(4636009);DIR:INB;",
                "X-Forefront-Antispam-Report: SCL 5, CAT SPM (spam), SFV SPM (spam)",
            ),
            ("x-microsoft-antispam: BCL:7;ARA:13230040", "X-Microsoft-Antispam: BCL 7"),
            (
                "X-Microsoft-Antispam-Mailbox-Delivery: ucf:0;jmr:0;auth:0;dest:J;OFR:SpamFilterAuthJ;",
                "X-Microsoft-Antispam-Mailbox-Delivery: dest J (into Junk), OFR SpamFilterAuthJ",
            ),
            (
                "X-Spam-Status: Yes, score=7.2 required=5.0 tests=BAYES_99,HTML_ONLY,\r\n\tURIBL_BLACK autolearn=no autolearn_force=no version=3.4.6",
                "X-Spam-Status: Yes, score 7.2 of 5.0: BAYES_99, HTML_ONLY, URIBL_BLACK",
            ),
            ("X-Spam-Status: Yes, hits=12.1 required=5.0 tests=A version=2.43", "X-Spam-Status: Yes, score 12.1 of 5.0: A"),
            ("X-Spam-Status: No, score=-0.1", "X-Spam-Status: No, score=-0.1"),
            ("X-Barracuda-Spam-Status: Yes, SCORE=4", "X-Barracuda-Spam-Status: Yes, SCORE=4"),
            ("X-Spam-Flag: YES", "X-Spam-Flag: YES"),
            (
                "X-Spamd-Result: default: False [7.20 / 15.00];\r\n BAYES_SPAM(5.10)[99.99%]",
                "X-Spamd-Result: default: False [7.20 / 15.00]; BAYES_SPAM(5.10)[99.99%]",
            ),
            ("X-YahooFilteredBulk: 192.0.2.1", "X-YahooFilteredBulk: 192.0.2.1"),
            ("X-Apple-MoveToFolder: Junk", "X-Apple-MoveToFolder: Junk"),
            ("X-Bogosity: Spam, tests=bogofilter, spamicity=0.999", "X-Bogosity: Spam, tests=bogofilter, spamicity=0.999"),
        ] {
            assert_eq!(said(header), [expected], "{header}");
        }
        for nothing in
            ["X-Forefront-Antispam-Report: nonsense", "X-Forefront-Antispam-Report: SCL:;;:;", "X-Spam-Score:", "Subject: SCL:5", ""]
        {
            assert!(said(nothing).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn the_topmost_counts_and_nothing_is_too_much_or_unsafe() {
        assert_eq!(said("X-Spam-Flag: YES\r\nX-Spam-Flag: NO\r\n"), ["X-Spam-Flag: YES"]);
        let token = format!("mc-{}", "a2".repeat(18));
        let hostile =
            said(&format!("X-Spam-Status: \u{202e}`<b>\u{1b}[2J {token} {}\r\n{}", "x".repeat(100_000), "X-Spam: y\r\n".repeat(10_000)));
        assert!(hostile.len() == 2 && hostile[0].chars().count() == LONGEST, "{hostile:?}");
        assert!(hostile[0].starts_with("X-Spam-Status: ?`<b> [2J mc-*** xxx") && !hostile[0].contains(&token), "{hostile:?}");
        let all: String = FIELDS.iter().map(|(field, _)| format!("{field}: SCL:1;BCL:2;dest:J\r\n")).collect();
        assert_eq!(said(&all).len(), MOST);
    }

    #[test]
    fn a_check_that_the_receiver_saw_fail_comes_first() {
        let check = |finding, by_receiver| Check { method: Method::Dkim, finding, by_receiver, why: "fail (bad key)".to_owned() };
        let head = Head::read(b"X-Spam-Flag: YES\r\n");
        let told = words(&head, &[check(Finding::Fail, true), check(Finding::Fail, false), check(Finding::Pass, true)]);
        assert_eq!(told, ["Authentication-Results: DKIM failed (fail (bad key))", "X-Spam-Flag: YES"]);
    }
}
