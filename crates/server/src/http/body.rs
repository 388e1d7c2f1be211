//! Reading a body within bounds of size and patience.

use std::time::Duration;

use axum::{body::Body, http::StatusCode};
use bytes::BytesMut;
use http_body_util::BodyExt;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Largest body, in bytes.
pub(crate) const BODY_BYTES_MAX: usize = 16 << 20;
/// Of a larger one so much is still read and thrown away, since a client that is cut off while
/// sending never sees the answer.
const DRAINED_BYTES_MAX: usize = 64 << 20;
/// Longest pause between two pieces of a body.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// A permit a byte, over all bodies that are being read and recorded.
static ROOM: Semaphore = Semaphore::const_new(128 << 20);

/// The whole body, and its share of the room that all have.
///
/// # Errors
/// 413 when it is too large, 503 when too many are being read, 408 when it stops coming, 400 when it
/// breaks off.
pub(super) async fn read(
    body: Body,
) -> Result<(Vec<u8>, SemaphorePermit<'static>), (StatusCode, String)> {
    read_within(body, &ROOM).await
}

async fn read_within(
    mut body: Body,
    room: &Semaphore,
) -> Result<(Vec<u8>, SemaphorePermit<'_>), (StatusCode, String)> {
    let mut bytes = BytesMut::new();
    let mut total = 0usize;
    let mut share = room.try_acquire_many(0).ok();
    loop {
        let frame = tokio::time::timeout(PAUSE_MAX, body.frame()).await.map_err(|_| {
            let message =
                format!("the body stopped for {} s; send it in one go", PAUSE_MAX.as_secs());
            (StatusCode::REQUEST_TIMEOUT, message)
        })?;
        let Some(frame) = frame else { break };
        let frame =
            frame.map_err(|e| (StatusCode::BAD_REQUEST, format!("the body broke off: {e}")))?;
        let Ok(data) = frame.into_data() else { continue };
        total += data.len();
        if total > DRAINED_BYTES_MAX {
            break;
        }
        if let Some(held) = &mut share {
            let more = u32::try_from(data.len()).ok().filter(|_| total <= BODY_BYTES_MAX);
            match more.and_then(|n| room.try_acquire_many(n).ok()) {
                Some(more) => {
                    held.merge(more);
                    bytes.extend_from_slice(&data);
                }
                // What is refused makes room at once.
                None => (share, bytes) = (None, BytesMut::new()),
            }
        }
    }
    if total > BODY_BYTES_MAX {
        let message =
            format!("the body is larger than {BODY_BYTES_MAX} bytes; send smaller batches");
        return Err((StatusCode::PAYLOAD_TOO_LARGE, message));
    }
    match share {
        Some(share) => Ok((bytes.into(), share)),
        None => {
            let message = "the server is busy with other bodies; send this one again in a second";
            Err((StatusCode::SERVICE_UNAVAILABLE, message.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_bodies_share_a_room() {
        let room = Semaphore::new(100);
        let read = |n: usize| read_within(Body::from(vec![b'x'; n]), &room);
        let (bytes, share) = read(60).await.unwrap();
        assert_eq!((bytes.len(), room.available_permits()), (60, 40));
        assert_eq!(read(41).await.unwrap_err().0, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(room.available_permits(), 40, "what is refused holds nothing");
        assert!(read(40).await.is_ok());
        drop(share);
        assert!(read(100).await.is_ok());
        assert_eq!(read(BODY_BYTES_MAX + 1).await.unwrap_err().0, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(room.available_permits(), 100);
    }
}
