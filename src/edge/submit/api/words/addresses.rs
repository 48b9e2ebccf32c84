//! Words about an address: the recipient's, that mail is not sent to, or the sender's, that it may not be from.

use super::{Words, abroad};

/// Mail to the recipient is not sent any more.
pub(super) fn suppressed(words: &Words) -> bool {
    let list = words.any(&["suppression", "suppressed", "inactive recipient", "inactive address", "do not send list", "on hold list"]);
    let past = words.any(&["previously bounced", "hard bounced", "has unsubscribed", "marked as inactive"]);
    let whom =
        words.any(&["recipient"]) && words.any(&["unsubscribed", "bounced", "complained", "blacklisted", "blocklisted", "opted out"]);
    list || past || whom
}

/// The recipient's address is none, or nobody's.
pub(super) fn recipient(words: &Words) -> bool {
    // The field by its name, as each API writes it: `to`, To[0].Email, personalizations.0.to.0.email, message.to.
    let field = words.any(&[
        "`to`",
        "'to'",
        "\"to\"",
        "to[0]",
        "to.0",
        "to.email",
        "to email",
        "to address",
        "to field",
        "to header",
        "valid in to",
        "to parameter",
    ]);
    let whom = field || words.any(&["recipient", "mailbox"]);
    let how = words.any(&[
        "does not exist",
        "doesn't exist",
        "no such",
        "no valid",
        "unknown",
        "invalid",
        "not valid",
        "valid email",
        "valid address",
        "valid e mail",
        "not a valid",
        "must contain",
        "illegal",
        "not found",
        "unavailable",
        "disabled",
        "malformed",
        "rejected",
    ]);
    // Postfix says so of whoever may not send through it at all.
    let anybody = words.any(&["5.7.1"]) && words.any(&["access denied", "relay"]);
    whom && how && !anybody && !words.any(&["account", "api key", "sending is", "sending has"])
        || words.any(&["user unknown", "no such user"])
        || abroad::recipient(words)
}

/// A sandbox, or an account on trial, writes to those alone whom its owner has named.
pub(in crate::edge::submit::api) fn trial(words: &Words) -> bool {
    words.any(&["authorized recipients", "authorised recipients", "test purposes only", "sandbox domain", "sandbox subdomain"])
        || words.any(&["trial account"]) && words.any(&["only send"])
}

/// The sender's address or domain may not be used.
pub(super) fn sender(words: &Words) -> bool {
    let whom = words.any(&[
        "sender",
        "from address",
        "from email",
        "from.email",
        "from domain",
        "from field",
        "from header",
        "`from`",
        "'from'",
        "\"from\"",
        "from name",
        "fromemail",
        "identity",
        "identities",
        "return path",
        "email address is not verified",
    ]) || words.word(&["domain", "domains", "dkim"]);
    let how = words.any(&[
        "verif",
        "unconfigured",
        "not configured",
        "not registered",
        "confirm",
        "not owned",
        "does not belong",
        "not allowed",
        "not authorized",
        "not authorised",
        "unauthorized",
        "not permitted",
        "not valid",
        "invalid",
        "does not match",
        "not linked",
        "not associated",
        "not set up",
        "notlinked",
        "not found",
        "doesn't exist",
        "does not exist",
        "not been set up",
        "unknown",
        "missing",
        "no longer",
        "authenticat",
        "not match",
        "not a valid",
        "is required",
        "must be provided",
    ]);
    whom && how || abroad::sender(words)
}
