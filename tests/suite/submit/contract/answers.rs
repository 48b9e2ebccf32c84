//! Answers that the providers document, each with its class and with what the page says to do first.
//!
//! `answers/KIND.txt` holds them: status, headers, body; behind `=` the class, and behind `>` the hint, if there is one. With `BLESS=1` the
//! last two are written as they come out: look at the difference as the person on call would.

use std::fmt::Write as _;

use super::*;

/// One answer, and what it says so far.
struct Case {
    /// The answer as it stands in the file.
    text: String,
    told: Told,
    /// Class and hint.
    expected: String,
}

fn cases(text: &str) -> Vec<Case> {
    text.split("\n\n").filter(|block| block.starts_with("HTTP ")).map(case).collect()
}

fn case(block: &str) -> Case {
    let is_expected = |line: &&str| line.starts_with("= ") || line.starts_with("> ");
    let (expected, text): (Vec<_>, Vec<_>) = block.trim_end().lines().partition(is_expected);
    let (mut status, mut told) = (None, Told::new(0, ""));
    for line in &text {
        match (status, line.split_once(": ")) {
            (None, _) => status = line.strip_prefix("HTTP ").map(|status| status.parse().unwrap()),
            (Some(_), Some((name, value))) if name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') => {
                told = told.with(String::leak(name.to_owned()), value);
            }
            (Some(_), _) => told.body = (*line).to_owned(),
        }
    }
    told.status = status.unwrap();
    Case { text: text.join("\n"), told, expected: expected.join("\n") }
}

fn outcome(outcome: Outcome) -> String {
    match outcome {
        Outcome::Refused(class) => class.to_string(),
        Outcome::Accepted => "accepted".to_owned(),
        Outcome::Unknown => "unknown fate".to_owned(),
    }
}

#[tokio::test]
async fn every_documented_answer_says_what_it_is_and_what_to_do() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/submit/contract/answers");
    let mut wrong = String::new();
    for (kind, _) in KINDS {
        let file = folder.join(format!("{kind}.txt"));
        let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let cases = cases(&text);
        assert!(cases.len() >= 20, "{kind} has few answers");
        let desk = Desk::new(cases.iter().map(|case| case.told.clone())).await;
        let submitter = at(kind, desk.port, "");
        let mut written = format!("{}\n", text.lines().next().unwrap());
        for case in cases {
            let answer = submit(&submitter).await;
            let hint = answer.hint.map_or_else(String::new, |hint| format!("\n> {hint}"));
            let found = format!("= {}{hint}", outcome(answer.outcome));
            if found != case.expected {
                let _ = writeln!(wrong, "{kind}\n{}\n{}\nfound:\n{found}\n", case.text, case.expected);
            }
            let _ = write!(written, "\n{}\n{found}\n", case.text);
        }
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&file, written).unwrap();
        }
        desk.asked(|_| ());
    }
    assert!(std::env::var_os("BLESS").is_some() || wrong.is_empty(), "{wrong}");
}
