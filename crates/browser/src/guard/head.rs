//! The head of an HTTP message, as far as a proxy must know it.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// Largest head.
const MAX_HEAD: usize = 256 << 10;

/// Fields that concern one connection only (RFC 9110, section 7.6.1), and those that proxies are told.
const HOP_BY_HOP: [&str; 5] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "te",
];

/// The first line and the fields, as they came.
#[derive(Debug)]
pub struct Head {
    /// First line.
    pub start: String,
    /// Lines with a field, without their ends.
    pub fields: Vec<String>,
    /// Bytes that came after it.
    pub rest: Vec<u8>,
}

impl Head {
    /// Reads one; `begun` are bytes that came already. `None` when nothing more comes.
    pub async fn read(from: &mut (impl AsyncRead + Unpin), begun: Vec<u8>) -> io::Result<Option<Self>> {
        let mut bytes = begun;
        loop {
            if let Some(end) = find(&bytes, b"\r\n\r\n") {
                let rest = bytes.split_off(end + 4);
                bytes.truncate(end);
                // Values may be Latin-1; they are passed on as they came.
                let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
                let mut lines = text.split("\r\n").map(str::to_owned);
                let start = lines.next().unwrap_or_default();
                return Ok(Some(Self {
                    start,
                    fields: lines.collect(),
                    rest,
                }));
            }
            if bytes.len() > MAX_HEAD {
                return Err(io::Error::other("the head is too large"));
            }
            let mut chunk = [0_u8; 8192];
            let count = from.read(&mut chunk).await?;
            if count == 0 {
                return Ok(None);
            }
            bytes.extend_from_slice(&chunk[..count]);
        }
    }

    /// The value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// As bytes for the next hop, with another first line, for this one message and no more.
    pub fn passed_on(&self, start: &str) -> Vec<u8> {
        let mut text = format!("{start}\r\n");
        for line in &self.fields {
            let name = line.split(':').next().unwrap_or_default();
            if !HOP_BY_HOP
                .iter()
                .any(|dropped| name.trim().eq_ignore_ascii_case(dropped))
            {
                text.push_str(line);
                text.push_str("\r\n");
            }
        }
        text.push_str("Connection: close\r\n\r\n");
        text.chars().map(|c| c as u32 as u8).collect()
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_head_is_passed_on_without_what_concerns_the_connection() {
        let text = b"GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\nProxy-Connection: keep-alive\r\nX: \xe9\r\n\r\nbody";
        let head = Head::read(&mut &text[..], Vec::new()).await.unwrap().unwrap();
        assert_eq!(head.field("HOST"), Some("a.example"));
        assert_eq!(head.rest, b"body");
        assert_eq!(
            head.passed_on("GET /x HTTP/1.1"),
            b"GET /x HTTP/1.1\r\nHost: a.example\r\nX: \xe9\r\nConnection: close\r\n\r\n"
        );
        assert!(Head::read(&mut &b"GET"[..], Vec::new()).await.unwrap().is_none());
    }
}
