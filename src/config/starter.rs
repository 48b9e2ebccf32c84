//! The configuration to begin with: as small as one that watches can be.

/// The starter configuration, as TOML that can be used.
#[must_use]
pub const fn starter() -> &'static str {
    include_str!("starter.toml")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    #[test]
    fn it_is_right_and_says_what_it_lacks() {
        let checked = parse(starter(), "host").unwrap();
        assert_eq!(checked.settings.routes.len(), 1);
        let warned: Vec<&str> = checked.warnings.iter().map(|warning| warning.key.as_str()).collect();
        assert_eq!(warned, ["provider", "inbox"], "a second of each: {:?}", checked.warnings);
    }
}
