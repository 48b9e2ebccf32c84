//! The `mailcanary` command.

fn main() {}
