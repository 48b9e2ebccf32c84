//! The JSON Schema of the configuration, for editors; written from the list of keys.

use serde_json::{Map, Value, json};

use super::keys::{Key, Kind, Need, TABLES, Table};

/// A name that the user gives; see [`crate::model::Name`].
const NAME: &str = "^[a-z0-9][a-z0-9._-]{0,63}$";

/// The schema, after draft 2020-12. Looser than the parser where the parser looks at more than one key.
#[must_use]
pub fn schema() -> Value {
    let mut properties = Map::new();
    for table in TABLES {
        let mut parts = table.path.split('.');
        let (Some(group), named, kind) = (parts.next(), parts.next(), parts.next()) else { continue };
        let of_table = table_schema(table);
        match (named, kind) {
            (None, _) if !table.shown => {
                properties.insert(group.to_owned(), json!({ "type": "array", "minItems": 1, "items": of_table }));
            }
            (None, _) => {
                properties.insert(group.to_owned(), of_table);
            }
            (Some(_), None) => {
                properties.insert(group.to_owned(), by_name(group, of_table));
            }
            (Some(_), Some(kind)) => {
                let one =
                    json!({ "type": "object", "additionalProperties": false, "minProperties": 1, "maxProperties": 1, "properties": {} });
                let entry = properties.entry(group).or_insert_with(|| by_name(group, one));
                if let Some(kinds) = entry.pointer_mut("/additionalProperties/properties").and_then(Value::as_object_mut) {
                    kinds.insert(kind.to_owned(), of_table);
                }
            }
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mailcanary",
        "description": "The configuration of mailcanary, an e-mail deliverability watchdog.",
        "type": "object",
        "additionalProperties": false,
        "required": ["stream", "provider", "inbox"],
        "properties": properties,
        "$defs": {
            "secret": {
                "description": "Where a secret is; never the secret itself.",
                "type": "object",
                "additionalProperties": false,
                "minProperties": 1,
                "maxProperties": 1,
                "properties": {
                    "file": { "description": "A file; one trailing newline is cut.", "type": "string", "minLength": 1 },
                    "env": { "description": "An environment variable.", "type": "string", "minLength": 1 },
                    "credential": { "description": "A systemd credential.", "type": "string", "minLength": 1 },
                },
            },
        },
    })
}

/// A group whose keys are names that the user gives.
fn by_name(group: &str, each: Value) -> Value {
    let least = u8::from(!matches!(group, "sink" | "heartbeat" | "maintenance" | "drill"));
    json!({ "type": "object", "minProperties": least, "propertyNames": { "pattern": NAME }, "additionalProperties": each })
}

fn table_schema(table: &Table) -> Value {
    let required: Vec<&str> = table.keys().filter(|k| matches!(k.need, Need::Required)).map(|k| k.name).collect();
    let properties: Map<String, Value> = table.keys().map(|k| (k.name.to_owned(), key_schema(k))).collect();
    let mut schema = json!({ "description": table.doc, "type": "object", "additionalProperties": false, "properties": properties });
    if !required.is_empty() {
        put(&mut schema, "required", json!(required));
    }
    if !table.shown {
        put(&mut schema, "minProperties", json!(1));
    }
    schema
}

fn key_schema(key: &Key) -> Value {
    let mut schema = kind_schema(key.kind);
    let doc = match key.need {
        Need::Absent(meaning) | Need::Instead(meaning) => format!("{} Without it: {meaning}.", key.doc),
        Need::Required | Need::Default(_) => key.doc.to_owned(),
    };
    put(&mut schema, "description", json!(doc));
    if let Need::Default(text) = key.need {
        put(&mut schema, "default", as_json(text));
    }
    put(&mut schema, "examples", json!([as_json(key.example)]));
    schema
}

fn put(schema: &mut Value, name: &str, value: Value) {
    if let Some(object) = schema.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

fn kind_schema(kind: Kind) -> Value {
    let list = |items: Value| json!({ "type": "array", "minItems": 1, "uniqueItems": true, "items": items });
    match kind {
        Kind::Line(most) => json!({ "type": "string", "minLength": 1, "maxLength": most }),
        Kind::Label => json!({ "type": "string", "pattern": "^[!-.0-~]{1,253}$" }),
        Kind::Duration(..) => json!({ "type": "string", "pattern": "^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$" }),
        Kind::Rate => json!({ "type": "string", "pattern": "^[0-9.]+ +per +(day|month|year)$" }),
        Kind::Share => json!({ "type": "string", "pattern": "^[0-9.]+ *%$" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Count(most) => json!({ "type": "integer", "minimum": 1, "maximum": most }),
        Kind::Amount => json!({ "type": "number", "minimum": 0 }),
        Kind::Port => json!({ "type": "integer", "minimum": 1, "maximum": 65535 }),
        Kind::Host | Kind::Path | Kind::Ip => json!({ "type": "string", "minLength": 1 }),
        Kind::Word(words) => json!({ "type": "string", "enum": words }),
        Kind::Words(words) => list(json!({ "type": "string", "enum": words })),
        Kind::Mailbox | Kind::Address => json!({ "type": "string", "pattern": "@" }),
        Kind::Url { .. } | Kind::UrlToFill => json!({ "type": "string", "pattern": "^https?://" }),
        Kind::Urls => list(json!({ "type": "string", "pattern": "^https?://" })),
        Kind::Secret => json!({ "$ref": "#/$defs/secret" }),
        Kind::Proxy => json!({ "type": "string", "pattern": "^(socks5|http)://" }),
        Kind::Listen => json!({ "type": "string", "pattern": "^off$|:[0-9]+$" }),
        Kind::Addresses => list(json!({ "type": "string", "pattern": "@" })),
        Kind::Lines => list(json!({ "type": "string", "minLength": 1, "maxLength": 255 })),
        Kind::Argv => json!({ "type": "array", "minItems": 1, "items": { "type": "string", "minLength": 1, "maxLength": 1000 } }),
        Kind::Pairs => {
            let one = json!({ "type": "string", "minLength": 1, "maxLength": 1000 });
            json!({ "type": "object", "minProperties": 1, "additionalProperties": one })
        }
        Kind::Text(most) => json!({ "type": "string", "minLength": 1, "maxLength": most }),
        Kind::Headers => {
            let one = json!({ "oneOf": [{ "type": "string", "minLength": 1, "maxLength": 1000 }, { "$ref": "#/$defs/secret" }] });
            json!({ "type": "object", "minProperties": 1, "additionalProperties": one })
        }
        Kind::Statuses => {
            let range = json!({ "type": "string", "pattern": "^ *[1-5][0-9][0-9] *([.][.] *[1-5][0-9][0-9] *)?$" });
            let number = json!({ "type": "integer", "minimum": 100, "maximum": 599 });
            json!({ "oneOf": [number, range, { "type": "array", "minItems": 1, "items": { "oneOf": [number, range] } }] })
        }
        Kind::Hours => {
            let one = json!({ "type": "string", "minLength": 3, "maxLength": 100 });
            json!({ "oneOf": [one, { "type": "array", "minItems": 1, "items": one }] })
        }
        Kind::Instant => json!({ "type": "string", "format": "date-time" }),
        Kind::Day => json!({ "type": "string", "format": "date" }),
        Kind::Zone => json!({ "type": "string", "minLength": 1, "maxLength": 64 }),
        Kind::Patterns => {
            let one = json!({ "type": "string", "minLength": 1, "maxLength": 64 });
            json!({ "oneOf": [one, { "type": "array", "minItems": 1, "items": one }] })
        }
    }
}

/// A value of the list of keys, which has texts, flags, numbers, lists of texts and secrets.
fn as_json(text: &str) -> Value {
    text.parse::<toml_edit::Value>().map_or(Value::Null, |value| from_toml(&value))
}

fn from_toml(value: &toml_edit::Value) -> Value {
    match value {
        toml_edit::Value::String(s) => json!(s.value()),
        toml_edit::Value::Integer(n) => json!(n.value()),
        toml_edit::Value::Float(n) => json!(n.value()),
        toml_edit::Value::Boolean(b) => json!(b.value()),
        toml_edit::Value::Datetime(d) => json!(d.value().to_string()),
        toml_edit::Value::Array(list) => list.iter().map(from_toml).collect(),
        toml_edit::Value::InlineTable(table) => Value::Object(table.iter().map(|(k, v)| (k.to_owned(), from_toml(v))).collect()),
    }
}
