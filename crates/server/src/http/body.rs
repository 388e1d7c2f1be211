//! Reading a body within bounds of size and patience.

use std::time::Duration;

use axum::{body::Body, http::StatusCode};
use bytes::BytesMut;
use http_body_util::BodyExt;

/// Largest body, in bytes.
pub(crate) const BODY_BYTES_MAX: usize = 16 << 20;
/// Of a larger one so much is still read and thrown away, since a client that is cut off while
/// sending never sees the answer.
const DRAINED_BYTES_MAX: usize = 64 << 20;
/// Longest pause between two pieces of a body.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// The whole body.
///
/// # Errors
/// 413 when it is too large, 408 when it stops coming, 400 when it breaks off.
pub(super) async fn read(mut body: Body) -> Result<Vec<u8>, (StatusCode, String)> {
    let mut bytes = BytesMut::new();
    let mut total = 0usize;
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
        if total <= BODY_BYTES_MAX {
            bytes.extend_from_slice(&data);
        } else if total > DRAINED_BYTES_MAX {
            break;
        }
    }
    if total > BODY_BYTES_MAX {
        let message =
            format!("the body is larger than {BODY_BYTES_MAX} bytes; send smaller batches");
        return Err((StatusCode::PAYLOAD_TOO_LARGE, message));
    }
    Ok(bytes.into())
}
