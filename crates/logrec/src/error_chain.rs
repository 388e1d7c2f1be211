//! An error and what caused it, as the text of an exception.

use std::{error::Error, fmt};

/// Causes shown of one error; a chain that leads back to itself ends here.
const CAUSES_MAX: usize = 64;

/// Displays an error with its sources, one a line: `outer`, then `Caused by: inner` for each.
pub(crate) struct ErrorChain<'a>(pub(crate) &'a (dyn Error + 'static));

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        for _ in 0..CAUSES_MAX {
            let Some(error) = cause else { break };
            write!(f, "\nCaused by: {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
