//! A TCP stream on which hyper's own, empty error answers get a body that says what is wrong.
//!
//! hyper answers a head that it cannot parse by itself: a status line, `content-length: 0`, and the
//! end. No handler of ours ever answers with an empty failure, so such an answer is hyper's, and is
//! replaced as it is written. Afterwards, what the peer is still sending is read and thrown away for
//! a moment: a connection closed over unread bytes is reset, and the peer would lose the answer.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use logrec_reader::wire;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Sleep,
};

/// Most bytes read and thrown away before closing.
const DRAINED_BYTES_MAX: usize = 4 << 20;
/// Longest time that takes.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Stream {
    tcp: TcpStream,
    /// The answer that takes the place of hyper's, how much of it is written, and how many bytes of
    /// hyper's it stands for.
    replacement: Option<(Vec<u8>, usize, usize)>,
    drain: Option<(Pin<Box<Sleep>>, usize)>,
}

impl Stream {
    pub(super) const fn new(tcp: TcpStream) -> Self {
        Self { tcp, replacement: None, drain: None }
    }

    fn write_replacement(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        while let Some((bytes, written, stands_for)) = &mut self.replacement {
            if *written == bytes.len() {
                let stands_for = *stands_for;
                self.replacement = None;
                self.drain = Some((Box::pin(tokio::time::sleep(DRAIN_TIME_MAX)), 0));
                return Poll::Ready(Ok(stands_for));
            }
            match ready!(Pin::new(&mut self.tcp).poll_write(cx, &bytes[*written..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => *written += n,
            }
        }
        Poll::Ready(Ok(0))
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((deadline, drained)) = &mut self.drain else { return Poll::Ready(()) };
        let mut waste = [0; 8192];
        while *drained < DRAINED_BYTES_MAX && deadline.as_mut().poll(cx).is_pending() {
            let mut buf = ReadBuf::new(&mut waste);
            match ready!(Pin::new(&mut self.tcp).poll_read(cx, &mut buf)) {
                Ok(()) if !buf.filled().is_empty() => *drained += buf.filled().len(),
                _ => break,
            }
        }
        self.drain = None;
        Poll::Ready(())
    }
}

/// The answer to put in place of one of hyper's, if this is one.
fn replacement(written: &[u8]) -> Option<Vec<u8>> {
    let head = std::str::from_utf8(written).ok()?;
    let status = head.strip_prefix("HTTP/1.1 ").or_else(|| head.strip_prefix("HTTP/1.0 "))?;
    if !head.ends_with("\r\n\r\n")
        || !head.to_ascii_lowercase().contains("\r\ncontent-length: 0\r\n")
    {
        return None;
    }
    let message = match status.get(..3)? {
        "400" => {
            "the request is no HTTP/1.1 that can be read; check its first line and its headers"
        }
        "414" => "the request's URL is too long; give at most 16384 bytes",
        "431" => "the request's head is too large; give at most 64 kB in all and 100 headers",
        _ => return None,
    };
    let line = head.split("\r\n").next()?;
    let body = wire::error(message);
    let mut answer = format!(
        "{line}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(&body);
    Some(answer)
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.replacement.is_none()
            && buf.len() < 512
            && let Some(bytes) = replacement(buf)
        {
            self.replacement = Some((bytes, 0, buf.len()));
        }
        if self.replacement.is_some() {
            return self.write_replacement(cx);
        }
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match bufs {
            [one] => self.poll_write(cx, one),
            _ => Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.tcp).poll_shutdown(cx))?;
        ready!(self.poll_drain(cx));
        Poll::Ready(Ok(()))
    }
}
