//! Signing (RFC 6376, RFC 8463): RSA or Ed25519, relaxed in both parts, with the headers of unsubscribing among the signed
//! ones, as RFC 8058 asks.
//!
//! The keys are ring's, which every binary has for TLS anyway; verifying is the business of who gets the mail.

use app_core::{ToolError, ToolResult};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use ring::{
    digest,
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};

/// Headers that are signed when they are there.
const SIGNED: [&str; 11] = [
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
];

/// Signed once more than they are there, so that a second one breaks the signature (RFC 6376, 5.4).
const ONCE_MORE: [&str; 4] = ["From", "To", "Subject", "Date"];

enum Key {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

/// Signs messages of a domain.
pub struct Signer {
    domain: String,
    selector: String,
    key: Key,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({}._domainkey.{})", self.selector, self.domain)
    }
}

impl Signer {
    /// Takes a private key as PEM: PKCS#8 or PKCS#1 for RSA of 2048 bits or more, PKCS#8 for Ed25519.
    ///
    /// Fails with kind `config`; the message holds nothing of the key.
    pub fn new(domain: &str, selector: &str, pem: &str) -> ToolResult<Self> {
        let wrong = |what: &str| ToolError::config(format!("DKIM: {what}")).code("dkim_key");
        let name = |text: &str| {
            !text.is_empty()
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
        };
        if !name(domain) || !name(selector) {
            return Err(wrong("domain or selector is no name in the DNS"));
        }
        let (label, der) = decode_pem(pem).ok_or_else(|| wrong("the key is not in PEM"))?;
        let key = match label.as_str() {
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der).ok().map(|key| Key::Rsa(Box::new(key))),
            "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&der)
                .ok()
                .map(|key| Key::Rsa(Box::new(key)))
                .or_else(|| {
                    let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).ok()?;
                    Some(Key::Ed25519(Box::new(key)))
                }),
            _ => None,
        };
        Ok(Self {
            domain: domain.to_ascii_lowercase(),
            selector: selector.to_owned(),
            key: key.ok_or_else(|| wrong("the key is neither RSA of 2048 bits or more nor Ed25519"))?,
        })
    }

    /// The domain it signs for.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The public key as the DNS record has it (`p=`): its whole text for Ed25519, for RSA the raw PKCS#1 key.
    pub fn public_key(&self) -> String {
        match &self.key {
            Key::Rsa(key) => STANDARD.encode(key.public_key().as_ref()),
            Key::Ed25519(key) => STANDARD.encode(key.public_key().as_ref()),
        }
    }

    /// The message with its signature before it.
    pub fn signed(&self, message: &[u8], now: Timestamp) -> ToolResult<Vec<u8>> {
        let text = std::str::from_utf8(message).map_err(|_| ToolError::internal("a letter is no text"))?;
        let (head, body) = text
            .split_once("\r\n\r\n")
            .ok_or_else(|| ToolError::internal("a letter has no body"))?;
        let headers = unfolded(head);
        let (mut names, mut data) = (Vec::new(), String::new());
        for name in SIGNED {
            if let Some(header) = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
                names.push(name);
                data.push_str(&relaxed(header));
                data.push_str("\r\n");
            }
        }
        names.extend(ONCE_MORE);
        let algorithm = match self.key {
            Key::Rsa(_) => "rsa-sha256",
            Key::Ed25519(_) => "ed25519-sha256",
        };
        let hash = STANDARD.encode(digest::digest(&digest::SHA256, relaxed_body(body).as_bytes()));
        let unsigned = format!(
            "DKIM-Signature: v=1; a={algorithm}; c=relaxed/relaxed; d={};\r\n s={}; t={};\r\n h={};\r\n bh={hash};\r\n b=",
            self.domain,
            self.selector,
            now.as_second(),
            names.join(":\r\n ")
        );
        let (name, value) = unsigned.split_once(": ").unwrap_or_default();
        data.push_str(&relaxed(&(name.to_owned(), value.to_owned())));
        let signature = STANDARD.encode(self.sign(data.as_bytes())?);
        let mut signed = unsigned.into_bytes();
        for (index, part) in signature.as_bytes().chunks(70).enumerate() {
            if index > 0 {
                signed.extend_from_slice(b"\r\n ");
            }
            signed.extend_from_slice(part);
        }
        signed.extend_from_slice(b"\r\n");
        signed.extend_from_slice(message);
        Ok(signed)
    }

    fn sign(&self, data: &[u8]) -> ToolResult<Vec<u8>> {
        match &self.key {
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), data, &mut signature)
                    .map_err(|_| ToolError::internal("signing failed"))?;
                Ok(signature)
            }
            // RFC 8463, 3: what is signed is the hash.
            Key::Ed25519(key) => Ok(key
                .sign(digest::digest(&digest::SHA256, data).as_ref())
                .as_ref()
                .to_vec()),
        }
    }
}

fn decode_pem(pem: &str) -> Option<(String, Vec<u8>)> {
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (code, _) = rest.split_once("-----END ")?;
    let code: String = code.split_whitespace().collect();
    Some((label.to_owned(), STANDARD.decode(code).ok()?))
}

/// Names and values; a value keeps its line breaks.
fn unfolded(head: &str) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in head.split("\r\n") {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = headers.last_mut() {
                value.push_str("\r\n");
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    headers
}

/// RFC 6376, 3.4.2.
fn relaxed((name, value): &(String, String)) -> String {
    let words = value.replace("\r\n", "");
    let words: Vec<&str> = words.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
    format!("{}:{}", name.trim_end().to_ascii_lowercase(), words.join(" "))
}

/// RFC 6376, 3.4.4.
fn relaxed_body(body: &str) -> String {
    let mut lines: Vec<String> = body
        .split("\r\n")
        .map(|line| {
            let mut one = String::with_capacity(line.len());
            let mut gap = false;
            for c in line.chars() {
                if c == ' ' || c == '\t' {
                    gap = true;
                    continue;
                }
                if gap {
                    one.push(' ');
                    gap = false;
                }
                one.push(c);
            }
            one
        })
        .collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
        .iter()
        .fold(String::new(), |text, line| text + line + "\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_and_headers_of_the_standards() {
        // RFC 8463, A.3.
        let body = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
        let hash = STANDARD.encode(digest::digest(&digest::SHA256, relaxed_body(body).as_bytes()));
        assert_eq!(hash, "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
        // RFC 6376, 3.4.5.
        let headers = unfolded("A: X\r\nB : Y\t\r\n\tZ  ");
        let all: Vec<String> = headers.iter().map(relaxed).collect();
        assert_eq!(all, ["a:X", "b:Y Z"]);
        assert_eq!(relaxed_body(" C \r\nD \t E\r\n\r\n\r\n"), " C\r\nD E\r\n");
        assert_eq!(relaxed_body("\r\n"), "");
    }

    #[test]
    fn a_wrong_key_is_named_without_its_text() {
        for pem in [
            "",
            "secret",
            "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----",
        ] {
            let error = Signer::new("x.example", "s", pem).unwrap_err();
            assert_eq!(error.code, "dkim_key");
            assert!(!format!("{error:?}").contains("c2Vj"));
        }
        assert!(Signer::new("x.example;", "s", "").is_err());
    }
}
