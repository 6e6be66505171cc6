//! HTTP connections: so many at a time, each for so long and one request each.

use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Pause after the system could not give us a connection: too many open files pass.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// For those who watch the node; a few do.
pub(super) const BOUNDS: Bounds =
    Bounds { connections_max: 32, head: Duration::from_secs(5), whole: Duration::from_secs(30) };

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Connections at a time.
    connections_max: usize,
    /// How long a request may take to come, from the connection on.
    head: Duration,
    /// How long a connection may last.
    whole: Duration,
}

/// Serves `pages` until `stop` is set; then those that are asked for already.
pub(super) async fn serve(
    listener: TcpListener,
    pages: Router,
    bounds: Bounds,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let stopped = async move { drop(stop.wait_for(|stop| *stop).await) };
    tokio::select! {
        () = stopped => {}
        () = accept(&listener, &pages, bounds, &mut connections) => {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Accepts connections; never returns.
async fn accept(
    listener: &TcpListener,
    pages: &Router,
    bounds: Bounds,
    connections: &mut JoinSet<()>,
) {
    loop {
        tokio::select! {
            biased;
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if connections.len() < bounds.connections_max => {
                    connections.spawn(attend(stream, pages.clone(), bounds));
                }
                // It is closed: files that it and its like hold are missed where instances come in.
                Ok((_, peer)) => tracing::debug!(%peer, "one HTTP connection too many"),
                Err(error) => {
                    tracing::error!(%error, "an HTTP connection cannot be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
}

/// Answers one request. Who would ask again connects again, and keeps no place meanwhile.
async fn attend(stream: TcpStream, pages: Router, bounds: Bounds) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(bounds.head).keep_alive(false);
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(pages));
    match timeout(bounds.whole, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "no HTTP request"),
        Err(error) => tracing::debug!(%error, "an HTTP connection was cut"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    const LIMIT: Duration = Duration::from_millis(300);
    const LONG: Duration = Duration::from_secs(30);

    async fn server(head: Duration, whole: Duration) -> (watch::Sender<bool>, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let pages = Router::new().route("/healthz", get(|| async { "alive\n" })).route(
            "/slow",
            get(|| async {
                sleep(LONG).await;
                "late\n"
            }),
        );
        let bounds = Bounds { connections_max: 4, head, whole };
        tokio::spawn(serve(listener, pages, bounds, stopped));
        (stop, address)
    }

    async fn say(address: SocketAddr, words: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(words.as_bytes()).await.unwrap();
        stream
    }

    /// Everything up to the end, which is to come long before `LONG`.
    async fn hear(mut stream: TcpStream) -> String {
        let mut text = Vec::new();
        // One that is not wanted may be reset.
        drop(timeout(LONG / 3, stream.read_to_end(&mut text)).await.unwrap());
        String::from_utf8(text).unwrap()
    }

    async fn health(address: SocketAddr) -> String {
        hear(say(address, "GET /healthz HTTP/1.1\r\nHost: node\r\n\r\n").await).await
    }

    #[tokio::test]
    async fn an_answer_ends_its_connection() {
        let (_stop, address) = server(LONG, LONG).await;
        let page = health(address).await;
        assert!(page.starts_with("HTTP/1.1 200") && page.ends_with("alive\n"), "{page}");
    }

    #[tokio::test]
    async fn half_a_header_and_silence_are_closed() {
        let (_stop, address) = server(LIMIT, LONG).await;
        let half = say(address, "GET /healthz HTTP/1.1\r\nHost: no").await;
        let silent = say(address, "").await;
        let half = hear(half).await;
        assert!(!half.contains("200"), "{half}");
        assert_eq!(hear(silent).await, "");
    }

    #[tokio::test]
    async fn a_connection_that_lasts_is_cut() {
        let (_stop, address) = server(LONG, LIMIT).await;
        assert_eq!(hear(say(address, "GET /slow HTTP/1.1\r\nHost: node\r\n\r\n").await).await, "");
    }

    #[tokio::test]
    async fn one_too_many_is_closed() {
        let (_stop, address) = server(LONG, LONG).await;
        let mut silent = Vec::new();
        for _ in 0..4 {
            silent.push(say(address, "").await);
        }
        assert_eq!(health(address).await, "");
    }

    #[tokio::test]
    async fn silent_connections_keep_nobody_out_for_long() {
        let (_stop, address) = server(LIMIT, LONG).await;
        let mut silent = Vec::new();
        for _ in 0..20 {
            silent.push(say(address, "").await);
        }
        sleep(LIMIT * 2).await;
        assert!(health(address).await.ends_with("alive\n"));
        for stream in silent {
            assert_eq!(hear(stream).await, "");
        }
    }

    #[tokio::test]
    async fn a_node_that_stops_takes_no_more() {
        let (stop, address) = server(LONG, LONG).await;
        assert!(health(address).await.ends_with("alive\n"));
        stop.send_replace(true);
        sleep(LIMIT).await;
        assert!(TcpStream::connect(address).await.is_err());
    }
}
