//! What there is: the first thing that is asked of an API.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::form::Form;
use super::super::operation::{Operation, Reply, Run, Verb};
use super::read::reading;

/// Every path, and what it is for.
#[derive(Debug, Serialize, JsonSchema)]
struct Index {
    /// The version of mailcanary.
    version: &'static str,
    /// Where the whole document is.
    openapi: &'static str,
    /// Every operation, in the order of the document.
    operations: Vec<Entry>,
}

/// One operation.
#[derive(Debug, Serialize, JsonSchema)]
struct Entry {
    method: &'static str,
    /// The path; what stands in braces is a parameter.
    path: String,
    /// What it is for.
    doc: &'static str,
    /// The parameters of its query.
    query: Vec<Asked>,
}

/// A parameter of a query.
#[derive(Debug, Serialize, JsonSchema)]
struct Asked {
    name: &'static str,
    doc: &'static str,
    /// Its form as JSON Schema.
    form: serde_json::Value,
}

pub(super) static OPERATIONS: &[Operation] =
    &[reading!("index", "/", "What there is to be asked and to be wanted.", &[], Index, Run::Read(|_, _| Reply::of(&Index::new())))];

impl Index {
    fn new() -> Self {
        let asked = |name, doc, form: Form| Asked { name, doc, form: form.schema() };
        let entry = |one: &Operation| Entry {
            method: one.verb.as_str(),
            path: format!("{}{}", super::super::ROOT.trim_end_matches('/'), one.path),
            doc: one.doc,
            query: one.query.iter().map(|query| asked(query.name, query.doc, query.form)).collect(),
        };
        Self { version: env!("CARGO_PKG_VERSION"), openapi: "/api/v1/openapi.json", operations: super::all().map(entry).collect() }
    }
}
