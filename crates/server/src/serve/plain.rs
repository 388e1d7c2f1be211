//! A TCP stream on which hyper's own, empty error answers get a body that says what is wrong.
//!
//! hyper answers a head that it cannot parse by itself: a status line, `content-length: 0`, and the
//! end. No handler of ours ever answers with an empty failure, so such an answer is hyper's, and is
//! replaced as it is written. Afterwards, what the peer is still sending is read and thrown away for
//! a moment: a connection closed over unread bytes is reset, and the peer would lose the answer.
//!
//! A peer that does not read its answer is cut off: it would hold a connection and the answer's bytes
//! for as long as it likes.

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
    sync::OwnedSemaphorePermit,
    time::Sleep,
};

/// Most bytes read and thrown away before closing.
const DRAINED_BYTES_MAX: usize = 4 << 20;
/// Longest time that takes.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(1);

/// Longest time in which nothing can be written.
const STALL_MAX: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Stream<P = OwnedSemaphorePermit> {
    tcp: TcpStream,
    /// Its place among the connections, for as long as it is open.
    _permit: P,
    /// The answer that takes the place of hyper's, how much of it is written, and how many bytes of
    /// hyper's it stands for.
    replacement: Option<(Vec<u8>, usize, usize)>,
    drain: Option<(Pin<Box<Sleep>>, usize)>,
    /// While nothing can be written: when that has lasted too long.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<P: Unpin> Stream<P> {
    pub(super) const fn new(tcp: TcpStream, permit: P) -> Self {
        Self { tcp, _permit: permit, replacement: None, drain: None, stalled: None }
    }

    /// What came of a write, or a failure when none has come to anything for too long.
    fn unless_stalled(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(STALL_MAX)));
        stalled.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
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

impl<P: Unpin> AsyncRead for Stream<P> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl<P: Unpin> AsyncWrite for Stream<P> {
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
        let written = if self.replacement.is_some() {
            self.write_replacement(cx)
        } else {
            Pin::new(&mut self.tcp).poll_write(cx, buf)
        };
        self.unless_stalled(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match bufs {
            [one] => self.poll_write(cx, one),
            _ => {
                let written = Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs);
                self.unless_stalled(cx, written)
            }
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

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
        time::Instant,
    };

    use super::*;

    async fn pair() -> (Stream<()>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (Stream::new(listener.accept().await.unwrap().0, ()), peer)
    }

    // The clock is stopped, and goes on by itself when there is nothing else to do.
    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_read_is_cut_off() {
        let (mut stream, mut peer) = pair().await;
        let start = Instant::now();
        let piece = vec![b'x'; 1 << 20];
        let error = loop {
            if let Err(error) = stream.write_all(&piece).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(start.elapsed() >= STALL_MAX);
        drop(stream);
        assert!(peer.read(&mut [0; 16]).await.unwrap() > 0);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_reads_slowly_is_not() {
        let (mut stream, peer) = pair().await;
        let piece = vec![b'x'; 1 << 20];
        let mut waste = vec![0; 1 << 20];
        for _ in 0..3 {
            // Until nothing goes in any more; yielding keeps the clock where it is.
            let mut refused = 0;
            while refused < 50 {
                let one = std::future::poll_fn(|cx| {
                    Poll::Ready(Pin::new(&mut stream).poll_write(cx, &piece))
                });
                match one.await {
                    Poll::Ready(written) => {
                        written.unwrap();
                        refused = 0;
                    }
                    Poll::Pending => refused += 1,
                }
                tokio::task::yield_now().await;
            }
            tokio::time::advance(STALL_MAX * 2 / 3).await;
            while peer.try_read(&mut waste).is_ok() {}
        }
    }
}
