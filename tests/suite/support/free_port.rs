//! Ports for servers that cannot be told to choose one themselves.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};

/// A TCP port on loopback that nobody listens at, reserved for this process until it ends.
///
/// It is below the range that outgoing connections use, and a lock on a file keeps other tests' processes away from it.
pub fn free_port() -> u16 {
    let locks = std::env::temp_dir().join("mailcanary-test-ports");
    std::fs::create_dir_all(&locks).unwrap();
    for _ in 0..1000 {
        let mut random = [0; 2];
        getrandom::fill(&mut random).unwrap();
        let port = 12_000 + u16::from_ne_bytes(random) % 20_000;
        let lock = File::create(locks.join(port.to_string())).unwrap();
        if lock.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            // Held until the process ends, which is what makes the port ours.
            std::mem::forget(lock);
            return port;
        }
    }
    panic!("no free port");
}
