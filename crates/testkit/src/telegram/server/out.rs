//! The writing side of a connection.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::io::AsyncWriteExt;

use super::{CONTAINER, SALT};
use crate::telegram::wire;

/// Most bytes that go into one container.
const LARGEST_CONTAINER: usize = 512 * 1024;

/// Message ids grow over all connections, as they do in the service.
static LAST_ID: AtomicI64 = AtomicI64::new(0);

fn next_id(kind: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let fresh = ((now.as_secs() as i64) << 32) | (i64::from(now.subsec_nanos()) & !3);
    let last = LAST_ID.fetch_max(fresh, Ordering::Relaxed);
    let id = if last >= fresh {
        LAST_ID.fetch_add(4, Ordering::Relaxed) + 4
    } else {
        fresh
    };
    (id & !3) | kind
}

/// The writing side of a connection. Frames are numbered as they go out, so that an answer may wait for its time while
/// others pass it.
pub(super) struct Out {
    pub(super) stream: tokio::net::tcp::OwnedWriteHalf,
    pub(super) session: i64,
    pub(super) sent: u32,
    pub(super) content: i32,
    pub(super) key: [u8; 256],
}

impl Out {
    /// Sends replies as one frame, all of it or its first `cut` bytes; whether the connection is still good.
    pub(super) async fn send(&mut self, replies: Vec<(Vec<u8>, bool)>, cut: Option<usize>) -> bool {
        let size: usize = replies.iter().map(|(body, _)| body.len()).sum();
        if replies.len() > 1 && size > LARGEST_CONTAINER {
            let mut good = true;
            for reply in replies {
                good = good && Box::pin(self.send(vec![reply], cut)).await;
            }
            return good;
        }
        let frame = self.batch(replies);
        let whole = cut.map_or(frame.len(), |at| at.min(frame.len()));
        let written = self.stream.write_all(&frame[..whole]).await.is_ok();
        if cut.is_some() {
            let _ = self.stream.shutdown().await;
        }
        written && cut.is_none()
    }

    /// One frame with all replies, in a container if there are several.
    fn batch(&mut self, replies: Vec<(Vec<u8>, bool)>) -> Vec<u8> {
        if let [(body, content)] = replies.as_slice() {
            return self.seal(body, 1, *content);
        }
        let mut body = Vec::new();
        body.extend(CONTAINER.to_le_bytes());
        body.extend((replies.len() as i32).to_le_bytes());
        for (reply, content) in replies {
            body.extend(next_id(1).to_le_bytes());
            body.extend(self.number_of(content).to_le_bytes());
            body.extend((reply.len() as i32).to_le_bytes());
            body.extend(reply);
        }
        self.seal(&body, 1, false)
    }

    /// The sequence number of a message.
    fn number_of(&mut self, content: bool) -> i32 {
        let number = self.content * 2 + i32::from(content);
        self.content += i32::from(content);
        number
    }

    pub(super) fn seal(&mut self, body: &[u8], kind: i64, content: bool) -> Vec<u8> {
        let number = self.number_of(content);
        let payload = wire::encrypt(&self.key, SALT, self.session, next_id(kind), number, body);
        let frame = wire::frame(self.sent, &payload);
        self.sent += 1;
        frame
    }
}
