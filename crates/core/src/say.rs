//! What errors say: what was given, and what was probably meant.

/// What was given, to be quoted: cut at 80 characters, control characters made visible.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut cut: String = text.chars().take(80).flat_map(char::escape_debug).collect();
    if text.chars().nth(80).is_some() {
        cut.push('…');
    }
    cut
}

/// The known name that takes the fewest edits, if they are few. Case does not matter.
///
/// O(given × known) of at most 40 characters each.
#[must_use]
pub fn nearest<'n>(given: &str, known: &[&'n str]) -> Option<&'n str> {
    let given: String = given.to_lowercase().chars().take(40).collect();
    let (distance, name) = known.iter().map(|name| (edits(&given, name), *name)).min()?;
    (distance <= 1 + given.chars().count() / 3).then_some(name)
}

/// Levenshtein's distance: insertions, deletions and replacements from one to the other.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_levenshteins() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(nearest("LEVL", &["limit", "level"]), Some("level"));
        assert_eq!(nearest("something else", &["limit", "level"]), None);
    }

    #[test]
    fn what_is_shown_is_short_and_seen() {
        assert_eq!(shown("a\u{1b}b"), "a\\u{1b}b");
        assert_eq!(shown(&"x".repeat(100)).chars().count(), 81);
    }
}
