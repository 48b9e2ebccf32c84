//! A mail server that has suspended everybody: each sender is refused at once, which opens an incident of its provider.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// It works for as long as the process does.
#[derive(Debug)]
pub struct Refuser {
    pub port: u16,
    refused: Arc<AtomicU64>,
}

impl Refuser {
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (port, refused) = (listener.local_addr().unwrap().port(), Arc::new(AtomicU64::new(0)));
        let counted = Arc::clone(&refused);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, Arc::clone(&counted)));
            }
        });
        Self { port, refused }
    }

    /// How many senders were refused so far.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// A provider of this name at this server.
    pub fn provider(&self, name: &str) -> String {
        format!("\n[provider.{name}.smtp]\nfrom = \"no-reply@example.com\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n", self.port)
    }
}

/// One session. Who hangs up in the middle of it is gone.
async fn talk(stream: TcpStream, refused: Arc<AtomicU64>) -> Option<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 refuser.example ESMTP\r\n").await.ok()?;
    while let Some(line) = lines.next_line().await.ok()? {
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "MAIL" => {
                refused.fetch_add(1, Ordering::Relaxed);
                "550 5.7.1 account suspended\r\n"
            }
            "QUIT" => "221 2.0.0 bye\r\n",
            _ => "250 2.0.0 ok\r\n",
        };
        writer.write_all(answer.as_bytes()).await.ok()?;
    }
    Some(())
}
