//! The pager: a webhook receiver on loopback, where a pager's service would be.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::model::Notice;

/// What the pager got.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Page {
    /// When.
    pub(super) timestamp: String,
    /// The notice.
    pub(super) data: Notice,
}

/// Opens the line: the server to be driven, its URL, and what comes in.
pub(super) async fn open() -> std::io::Result<(BoxFuture<'static, ()>, String, mpsc::Receiver<Page>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/pager", listener.local_addr()?);
    let (pages_in, pages) = mpsc::channel(64);
    let router = Router::new().route("/pager", post(take)).with_state(pages_in);
    let server = async move {
        // It ends with the demo.
        drop(axum::serve(listener, router).await);
    };
    Ok((server.boxed(), url, pages))
}

async fn take(State(pages): State<mpsc::Sender<Page>>, body: Bytes) -> StatusCode {
    match serde_json::from_slice::<Page>(&body) {
        Ok(page) => pages.send(page).await.map_or(StatusCode::SERVICE_UNAVAILABLE, |()| StatusCode::NO_CONTENT),
        Err(_) => StatusCode::BAD_REQUEST,
    }
}
