//! One operation of the API: what it is for the document, and what answers it. The table of all of them is the API.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use schemars::{Schema, SchemaGenerator};
use serde::Serialize;

use super::super::Archive;
use super::super::problem::Problem;
use super::asked::Asked;
use super::form::Form;
use crate::model::At;
use crate::watchdog::{Event, View};

/// A method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Post,
    Delete,
}

impl Verb {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// A parameter of a path or a query.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) form: Form,
    pub(super) doc: &'static str,
}

/// Puts the schema of a type where the document refers to it.
pub(super) type Shape = fn(&mut SchemaGenerator) -> Schema;

/// What can be asked or wanted.
#[derive(Debug)]
pub(super) struct Operation {
    /// Its name in clients that are made from the document.
    pub(super) id: &'static str,
    pub(super) verb: Verb,
    /// Below the API's root; `{NAME}` is a parameter.
    pub(super) path: &'static str,
    /// What it is for, in one sentence.
    pub(super) doc: &'static str,
    pub(super) query: &'static [Parameter],
    /// What is answered when all is well.
    pub(super) answer: Shape,
    pub(super) run: Run,
}

/// How it is answered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Run {
    /// From the state as it is.
    Read(fn(&Asked, &View) -> Result<Reply, Problem>),
    /// From the ledger.
    Recall(for<'a> fn(&'a Asked, &'a View, &'a Archive) -> BoxFuture<'a, Result<Reply, Problem>>),
    /// By something that happens to the watchdog, from the state then.
    Want(Want),
    /// With the document itself.
    Document,
    /// With what changes, as long as somebody listens.
    Listen,
}

/// Something that a person wants.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    /// What is sent.
    pub(super) body: Shape,
    /// Whether that makes something new.
    pub(super) makes: bool,
    pub(super) event: fn(&Asked, At) -> Result<Event, Problem>,
    pub(super) told: fn(&Asked, &View) -> Result<Reply, Problem>,
}

/// An answer when all is well.
#[derive(Debug)]
pub(super) struct Reply {
    status: StatusCode,
    body: String,
    location: Option<String>,
}

impl Reply {
    /// This, as JSON.
    pub(super) fn of<T: Serialize>(what: &T) -> Result<Self, Problem> {
        let unwritten = |error: serde_json::Error| {
            tracing::error!(%error, "an answer of the API could not be written");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the answer could not be written")
        };
        Ok(Self { status: StatusCode::OK, body: serde_json::to_string(what).map_err(unwritten)?, location: None })
    }

    /// Of something new that stands there.
    pub(super) fn made(self, location: String) -> Self {
        Self { status: StatusCode::CREATED, location: Some(location), ..self }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = (self.status, [(CONTENT_TYPE, "application/json")], self.body).into_response();
        if let Some(location) = self.location.and_then(|at| at.parse().ok()) {
            response.headers_mut().insert(LOCATION, location);
        }
        response
    }
}

/// The parameter of a path that has this name.
pub(super) const fn path_parameter(name: &str) -> &'static Parameter {
    static INCIDENT: Parameter = Parameter { name: "incident", form: Form::Number, doc: "The incident's number." };
    static SILENCE: Parameter = Parameter { name: "silence", form: Form::Number, doc: "The silence's number." };
    static CANARY: Parameter = Parameter { name: "canary", form: Form::Canary, doc: "The canary's id." };
    static NAME: Parameter = Parameter { name: "name", form: Form::Name, doc: "A name of the configuration." };
    match name.as_bytes() {
        b"incident" => &INCIDENT,
        b"silence" => &SILENCE,
        b"canary" => &CANARY,
        _ => &NAME,
    }
}
