//! The document of the API, OpenAPI 3.1: made of the table of operations and of the types that are answered and taken.

use std::sync::LazyLock;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::super::problem::{PROBLEM_JSON, Problem};
use super::operation::{Operation, Parameter, Run, path_parameter};
use super::operations;

/// Where the document keeps its schemas.
const SCHEMAS: &str = "/components/schemas";

/// What a listener reads.
const EVENT: &str = "id: 1827e9a3c40-7\nevent: verdict\ndata: {\"as_of\": \"2022-08-08T19:30:00.000Z\", \"of\": {\"provider\": \"mailchimp\"}, \
    \"was\": \"delivering\", \"is\": \"stopped\", \"reason\": \"nothing has arrived for 9m\"}\n\n";

/// Problems that each request can meet, and when.
const ALWAYS: &[(u16, &str)] = &[
    (
        400,
        "The request is not as this document has it: a parameter of the query that is unknown, twice there or of another form; a body that cannot be read.",
    ),
    (401, "Somebody has to say who they are, or said so wrongly."),
    (403, "Whoever asks may not."),
    (405, "The path takes other methods: see `Allow`."),
    (406, "What is answered is not among what `Accept` names."),
    (408, "The request did not come in time."),
    (414, "The address is longer than 32 KiB."),
    (421, "The host of the request is not one by which mailcanary is asked."),
    (429, "Too many at once: see `Retry-After`."),
    (431, "The head of the request has more than 32 KiB, or more than 64 lines."),
    (500, "A fault of mailcanary."),
    (503, "The watchdog did not answer in time."),
];
/// Those of paths that name something.
const NAMING: &[(u16, &str)] = &[(404, "There is no such thing, or not any more.")];
/// Those of bodies.
const WANTING: &[(u16, &str)] = &[
    (404, "What the body or the path names is not there."),
    (409, "It is well written, and cannot be as things stand: an end that has passed, a drill that goes on."),
    (413, "The body is too large."),
    (415, "The body is not said to be JSON."),
    (422, "A field of the body has another form."),
];

static DOCUMENT: LazyLock<String> = LazyLock::new(|| format!("{:#}\n", assembled()));

/// The document, as JSON.
#[must_use]
pub fn document() -> &'static str {
    &DOCUMENT
}

fn assembled() -> Value {
    let settings = || SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = SCHEMAS.into());
    let mut answers = settings().for_serialize().into_generator();
    let mut bodies = settings().for_deserialize().into_generator();
    let problem = answers.subschema_for::<Problem>();
    let mut paths = Map::new();
    for operation in operations::all() {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(operation.verb.as_str().to_ascii_lowercase(), described(operation, &mut answers, &mut bodies));
        }
    }
    let mut schemas = bodies.take_definitions(true);
    schemas.extend(answers.take_definitions(true));
    let of_problem = |(status, doc): &(u16, &str)| {
        // What is too long is not read far enough to be answered with more than a status.
        let unread = matches!(status, 414 | 431);
        let mut response = if unread {
            json!({ "description": doc })
        } else {
            json!({ "description": doc, "content": { PROBLEM_JSON: { "schema": problem } } })
        };
        let header = match status {
            401 => Some(("WWW-Authenticate", json!({ "type": "string" }))),
            405 => Some(("Allow", json!({ "type": "string" }))),
            429 => Some(("Retry-After", json!({ "type": "integer", "minimum": 0 }))),
            _ => None,
        };
        if let (Some((name, schema)), Some(response)) = (header, response.as_object_mut()) {
            response.insert("headers".to_owned(), json!({ name: { "required": *status != 401, "schema": schema } }));
        }
        (problem_name(*status), response)
    };
    let problems: Map<String, Value> = ALWAYS.iter().chain(NAMING).chain(WANTING).map(of_problem).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "mailcanary", "version": env!("CARGO_PKG_VERSION"),
            "description": "Everything that the status page of mailcanary shows, and what people want of it. Instants are RFC 3339 in UTC; \
                durations are numbers with their unit in the name. Fields may be added to answers. Lists that can be long come by page: \
                give `next` of a page as `cursor` of the next one. Parameters of the query that are not known are refused.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [{ "url": "/api/v1" }],
        "tags": [{ "name": "read", "description": "What can be read." }, { "name": "change", "description": "What people want." }],
        "paths": paths,
        "components": {
            "schemas": schemas, "responses": problems,
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "The token of `[http] token`." },
                "user": { "type": "http", "scheme": "basic", "description": "A user of `[http] web_config`; one of `[http] writers` may change something." },
            },
        },
    })
}

fn problem_name(status: u16) -> String {
    format!("Problem{status}")
}

fn described(operation: &Operation, answers: &mut SchemaGenerator, bodies: &mut SchemaGenerator) -> Value {
    let named: Vec<&str> = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
    let of_path = named.iter().map(|name| parameter(path_parameter(name), name, "path"));
    let resumed = matches!(operation.run, Run::Listen).then(|| {
        json!({
            "name": "Last-Event-ID", "in": "header", "required": false, "schema": { "type": "string" },
            "description": "Behind this event; browsers send it by themselves when they come back.",
        })
    });
    let of_query = operation.query.iter().map(|query| parameter(query, query.name, "query"));
    let parameters: Vec<Value> = of_path.chain(of_query).chain(resumed).collect();
    let answer = (operation.answer)(answers);
    let want = if let Run::Want(want) = operation.run { Some(want) } else { None };
    let makes = want.is_some_and(|want| want.makes);
    let mut good = json!({ "description": operation.doc, "content": { "application/json": { "schema": answer } } });
    if let (Run::Listen, Some(Value::Object(content))) = (operation.run, good.pointer_mut("/content")) {
        content.insert("text/event-stream".to_owned(), json!({ "schema": { "type": "string" }, "example": EVENT }));
    }
    if let (true, Some(good)) = (makes, good.as_object_mut()) {
        let location = json!({ "Location": { "description": "Where it stands.", "required": true, "schema": { "type": "string", "format": "uri-reference" } } });
        good.insert("headers".to_owned(), location);
    }
    let mut responses = Map::from_iter([(if makes { "201" } else { "200" }.to_owned(), good)]);
    let naming = if named.is_empty() { &[][..] } else { NAMING };
    let wanting = if want.is_some() { WANTING } else { &[] };
    for (status, _) in ALWAYS.iter().chain(naming).chain(wanting) {
        responses.insert(status.to_string(), json!({ "$ref": format!("#/components/responses/{}", problem_name(*status)) }));
    }
    let mut security = vec![json!({ "token": [] }), json!({ "user": [] })];
    if want.is_none() {
        security.insert(0, json!({}));
    }
    let mut described = json!({
        "operationId": operation.id, "summary": operation.doc, "tags": [if want.is_some() { "change" } else { "read" }],
        "parameters": parameters, "responses": responses, "security": security,
    });
    if let (Some(want), Some(described)) = (want, described.as_object_mut()) {
        let schema = (want.body)(bodies);
        described.insert("requestBody".to_owned(), json!({ "required": true, "content": { "application/json": { "schema": schema } } }));
    }
    let status = if makes { "/responses/201" } else { "/responses/200" };
    let links = links(operation);
    if let (false, Some(Value::Object(good))) = (links.is_empty(), described.pointer_mut(status)) {
        good.insert("links".to_owned(), links.into());
    }
    described
}

/// From which operation to which, and where each parameter of that stands in the answer.
type Link = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// What can be asked next with what was answered.
const LINKS: &[Link] = &[
    ("providers", "provider", &[("provider", "/providers/0/name")]),
    ("providers", "daysOfProvider", &[("provider", "/providers/0/name")]),
    ("inboxes", "daysOfInbox", &[("inbox", "/inboxes/0/name")]),
    ("routes", "route", ROUTE),
    ("routes", "canariesOfRoute", ROUTE),
    ("routes", "pointsOfRoute", ROUTE),
    ("canariesOfRoute", "canary", &[("canary", "/canaries/0/canary")]),
    ("canariesOfRoute", "canaryWay", &[("canary", "/canaries/0/canary")]),
    ("history", "timeline", &[("incident", "/incidents/0/incident")]),
    ("incidents", "incident", &[("incident", "/incidents/0/incident")]),
    ("incidents", "acknowledge", &[("incident", "/incidents/0/incident")]),
    ("incidents", "close", &[("incident", "/incidents/0/incident")]),
    ("addSilence", "silenceByNumber", &[("silence", "/silence")]),
    ("addSilence", "endSilence", &[("silence", "/silence")]),
];
const ROUTE: &[(&str, &str)] = &[("provider", "/routes/0/provider"), ("stream", "/routes/0/stream"), ("inbox", "/routes/0/inbox")];

fn links(operation: &Operation) -> Map<String, Value> {
    let link = |(_, to, parameters): &Link| {
        let parameters: Map<String, Value> =
            parameters.iter().map(|(name, at)| ((*name).to_owned(), json!(format!("$response.body#{at}")))).collect();
        ((*to).to_owned(), json!({ "operationId": to, "parameters": parameters }))
    };
    LINKS.iter().filter(|(from, ..)| *from == operation.id).map(link).collect()
}

fn parameter(parameter: &Parameter, name: &str, place: &str) -> Value {
    json!({
        "name": name, "in": place, "required": place == "path", "description": parameter.doc, "schema": parameter.form.schema(),
        "example": parameter.form.example(),
    })
}
