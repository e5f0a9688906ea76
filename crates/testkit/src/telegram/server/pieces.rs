//! Pieces of messages: of containers, packed ones, salts and results.

use std::io::{Read, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use grammers_tl_types::{Cursor, Deserializable, Identifiable, Serializable, types};

use super::{GZIP, RPC_RESULT, SALT, SALTS};
use crate::telegram::rpc::Answer;

/// The next message of a container.
pub(super) fn contained(cursor: &mut Cursor<'_>) -> Option<(i64, i32, Vec<u8>)> {
    let id = i64::deserialize(cursor).ok()?;
    let seq = i32::deserialize(cursor).ok()?;
    let length = usize::try_from(i32::deserialize(cursor).ok()?).ok()?;
    let mut body = vec![0; length.min(2 * 1024 * 1024)];
    cursor.read_exact(&mut body).ok()?;
    Some((id, seq, body))
}

/// The salts of the next days, half an hour each.
pub(super) fn future_salts(id: i64, count: i32) -> Vec<u8> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs() as i32;
    let count = count.clamp(1, SALTS as i32);
    // The salts are a bare vector of bare objects, which the schema's generator does not write.
    let mut out = Vec::new();
    out.extend(types::FutureSalts::CONSTRUCTOR_ID.to_le_bytes());
    out.extend(id.to_le_bytes());
    out.extend(now.to_le_bytes());
    out.extend(count.to_le_bytes());
    for n in 0..count {
        out.extend((now - 60 + n * 1800).to_le_bytes());
        out.extend((now + (n + 1) * 1800).to_le_bytes());
        out.extend((SALT + i64::from(n)).to_le_bytes());
    }
    out
}

pub(super) fn unzip(packed: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(packed)
        .read_to_end(&mut plain)
        .ok()?;
    Some(plain)
}

/// The message that answers a call.
pub(super) fn result(id: i64, answer: Answer, gzip: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(answer.body.len() + 16);
    out.extend(RPC_RESULT.to_le_bytes());
    out.extend(id.to_le_bytes());
    if gzip && answer.body.len() > 1024 {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let packed = encoder.write_all(&answer.body).and_then(|()| encoder.finish());
        if let Ok(packed) = packed
            && packed.len() < answer.body.len()
        {
            out.extend(GZIP.to_le_bytes());
            packed.serialize(&mut out);
            return out;
        }
    }
    out.extend(answer.body);
    out
}

/// Writes an object of a bare type with its constructor number before it.
pub(in crate::telegram) trait WithId {
    /// The boxed bytes.
    fn to_bytes_with_id(&self) -> Vec<u8>;
}

impl<T: Identifiable + Serializable> WithId for T {
    fn to_bytes_with_id(&self) -> Vec<u8> {
        let mut out = T::CONSTRUCTOR_ID.to_le_bytes().to_vec();
        self.serialize(&mut out);
        out
    }
}
