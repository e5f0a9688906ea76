//! The `srcset` attribute (HTML, section 4.8.4.2.1): candidates of an address and a descriptor.

/// One candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Address as written.
    pub address: String,
    /// `2x`, `640w` or empty.
    pub descriptor: String,
}

/// Reads a `srcset`. Commas inside an address (data URLs) and inside parentheses do not separate.
pub fn parse(text: &str) -> Vec<Candidate> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        if rest.is_empty() {
            return found;
        }
        let end = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
        let address = &rest[..end];
        rest = &rest[end..];
        let bare = address.trim_end_matches(',');
        if bare.len() < address.len() {
            found.push(Candidate {
                address: bare.to_owned(),
                descriptor: String::new(),
            });
            continue;
        }
        let mut depth = 0_usize;
        let end = rest
            .find(|c| {
                match c {
                    '(' => depth += 1,
                    ')' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                c == ',' && depth == 0
            })
            .unwrap_or(rest.len());
        found.push(Candidate {
            address: address.to_owned(),
            descriptor: rest[..end].trim().to_owned(),
        });
        rest = &rest[end..];
    }
}

/// Writes a `srcset`.
pub fn print(candidates: &[Candidate]) -> String {
    let texts = candidates
        .iter()
        .map(|candidate| format!("{} {}", candidate.address, candidate.descriptor));
    texts
        .map(|text| text.trim_end().to_owned())
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_split_where_browsers_split_them() {
        let found = parse("a.png, b,c.png 2x ,data:image/png;base64,AA 640w,,d.png");
        let texts: Vec<_> = found
            .iter()
            .map(|c| (c.address.as_str(), c.descriptor.as_str()))
            .collect();
        assert_eq!(
            texts,
            [
                ("a.png", ""),
                ("b,c.png", "2x"),
                ("data:image/png;base64,AA", "640w"),
                ("d.png", "")
            ]
        );
        assert_eq!(parse(&print(&found)), found);
    }
}
