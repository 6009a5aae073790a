//! Every limit of HTTP/1 and HTTP/2, by name. Defaults of the libraries have changed between releases; none
//! is relied on.

use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;

/// Largest message a sync stream takes, bytes.
pub const MAX_MESSAGE_IN: usize = 4 << 20;
/// Largest request of a unary call, bytes: sixteen parties and sixteen subjects with all that belongs to them, or a
/// filing of two thousand characters, take a tenth.
pub const MAX_CALL_IN: usize = 64 << 10;
/// Largest message a gRPC service sends, bytes.
pub const MAX_MESSAGE_OUT: usize = 16 << 20;

/// Bounds of one connection.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// Streams open at once.
    pub concurrent_streams: u32,
    /// Bytes a peer may send ahead on one stream.
    pub stream_window: u32,
    /// Bytes a peer may send ahead on the connection.
    pub connection_window: u32,
    /// Bytes of all headers of one request, decompressed.
    pub header_list: u32,
    /// Bytes of one frame.
    pub frame: u32,
    /// Bytes buffered for sending on one stream.
    pub send_buffer: usize,
    /// Streams reset by the peer before they were accepted (rapid reset, CVE-2023-44487).
    pub pending_accept_resets: usize,
    /// Streams reset by us for the peer's errors (CVE-2025-8671).
    pub local_error_resets: usize,
    /// Silence after which the peer is asked for a sign of life.
    pub keepalive_interval: Duration,
    /// How long it has for that.
    pub keepalive_timeout: Duration,
    /// How long the headers of an HTTP/1 request may take, waiting for the first byte included.
    pub header_time: Duration,
    /// Headers of one HTTP/1 request.
    pub headers: usize,
    /// Whether HTTP/1 is spoken beside HTTP/2.
    pub http1: bool,
}

impl HttpLimits {
    /// Few connections with long streams of large messages. The windows hold a batch in flight while the one
    /// before is decoded.
    pub const AGENTS: Self = Self {
        concurrent_streams: 64,
        stream_window: 4 << 20,
        connection_window: 8 << 20,
        header_list: 16 << 10,
        frame: 16 << 10,
        send_buffer: 1 << 20,
        pending_accept_resets: 20,
        local_error_resets: 256,
        keepalive_interval: Duration::from_secs(30),
        keepalive_timeout: Duration::from_secs(20),
        header_time: Duration::from_secs(10),
        headers: 64,
        http1: false,
    };

    /// Many connections with small requests.
    pub const PEOPLE: Self = Self {
        concurrent_streams: 100,
        stream_window: 256 << 10,
        connection_window: 1 << 20,
        http1: true,
        ..Self::AGENTS
    };

    pub(super) fn builder(&self) -> Builder<TokioExecutor> {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.header_time)
            .max_headers(self.headers)
            .max_buf_size(self.header_list as usize)
            .keep_alive(true);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(self.concurrent_streams)
            .initial_stream_window_size(self.stream_window)
            .initial_connection_window_size(self.connection_window)
            .adaptive_window(false)
            .max_header_list_size(self.header_list)
            .max_frame_size(self.frame)
            .max_send_buf_size(self.send_buffer)
            .max_pending_accept_reset_streams(self.pending_accept_resets)
            .max_local_error_reset_streams(self.local_error_resets)
            .keep_alive_interval(self.keepalive_interval)
            .keep_alive_timeout(self.keepalive_timeout);
        if self.http1 {
            builder
        } else {
            builder.http2_only()
        }
    }
}
