//! What a byte can be: the classes of which words are made.

// A byte of no class is a mark; words are runs of bytes of any class but `BLANK`.
pub(crate) const BLANK: u8 = 1;
pub(crate) const DIGIT: u8 = 2;
/// Control characters; like a digit, one makes its word a value.
pub(crate) const CONTROL: u8 = DIGIT | BLANK;
/// The letters a to f.
pub(crate) const HEX: u8 = 4;
/// All other letters, the underscore, and every byte beyond ASCII.
pub(crate) const LETTER: u8 = 8;
pub(crate) const SLASH: u8 = 16;
/// `\` and `@`.
pub(crate) const INNER: u8 = 32;
/// The rest of what words are made of; in a value also the `:` and `,` that join its parts.
pub(crate) const SIGN: u8 = 64;
pub(crate) const DOT: u8 = 128;

const fn class(byte: u8) -> u8 {
    match byte {
        b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r' => BLANK,
        b'0'..=b'9' => DIGIT,
        0x7f | 0..=31 => CONTROL,
        b'a'..=b'f' | b'A'..=b'F' => HEX,
        b'g'..=b'z' | b'G'..=b'Z' | b'_' | 0x80.. => LETTER,
        b'/' => SLASH,
        b'\\' | b'@' => INNER,
        b'.' => DOT,
        b'-' | b'+' | b'*' | b'%' | b'#' | b'~' | b'!' | b'?' | b'$' | b'&' | b'^' => SIGN,
        b'"' | b'\'' | b'`' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'<' | b'>' => 0,
        b':' | b';' | b',' | b'=' | b'|' => 0,
    }
}

static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let this = byte as u8;
        classes[byte] = class(this);
        byte += 1;
    }
    classes
};

pub(crate) fn class_of(byte: u8) -> u8 {
    CLASSES[byte as usize]
}
