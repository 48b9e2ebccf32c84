//! Somebody's web application: people sign up, and it sends them a mail with a link.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Who its mail is from.
pub const FROM: &str = "shop@shop.example";
/// What it knows its callers by.
pub const SECRET: &str = "Bearer sesame-of-the-shop";

/// How it is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Mails and says so on a page.
    Well,
    /// The same, and sends the browser to another page.
    Redirecting,
    /// A second mail goes out before: a welcome to the same address.
    Chatty,
    /// Says that all is well and mails nothing.
    Silent,
    /// Its links lead to the machine that it was tried on.
    Misconfigured,
    /// Says on a page of 200 that it did nothing.
    Cross,
    /// 429.
    Busy,
}

#[derive(Debug)]
struct Shop {
    mood: Mutex<Mood>,
    asked: Mutex<Vec<BTreeMap<String, String>>>,
    smtp: u16,
}

/// A running application.
#[derive(Debug)]
pub struct Application {
    pub address: SocketAddr,
    shop: Arc<Shop>,
    task: JoinHandle<()>,
}

impl Application {
    /// One that sends its mail by SMTP to a port on loopback.
    pub async fn start(smtp: u16) -> Self {
        let shop = Arc::new(Shop { mood: Mutex::new(Mood::Well), asked: Mutex::default(), smtp });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/signup", post(sign_up)).with_state(Arc::clone(&shop));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shop, task }
    }

    pub fn set(&self, mood: Mood) {
        *self.shop.mood.lock().unwrap() = mood;
    }

    /// The forms that were handed in.
    pub fn asked(&self) -> Vec<BTreeMap<String, String>> {
        self.shop.asked.lock().unwrap().clone()
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn sign_up(State(shop): State<Arc<Shop>>, headers: HeaderMap, body: String) -> Response {
    if headers.get(header::AUTHORIZATION).is_none_or(|value| value != SECRET) {
        return (StatusCode::UNAUTHORIZED, "who are you?").into_response();
    }
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    shop.asked.lock().unwrap().push(form.clone());
    let mood = *shop.mood.lock().unwrap();
    let page = |text: &str| ([(header::CONTENT_TYPE, "text/html")], format!("<html><body><h1>{text}</h1></body></html>")).into_response();
    match mood {
        Mood::Cross => return page("Sorry, too many attempts. Try again later."),
        Mood::Busy => return (StatusCode::TOO_MANY_REQUESTS, page("Slow down")).into_response(),
        Mood::Silent => return page("Check your mail!"),
        Mood::Well | Mood::Redirecting | Mood::Chatty | Mood::Misconfigured => {}
    }
    if mood == Mood::Chatty {
        shop.mail(&form, "Welcome to the Shop!", "<p>Look at <a href='https://www.shop.example/'>our offers</a>.</p>").await;
    }
    let host = if mood == Mood::Misconfigured { "localhost:3000" } else { "app.shop.example" };
    let name = form.get("name").map_or("you", String::as_str);
    let text = format!(
        "<p>Hello {name}, please confirm\n your address:</p> <a href=\"https://{host}/confirm?code=4711&amp;x\">confirm</a> <a href=\"https://help.example/\">help</a>"
    );
    shop.mail(&form, "Confirm your address", &text).await;
    if mood == Mood::Redirecting {
        return (StatusCode::FOUND, [(header::LOCATION, "/signup/done")]).into_response();
    }
    page("Check your mail!")
}

impl Shop {
    async fn mail(&self, form: &BTreeMap<String, String>, subject: &str, html: &str) {
        let to = form.get("email").unwrap().parse().unwrap();
        let message = Message::builder().from(format!("The Shop <{FROM}>").parse().unwrap()).to(to).subject(subject);
        let message = message.header(ContentType::TEXT_HTML).body(html.to_owned()).unwrap();
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1").port(self.smtp).build();
        transport.send(message).await.unwrap();
    }
}
