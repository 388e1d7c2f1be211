//! What logrec says of itself: lines on stderr that begin with `logrec: `.
//!
//! Text of others in them is made visible first: a file's or a server's words must not reach the
//! terminal as escapes.

use std::io::Write;

use logrec_reader::text::visible;

/// Says a line. That stderr is closed is nobody's concern.
pub(crate) fn say(message: &str) {
    let mut line = b"logrec: ".to_vec();
    visible(&mut line, message);
    line.push(b'\n');
    // In one write, so that it does not mingle with what a child's stderr passes through.
    let _ = std::io::stderr().lock().write_all(&line);
}

/// Says lines unless told to be quiet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Voice {
    pub(crate) quiet: bool,
}

impl Voice {
    pub(crate) fn say(self, message: &str) {
        if !self.quiet {
            say(message);
        }
    }
}
