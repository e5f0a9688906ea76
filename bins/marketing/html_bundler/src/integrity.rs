//! Subresource integrity (W3C SRI, section 3.3): of the strongest algorithm named, one digest must match.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256, Sha384, Sha512};

/// Whether content matches an `integrity` attribute; one that names no known algorithm always matches.
pub fn matches(stated: &str, content: &[u8]) -> bool {
    for algorithm in ["sha512", "sha384", "sha256"] {
        let mut digests = stated
            .split_ascii_whitespace()
            .filter_map(|entry| entry.strip_prefix(algorithm)?.strip_prefix('-'))
            .map(|digest| digest.split('?').next().unwrap_or(digest))
            .peekable();
        if digests.peek().is_none() {
            continue;
        }
        let actual = match algorithm {
            "sha512" => STANDARD.encode(Sha512::digest(content)),
            "sha384" => STANDARD.encode(Sha384::digest(content)),
            _ => STANDARD.encode(Sha256::digest(content)),
        };
        return digests.any(|digest| digest == actual);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_algorithm_decides() {
        let good = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
        assert!(matches(good, b"abc"));
        assert!(!matches(good, b"abd"));
        assert!(!matches(&format!("{good} sha512-AAAA"), b"abc"));
        assert!(matches("md5-xx", b"abc"));
    }
}
