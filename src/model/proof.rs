//! The proof of an incident: an object of plain facts, which grows older as it is passed on.

use serde_json::Value;

use super::At;

/// What it says of when it began, and of the canaries that show that.
const ONSET: [&str; 3] = ["since", "first_bad", "last_good"];

/// What it says of the incident that a person closed and that goes on: its number.
pub const GOES_ON_FROM: &str = "goes_on_from";

/// When the canary that a part of the proof names was sent.
#[must_use]
pub fn sent_at(canary: &Value) -> Option<At> {
    At::from_rfc3339(canary.get("sent_at")?.as_str()?)
}

/// What `proof` tells of began as it was `told`, as far as that was known: by those canaries, as old as they are at `now`.
pub fn begin_as(proof: &mut Value, told: &Value, now: At) {
    let Some(new) = proof.as_object_mut() else { return };
    for part in ONSET {
        new.extend(told.get(part).filter(|known| !known.is_null()).map(|known| (part.to_owned(), known.clone())));
    }
    renew_ages(proof, now);
}

/// The canaries that the proof names are as old as they are at `now`.
pub fn renew_ages(proof: &mut Value, now: At) {
    for part in ONSET {
        let Some(canary) = proof.get_mut(part) else { continue };
        if let (Some(sent), Some(canary)) = (sent_at(canary), canary.as_object_mut()) {
            canary.insert("age".to_owned(), now.since(sent).to_string().into());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn canaries_grow_older_and_nothing_else_changes() {
        let canary = |age: &str| json!({ "canary": "1", "sent_at": "2022-08-08T19:30:00.000Z", "age": age });
        let mut proof = json!({ "since": "2022-08-08T19:30:00.000Z", "first_bad": canary("1m"), "last_good": null, "age": "1m" });
        renew_ages(&mut proof, At::from_rfc3339("2022-08-08T19:33:00Z").unwrap());
        let expected = json!({ "since": "2022-08-08T19:30:00.000Z", "first_bad": canary("3m"), "last_good": null, "age": "1m" });
        assert_eq!(proof, expected);
        let mut none = json!("no object");
        renew_ages(&mut none, At::from_ms(0));
        assert_eq!(none, json!("no object"));
    }
}
