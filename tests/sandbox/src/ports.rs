//! Ports that stay the same over a restart.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range from which the kernel gives ports to outgoing connections: one of those could otherwise take a
/// hub's port while the hub is down.
const FIRST: u16 = 12_000;
const COUNT: u16 = 18_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A loopback port that nobody listens on. Each call of a process gives another one, and processes begin at
/// different places.
///
/// # Errors
/// When none is free.
pub fn free_port() -> io::Result<u16> {
    let beginning = std::process::id().wrapping_mul(61) as u16 % COUNT;
    for _ in 0..COUNT {
        let nth = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = FIRST + (beginning + nth) % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AddrInUse,
        "no loopback port is free",
    ))
}
