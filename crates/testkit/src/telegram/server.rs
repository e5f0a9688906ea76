//! Connections: frames in, messages unwrapped and answered, frames out.

mod out;
mod pieces;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use grammers_tl_types::{Cursor, Deserializable, Identifiable, functions, types};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::rpc;
use super::{Shared, shared_key, wire};
use out::Out;
use pieces::{contained, future_salts, result, unzip};

pub(super) use pieces::WithId;

/// The salt every message must carry; a client starts without it and is told.
const SALT: i64 = 0x0123_4567_89ab_cdef;

/// How many salts follow each other.
const SALTS: i64 = 64;

const CONTAINER: u32 = 0x73f1_f8dc;
const GZIP: u32 = 0x3072_cfa1;
const RPC_RESULT: u32 = 0xf35c_6d01;

/// Serves until told to stop.
pub(super) fn serve(
    shared: &Arc<Shared>,
    listeners: Vec<TcpListener>,
    stop: tokio::sync::oneshot::Receiver<()>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap_or_else(|e| panic!("no runtime for the data centre: {e}"));
    runtime.block_on(async {
        for (listener, dc) in listeners.into_iter().zip(1..) {
            let _ = listener.set_nonblocking(true);
            let listener =
                tokio::net::TcpListener::from_std(listener).unwrap_or_else(|e| panic!("cannot listen: {e}"));
            let shared = Arc::clone(shared);
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let shared = Arc::clone(&shared);
                    tokio::spawn(async move {
                        let _ = stream.set_nodelay(true);
                        let mut opened = false;
                        let number = Connection::new(&shared, dc).run(stream, &mut opened).await;
                        tracing_end(number, opened, &shared, dc);
                    });
                }
            });
        }
        let _ = stop.await;
    });
}

/// Counts a connection out.
fn tracing_end(_number: u32, opened: bool, shared: &Shared, dc: i32) {
    if opened && let Some(open) = shared.state().open_sessions.get_mut(&dc) {
        *open = open.saturating_sub(1);
    }
}

/// Replies that go out together.
#[derive(Default)]
struct Replies {
    list: Vec<(Vec<u8>, bool)>,
    delay: Duration,
    cut: Option<usize>,
}

struct Connection<'a> {
    shared: &'a Arc<Shared>,
    dc: i32,
    number: u32,
    session: Option<i64>,
    key: [u8; 256],
}

impl<'a> Connection<'a> {
    fn new(shared: &'a Arc<Shared>, dc: i32) -> Self {
        let number = {
            let mut state = shared.state();
            state.connections += 1;
            state.connections
        };
        Self {
            shared,
            dc,
            number,
            session: None,
            key: shared_key(),
        }
    }

    async fn run(&mut self, stream: TcpStream, opened: &mut bool) -> u32 {
        let mut pushes = self.shared.pushes.subscribe();
        let (mut stream, writer) = stream.into_split();
        let out = Arc::new(tokio::sync::Mutex::new(Out {
            stream: writer,
            session: 0,
            sent: 0,
            content: 0,
            key: self.key,
        }));
        let mut buffer = Vec::with_capacity(64 * 1024);
        let mut expected = 0;
        loop {
            tokio::select! {
                read = stream.read_buf(&mut buffer) => {
                    if !matches!(read, Ok(n) if n > 0) {
                        return self.number;
                    }
                }
                push = pushes.recv() => {
                    if let (Ok(body), Some(_)) = (push, self.session) {
                        let mut out = out.lock().await;
                        let frame = out.seal(&body, 3, true);
                        if out.stream.write_all(&frame).await.is_err() {
                            return self.number;
                        }
                    }
                    continue;
                }
            }
            loop {
                let (number, payload, length) = match wire::unframe(&buffer) {
                    Ok(Some(frame)) => frame,
                    Ok(None) => break,
                    Err(_) => return self.number,
                };
                buffer.drain(..length);
                if number != expected {
                    return self.number;
                }
                expected += 1;
                let Some(incoming) = wire::decrypt(&self.key, &payload) else {
                    // What the service says to a key it does not know.
                    let mut out = out.lock().await;
                    let frame = wire::frame(out.sent, &(-404_i32).to_le_bytes());
                    let _ = out.stream.write_all(&frame).await;
                    return self.number;
                };
                out.lock().await.session = incoming.session;
                let replies = self.receive(incoming, opened);
                if !self.deliver(replies, &out).await {
                    return self.number;
                }
            }
        }
    }

    /// Reads what came in one frame and answers it.
    fn receive(&mut self, incoming: wire::Incoming, opened: &mut bool) -> Vec<Replies> {
        let first = self.session != Some(incoming.session);
        if self.session.is_none() {
            *opened = true;
            let mut state = self.shared.state();
            let open = state.open_sessions.entry(self.dc).or_default();
            *open += 1;
            let open = *open;
            state.most_sessions = state.most_sessions.max(open);
        }
        self.session = Some(incoming.session);
        let mut now = Replies::default();
        if !(SALT..SALT + SALTS).contains(&incoming.salt) {
            let told = types::BadServerSalt {
                bad_msg_id: incoming.message_id,
                bad_msg_seqno: incoming.seq_no,
                error_code: 48,
                new_server_salt: SALT,
            };
            now.list.push((told.to_bytes_with_id(), false));
            return vec![now];
        }
        if first {
            let created = types::NewSessionCreated {
                first_msg_id: incoming.message_id,
                unique_id: incoming.session ^ 0x55,
                server_salt: SALT,
            };
            now.list.push((created.to_bytes_with_id(), true));
        }
        self.process((incoming.message_id, incoming.seq_no, incoming.body), now)
    }

    /// Sends replies, each when its time has come; whether the connection is still good.
    async fn deliver(&self, replies: Vec<Replies>, out: &Arc<tokio::sync::Mutex<Out>>) -> bool {
        let way = self.shared.state().latency;
        for replies in replies {
            if replies.list.is_empty() {
                continue;
            }
            let wait = replies.delay.min(Duration::from_secs(60)) + way;
            if wait.is_zero() {
                if !out.lock().await.send(replies.list, replies.cut).await {
                    return false;
                }
                continue;
            }
            let out = Arc::clone(out);
            tokio::spawn(async move {
                tokio::time::sleep(wait).await;
                out.lock().await.send(replies.list, replies.cut).await;
            });
        }
        true
    }

    /// Answers one message, or all of a container: what can go out at once together, what is slow for itself.
    fn process(&mut self, message: (i64, i32, Vec<u8>), mut now: Replies) -> Vec<Replies> {
        let mut queue = std::collections::VecDeque::from([message]);
        let mut later = Vec::new();
        while let Some((id, _seq, body)) = queue.pop_front() {
            let mut cursor = Cursor::from_slice(&body);
            let Ok(constructor) = u32::deserialize(&mut cursor) else {
                continue;
            };
            match constructor {
                CONTAINER => {
                    let count = i32::deserialize(&mut cursor).unwrap_or_default();
                    for _ in 0..count {
                        let Some(inner) = contained(&mut cursor) else {
                            break;
                        };
                        queue.push_back(inner);
                    }
                }
                GZIP => {
                    if let Some(plain) = Vec::<u8>::deserialize(&mut cursor)
                        .ok()
                        .and_then(|packed| unzip(&packed))
                    {
                        queue.push_front((id, 1, plain));
                    }
                }
                types::MsgsAck::CONSTRUCTOR_ID
                | types::MsgsStateInfo::CONSTRUCTOR_ID
                | types::HttpWait::CONSTRUCTOR_ID => {}
                functions::Ping::CONSTRUCTOR_ID | functions::PingDelayDisconnect::CONSTRUCTOR_ID => {
                    let ping_id = i64::deserialize(&mut cursor).unwrap_or_default();
                    let pong = types::Pong { msg_id: id, ping_id };
                    now.list.push((pong.to_bytes_with_id(), false));
                }
                functions::GetFutureSalts::CONSTRUCTOR_ID => {
                    let count = i32::deserialize(&mut cursor).unwrap_or(1);
                    now.list.push((future_salts(id, count), false));
                }
                functions::DestroySession::CONSTRUCTOR_ID => {
                    let session_id = i64::deserialize(&mut cursor).unwrap_or_default();
                    let gone = types::DestroySessionNone { session_id };
                    now.list.push((gone.to_bytes_with_id(), false));
                }
                _ => {
                    let answer = rpc::answer(self.shared, self.dc, self.number, &body);
                    let (delay, cut) = (answer.delay, answer.cut_at);
                    let reply = (result(id, answer, self.shared.state().gzip), true);
                    if delay.is_zero() {
                        now.list.push(reply);
                        now.cut = now.cut.or(cut);
                    } else {
                        let list = vec![reply];
                        later.push(Replies { list, delay, cut });
                    }
                }
            }
        }
        later.insert(0, now);
        later
    }
}
