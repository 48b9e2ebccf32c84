//! Whoever speaks HTTP in the clear to a port that speaks TLS is told so, as other servers do: a closed connection would say nothing.

use std::io::{Error, ErrorKind};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What is said.
const HINT: &str = "this port speaks TLS: ask by https://\n";
/// Bytes of the request that are taken, so that the answer is read before the connection ends.
const TAKEN: usize = 32 * 1024;

/// Whether it begins as HTTP does. A TLS handshake begins with 22 (RFC 8446, 5.1), a method with a letter.
pub(super) async fn speaks_http(stream: &TcpStream) -> std::io::Result<bool> {
    let mut first = [0_u8; 1];
    let seen = stream.peek(&mut first).await?;
    Ok(seen > 0 && first.iter().all(u8::is_ascii_uppercase))
}

/// Answers that, and ends the connection.
pub(super) async fn turn_away(mut stream: TcpStream) -> Error {
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{HINT}",
        HINT.len()
    );
    let said = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        let mut rest = [0_u8; 1024];
        let mut taken = 0;
        while taken < TAKEN {
            match stream.read(&mut rest).await? {
                0 => break,
                more => taken += more,
            }
        }
        Ok::<(), Error>(())
    };
    said.await.err().unwrap_or_else(|| Error::new(ErrorKind::InvalidData, "HTTP in the clear"))
}
