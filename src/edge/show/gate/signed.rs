//! By whom something is said: whoever is logged in says it, whatever name they give.

use axum::http::request::Parts;

use super::Who;

/// Bytes of a name that the ledger keeps.
const KEPT: usize = 100;
/// Of which a user's name has so many at most.
const USER: usize = 60;

/// The user who sends this, if it is one.
pub(in crate::edge::show) fn user(parts: &Parts) -> Option<&str> {
    match parts.extensions.get::<Who>()? {
        Who::User(name) => Some(name),
        Who::Token | Who::Anybody => None,
    }
}

/// What is written down as who says it: a user under their own name. Whoever says it for somebody else, like a bot, names them beside it.
pub(in crate::edge::show) fn signed(by: &str, user: Option<&str>) -> String {
    let Some(user) = user else { return by.to_owned() };
    let user = cut(user, USER);
    if by.trim().is_empty() || by.trim() == user {
        return user.to_owned();
    }
    let behind = format!(" (said by {user})");
    format!("{}{behind}", cut(by.trim(), KEPT.saturating_sub(behind.len())))
}

/// So many bytes at most, and no part of a character.
fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_signs_as_another() {
        let long = "ü".repeat(100);
        for (by, user, signed_as) in [
            ("ann", None, "ann"),
            ("ann", Some("ann"), "ann"),
            ("", Some("ann"), "ann"),
            ("bob", Some("ann"), "bob (said by ann)"),
            ("bob (said by bob)", Some("ann"), "bob (said by bob) (said by ann)"),
        ] {
            assert_eq!(signed(by, user), signed_as);
        }
        let both = signed(&long, Some(&long));
        assert!(both.len() <= KEPT && both.ends_with(&format!(" (said by {})", "ü".repeat(30))), "{both}");
    }
}
