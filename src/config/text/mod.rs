//! The layer that mirrors the text: tables with their positions, read key by key against the list of keys.

mod named;
mod root;
mod section;

use std::ops::Range;

use toml_edit::{Item, TableLike};

pub(super) use root::Root;
pub(super) use section::Section;

/// A key's path below a table's.
pub(super) fn join(path: &str, name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let name = if plain { name.to_owned() } else { format!("{:?}", name.chars().take(64).collect::<String>()) };
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

/// Where `name` of `table` stands: its key, else the table.
pub(super) fn span_of(table: &dyn TableLike, name: &str) -> Range<usize> {
    let item = table.get(name).filter(|item| item.is_table()).and_then(Item::span);
    item.or_else(|| table.key(name).and_then(toml_edit::Key::span)).unwrap_or(0..0)
}
