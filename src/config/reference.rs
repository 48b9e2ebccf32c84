//! The reference configuration: every key with its default and its reason, written from the list of keys.

use super::keys::{Key, Need, TABLES, Table};

/// Comments are wrapped before this column.
const WIDTH: usize = 100;

const HEAD: &str = "\
mailcanary: the reference configuration. Every table and key there is.

What is not commented out has no default and must be there, for as long as its table is, unless it says what takes its place. A key behind `#` shows its default, or what \
could be there. Durations are \"30s\", \"1m30s\", \"2h\" or \"30d\". Names in table headers are yours: a-z, 0-9, `-`, `_` and `.`. \
A secret never stands here in plain text: { file = \"/path\" } (one trailing newline is cut), { env = \"NAME\" }, or \
{ credential = \"name\" } (systemd's LoadCredential=).

Try it with `mailcanary check -c FILE`, and with --live to log in everywhere.";

/// The reference configuration, as TOML that can be used.
#[must_use]
pub fn reference() -> String {
    let mut out = String::new();
    comment(&mut out, HEAD);
    for table in TABLES {
        out.push('\n');
        comment(&mut out, table.doc);
        header(&mut out, table);
        for key in table.keys() {
            out.push('\n');
            entry(&mut out, key, table.shown);
        }
    }
    out
}

fn header(out: &mut String, table: &Table) {
    let path = table.example_path();
    out.push_str(&if table.shown { format!("[{path}]\n") } else { format!("#[[{path}]]\n") });
}

/// `shown`: its table stands there; of one that is left out no key may stand alone.
fn entry(out: &mut String, key: &Key, shown: bool) {
    comment(out, key.doc);
    let line = match key.need {
        Need::Required => format!("{}{} = {}\n", if shown { "" } else { "#" }, key.name, key.example),
        Need::Default(default) => {
            comment(out, &format!("Default: {default}"));
            format!("#{} = {default}\n", key.name)
        }
        Need::Instead(meaning) => {
            comment(out, &format!("Without it: {meaning}."));
            format!("{} = {}\n", key.name, key.example)
        }
        Need::Absent(meaning) => {
            comment(out, &format!("Without it: {meaning}."));
            format!("#{} = {}\n", key.name, key.example)
        }
    };
    out.push_str(&line);
}

/// `text` as comment lines; a space behind the `#` tells them from keys that are commented out.
fn comment(out: &mut String, text: &str) {
    for paragraph in text.split('\n') {
        let mut line = String::from("#");
        for word in paragraph.split(' ').filter(|w| !w.is_empty()) {
            if line.len() > 1 && line.chars().count() + 1 + word.chars().count() > WIDTH {
                out.push_str(&line);
                out.push('\n');
                line.truncate(1);
            }
            line.push(' ');
            line.push_str(word);
        }
        out.push_str(&line);
        out.push('\n');
    }
}
