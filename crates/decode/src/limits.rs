//! What is cut, and where: every bound of this crate in one place.

/// Bytes of one line; what follows up to the newline is counted in `logrec.cut_bytes`.
pub const LINE_BYTES_MAX: usize = 4 << 20;

/// Levels of nesting in JSON.
pub const JSON_DEPTH_MAX: usize = 128;

/// Attributes of one entry; the rest is counted in `logrec.dropped_attributes`.
pub const ATTRIBUTES_MAX: usize = 2000;

/// Bytes of an attribute's name; a longer one is cut at the last whole character.
pub const ATTRIBUTE_NAME_BYTES_MAX: usize = 128;

/// Bytes of an entry joined from several lines; then another entry goes on.
pub const JOINED_BYTES_MAX: usize = 256 << 10;

/// Lines of an entry joined from several; then another entry goes on.
pub const JOINED_LINES_MAX: usize = 2000;

/// Containers of one stream whose lines are told apart; the one silent longest gives way.
pub const PREFIXES_MAX: usize = 64;

/// Lines of other containers after which a container's last entry is taken for whole.
pub const PREFIX_LINES_MAX: u64 = 1000;

/// Bad items of a batch that are reported one by one; all are counted.
pub const PROBLEMS_MAX: usize = 20;

/// Attribute that counts the bytes of a line beyond [`LINE_BYTES_MAX`].
pub const CUT_BYTES: &str = "logrec.cut_bytes";

/// Attribute that counts attributes beyond [`ATTRIBUTES_MAX`].
pub const DROPPED_ATTRIBUTES: &str = "logrec.dropped_attributes";

/// Attribute that marks an entry which goes on with the one before: [`JOINED_BYTES_MAX`].
pub const CONTINUED: &str = "logrec.continued";
