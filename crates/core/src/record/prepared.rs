//! [`Prepared`]: fields encoded once, for many records.

use super::*;

/// Fields encoded once, to be copied into many records with [`RecordWriter::prepared`]: what is the
/// same for all records of a callsite or of a thread.
///
/// ```
/// # use logrec_core::record::{Prepared, RecordRef, RecordWriter};
/// let origin = Prepared::new(|writer| writer.logger("shop::cart"));
/// let mut buf = Vec::new();
/// let mut writer = RecordWriter::new(&mut buf, 1 << 16);
/// writer.prepared(&origin);
/// writer.message_str("paid");
/// assert_eq!(RecordRef::new(&buf).logger(), "shop::cart");
/// ```
#[derive(Clone, Debug)]
pub struct Prepared {
    pub(super) fields: Box<[u8]>,
    /// Where in `fields` they lie, and how long they are.
    pub(super) message: Option<(usize, usize)>,
    pub(super) logger: Option<(usize, usize)>,
    /// Where in `fields` its field begins.
    pub(super) exception: Option<usize>,
}

impl Prepared {
    /// Encodes what `write` writes, cut as a record of [`RECORD_BYTES_MAX`] would be.
    #[must_use]
    pub fn new(write: impl FnOnce(&mut RecordWriter<'_>)) -> Self {
        let mut buf = Vec::new();
        let mut writer = RecordWriter::new(&mut buf, RECORD_BYTES_MAX);
        write(&mut writer);
        writer.finish();
        let fields = buf.split_off(PREFIX_BYTES).into();
        // One that is not told here is beyond what a prefix can tell, wherever these fields are copied.
        let place =
            |[a, b]: [u8; 2]| usize::from(u16::from_le_bytes([a, b])).checked_sub(PREFIX_BYTES);
        let [message_a, message_b, len_a, len_b, exception_a, exception_b, logger, logger_len] =
            buf.first_chunk().copied().unwrap_or_default();
        let message_len = u16::from_le_bytes([len_a, len_b]);
        Self {
            fields,
            message: place([message_a, message_b]).map(|at| (at, message_len.into())),
            exception: place([exception_a, exception_b]),
            logger: place([logger, 0]).map(|at| (at, logger_len.into())),
        }
    }
}
