//! A query string to names and values, strictly: what is not percent-encoded as RFC 3986 section 2.1
//! has it, or is no UTF-8, is an error that names the parameter, never a silent replacement.

/// Names and values in the order given. `+` is a space, as forms write it.
///
/// # Errors
/// Says which parameter cannot be read and why.
pub(crate) fn parse(query: &str) -> Result<Vec<(String, String)>, String> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |text| {
                decode(text).map_err(|why| {
                    let name: String = name.chars().take(80).collect();
                    format!("`{name}` cannot be read: {why}")
                })
            };
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

fn decode(text: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let hex = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
                let [high, low, after @ ..] = rest else {
                    return Err("a `%` must be followed by two hexadecimal digits; write % as %25");
                };
                rest = after;
                match (hex(*high), hex(*low)) {
                    (Some(high), Some(low)) => high << 4 | low,
                    _ => {
                        return Err(
                            "a `%` must be followed by two hexadecimal digits; write % as %25",
                        );
                    }
                }
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| "its percent-encoding is no UTF-8; encode text as UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_and_in_order() {
        let pairs = parse("a=1&b=x+y%20z&&c&d=%C3%A4=&a=2").unwrap();
        let expected = [("a", "1"), ("b", "x y z"), ("c", ""), ("d", "ä="), ("a", "2")];
        assert_eq!(pairs, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
        for bad in ["a=%", "a=%4", "a=%zz", "a=%ff", "%ff=1"] {
            let error = parse(bad).unwrap_err();
            assert!(error.contains("cannot be read"), "{error}");
        }
    }
}
