//! A connection that is read line by line as long as it is in the clear.
//!
//! The client library reads ahead, and keeps what it read when the connection becomes encrypted: bytes that somebody put
//! behind the answer to STARTTLS would pass for the server's first encrypted answers. Read line by line, they reach the
//! TLS handshake instead, which fails on them.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

#[derive(Debug)]
pub(super) struct LineByLine {
    tcp: TcpStream,
    read: Box<[u8]>,
    from: usize,
    to: usize,
    clear: Arc<AtomicBool>,
}

impl LineByLine {
    /// The stream, and the switch that says that it is in the clear.
    pub(super) fn new(tcp: TcpStream) -> (Self, Arc<AtomicBool>) {
        let clear = Arc::new(AtomicBool::new(true));
        let stream = Self {
            tcp,
            read: vec![0; 16 * 1024].into_boxed_slice(),
            from: 0,
            to: 0,
            clear: clear.clone(),
        };
        (stream, clear)
    }
}

impl AsyncRead for LineByLine {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.from == this.to {
            let mut fresh = ReadBuf::new(&mut this.read);
            ready!(Pin::new(&mut this.tcp).poll_read(cx, &mut fresh))?;
            (this.from, this.to) = (0, fresh.filled().len());
        }
        let waiting = &this.read[this.from..this.to];
        let mut length = waiting.len().min(out.remaining());
        if this.clear.load(Ordering::Relaxed)
            && let Some(end) = waiting.iter().position(|b| *b == b'\n')
        {
            length = length.min(end + 1);
        }
        out.put_slice(&waiting[..length]);
        this.from += length;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for LineByLine {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tcp).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for LineByLine {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.peer_addr()
    }
}
