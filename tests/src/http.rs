//! Requests over plain HTTP on loopback, enough for health checks and Orthanc's REST interface.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

/// The body of `http://127.0.0.1:port/path`.
///
/// # Errors
/// When nobody answers within 10 s, or the answer is not 200.
pub fn get(port: u16, path: &str) -> Result<Vec<u8>> {
    exchange(port, "GET", path, "")
}

/// Deletes `http://127.0.0.1:port/path`.
///
/// # Errors
/// As [`get`].
pub(crate) fn delete(port: u16, path: &str) -> Result<Vec<u8>> {
    exchange(port, "DELETE", path, "")
}

/// Sends JSON to `http://127.0.0.1:port/path` by `method`, and gives the body of the answer.
///
/// # Errors
/// As [`get`].
pub(crate) fn send(port: u16, method: &str, path: &str, json: &str) -> Result<Vec<u8>> {
    exchange(port, method, path, json)
}

fn exchange(port: u16, method: &str, path: &str, body: &str) -> Result<Vec<u8>> {
    let on = || format!("{method} http://127.0.0.1:{port}{path}");
    let limit = Duration::from_secs(10);
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect_timeout(&address, limit).with_context(on)?;
    stream.set_read_timeout(Some(limit)).with_context(on)?;
    // HTTP/1.0 and Connection: close keep chunked bodies away.
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).with_context(on)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).with_context(on)?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").with_context(on)?;
    let status =
        String::from_utf8_lossy(&answer[..end]).lines().next().unwrap_or_default().to_owned();
    if status.split(' ').nth(1) != Some("200") {
        bail!("{}: {status}", on());
    }
    Ok(answer.split_off(end + 4))
}
