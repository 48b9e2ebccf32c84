//! A mail server that has suspended everybody: each sender is refused at once, which opens an incident of its provider.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// It works for as long as the process does.
#[derive(Debug)]
pub struct Refuser {
    pub port: u16,
    refused: Arc<Mutex<Refused>>,
}

/// How many senders were refused, and when the first of each provider was.
#[derive(Debug, Default)]
struct Refused {
    count: u64,
    first: BTreeMap<String, SystemTime>,
}

impl Refuser {
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (port, refused) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Refused>>::default());
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
        self.refused.lock().unwrap().count
    }

    /// When each provider was refused first.
    pub fn first(&self) -> BTreeMap<String, SystemTime> {
        self.refused.lock().unwrap().first.clone()
    }

    /// A provider of this name at this server.
    pub fn provider(&self, name: &str) -> String {
        format!(
            "\n[provider.{name}.smtp]\nfrom = \"no-reply@{name}.example.com\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n",
            self.port
        )
    }
}

/// One session. Who hangs up in the middle of it is gone.
async fn talk(stream: TcpStream, refused: Arc<Mutex<Refused>>) -> Option<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 refuser.example ESMTP\r\n").await.ok()?;
    while let Some(line) = lines.next_line().await.ok()? {
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "MAIL" => {
                let provider = line.split_once('@').and_then(|(_, domain)| domain.split('.').next()).unwrap_or_default();
                let mut refused = refused.lock().unwrap();
                refused.count += 1;
                refused.first.entry(provider.to_owned()).or_insert_with(SystemTime::now);
                "550 5.7.1 account suspended\r\n"
            }
            "QUIT" => "221 2.0.0 bye\r\n",
            _ => "250 2.0.0 ok\r\n",
        };
        writer.write_all(answer.as_bytes()).await.ok()?;
    }
    Some(())
}
