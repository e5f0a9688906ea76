//! The server's side of MTProto 2.0: frames of the full transport, and encryption with a shared key.

use grammers_crypto::aes;
use sha1::Sha1;
use sha2_next::{Digest, Sha256};

/// What a client's message says.
pub(super) struct Incoming {
    pub salt: i64,
    pub session: i64,
    pub message_id: i64,
    pub seq_no: i32,
    pub body: Vec<u8>,
}

/// Whose messages a key is derived for.
#[derive(Clone, Copy)]
enum Side {
    Client = 0,
    Server = 8,
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part);
    }
    digest.finalize().into()
}

/// AES key and initialisation vector of one message.
fn derive(key: &[u8; 256], message_key: &[u8], side: Side) -> ([u8; 32], [u8; 32]) {
    let x = side as usize;
    let a = hash(&[message_key, &key[x..x + 36]]);
    let b = hash(&[&key[40 + x..40 + x + 36], message_key]);
    let mix = |first: &[u8; 32], second: &[u8; 32]| {
        let mut out = [0; 32];
        out[..8].copy_from_slice(&first[..8]);
        out[8..24].copy_from_slice(&second[8..24]);
        out[24..].copy_from_slice(&first[24..]);
        out
    };
    (mix(&a, &b), mix(&b, &a))
}

/// The number by which a message names its key.
pub(super) fn key_id(key: &[u8; 256]) -> [u8; 8] {
    let digest = Sha1::digest(key);
    digest[12..20].try_into().unwrap_or_default()
}

/// Reads a client's message; `None` if it was not made with this key.
pub(super) fn decrypt(key: &[u8; 256], payload: &[u8]) -> Option<Incoming> {
    if payload.len() < 24 + 32 || !(payload.len() - 24).is_multiple_of(16) || payload[..8] != key_id(key) {
        return None;
    }
    let message_key = &payload[8..24];
    let (aes_key, iv) = derive(key, message_key, Side::Client);
    let mut plain = payload[24..].to_vec();
    aes::ige_decrypt(&mut plain, &aes_key, &iv);
    let x = Side::Client as usize;
    if hash(&[&key[88 + x..88 + x + 32], &plain])[8..24] != *message_key {
        return None;
    }
    let long = |at: usize| i64::from_le_bytes(plain[at..at + 8].try_into().unwrap_or_default());
    let int = |at: usize| i32::from_le_bytes(plain[at..at + 4].try_into().unwrap_or_default());
    let length = usize::try_from(int(28)).ok()?;
    let padding = plain.len().checked_sub(32 + length)?;
    if !(12..=1024).contains(&padding) {
        return None;
    }
    Some(Incoming {
        salt: long(0),
        session: long(8),
        message_id: long(16),
        seq_no: int(24),
        body: plain[32..32 + length].to_vec(),
    })
}

/// Writes a server's message.
pub(super) fn encrypt(
    key: &[u8; 256],
    salt: i64,
    session: i64,
    message_id: i64,
    seq_no: i32,
    body: &[u8],
) -> Vec<u8> {
    let mut plain = Vec::with_capacity(body.len() + 64);
    plain.extend(salt.to_le_bytes());
    plain.extend(session.to_le_bytes());
    plain.extend(message_id.to_le_bytes());
    plain.extend(seq_no.to_le_bytes());
    plain.extend((body.len() as i32).to_le_bytes());
    plain.extend(body);
    let padding = 12 + (16 - (plain.len() + 12) % 16) % 16;
    plain.extend(std::iter::repeat_n(0x5a, padding));
    let x = Side::Server as usize;
    let large = hash(&[&key[88 + x..88 + x + 32], &plain]);
    let message_key = &large[8..24];
    let (aes_key, iv) = derive(key, message_key, Side::Server);
    aes::ige_encrypt(&mut plain, &aes_key, &iv);
    let mut payload = Vec::with_capacity(plain.len() + 24);
    payload.extend(key_id(key));
    payload.extend(message_key);
    payload.extend(plain);
    payload
}

/// A frame of the full transport: length, number, payload, checksum.
pub(super) fn frame(number: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 12);
    out.extend((payload.len() as u32 + 12).to_le_bytes());
    out.extend(number.to_le_bytes());
    out.extend(payload);
    out.extend(crc32fast::hash(&out).to_le_bytes());
    out
}

/// Number, payload and length of a frame.
pub(super) type Frame = (u32, Vec<u8>, usize);

/// The payload of a whole frame, its number, and its length; `Err` if the frame is broken.
pub(super) fn unframe(buffer: &[u8]) -> Result<Option<Frame>, &'static str> {
    let word = |at: usize| u32::from_le_bytes(buffer[at..at + 4].try_into().unwrap_or_default());
    if buffer.len() < 4 {
        return Ok(None);
    }
    let length = word(0) as usize;
    if !(12..=2 * 1024 * 1024).contains(&length) {
        return Err("frame of an impossible length");
    }
    if buffer.len() < length {
        return Ok(None);
    }
    if crc32fast::hash(&buffer[..length - 4]) != word(length - 4) {
        return Err("frame with a wrong checksum");
    }
    Ok(Some((word(4), buffer[8..length - 4].to_vec(), length)))
}
