//! A web server over TLS at an address of its own, as a policy of MTA-STS is fetched from: it gives each host what it is told.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::certs::Certificate;

/// Listens at port 443 of `address`, for as long as the process lives. `pages` are hosts, each with the whole answer; others get 404.
pub fn serve(address: Ipv4Addr, certificate: &Certificate, pages: Vec<(String, String)>) {
    let listener = TcpListener::bind((address, 443)).expect("root may listen at port 443");
    let chain = vec![CertificateDer::from_pem_file(&certificate.cert).unwrap()];
    let key = PrivateKeyDer::from_pem_file(&certificate.key).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let config = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let config = Arc::new(config);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream.unwrap());
            let (mut request, mut piece) = (Vec::new(), [0; 4096]);
            while !request.ends_with(b"\r\n\r\n") {
                match stream.read(&mut piece) {
                    Ok(read @ 1..) => request.extend_from_slice(&piece[..read]),
                    Ok(0) | Err(_) => break,
                }
            }
            let request = String::from_utf8_lossy(&request).to_lowercase();
            let asked = request.starts_with("get /.well-known/mta-sts.txt http/1.1\r\n");
            let page = pages.iter().find(|(host, _)| asked && request.contains(&format!("host: {host}\r\n")));
            let missing = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _gone = stream.write_all(page.map_or(missing, |(_, page)| page).as_bytes());
            stream.conn.send_close_notify();
            let _gone = stream.flush();
        }
    });
}
