//! A far side that is there and does not work: it takes every connection and never answers, or answers noise.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::JoinHandle,
};

/// What it does with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// Takes it, and is silent for ever.
    Never,
    /// Answers whatever comes with 4,096 bytes of noise, control characters among them.
    Noise,
    /// Speaks HTTP well, with a body of noise.
    HttpNoise,
}

/// A running one, on loopback. Ends when dropped, and closes what is open.
pub struct BrokenSide {
    port: u16,
    calls: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    thread: Option<JoinHandle<()>>,
}

impl BrokenSide {
    /// Listens on a free port of 127.0.0.1.
    pub fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap_or_else(|e| panic!("cannot listen: {e}"));
        let port = listener
            .local_addr()
            .map(|address| address.port())
            .unwrap_or_default();
        let calls = Arc::new(AtomicUsize::new(0));
        let ended = Arc::new(AtomicBool::new(false));
        let open = Arc::new(Mutex::new(Vec::new()));
        let thread = {
            let (calls, ended, open) = (Arc::clone(&calls), Arc::clone(&ended), Arc::clone(&open));
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    if ended.load(Ordering::SeqCst) {
                        break;
                    }
                    calls.fetch_add(1, Ordering::SeqCst);
                    if let Ok(kept) = stream.try_clone() {
                        open.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
                    }
                    if answers != Answers::Never {
                        std::thread::spawn(move || answer(stream, answers));
                    }
                }
            })
        };
        Self {
            port,
            calls,
            ended,
            open,
            thread: Some(thread),
        }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address for a web client.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Connections it has taken.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

impl Drop for BrokenSide {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the listener, so that it sees the end.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        for stream in self.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn answer(mut stream: TcpStream, answers: Answers) {
    let mut buffer = [0; 4096];
    let noise: Vec<u8> = (0..4096_u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    while stream.read(&mut buffer).is_ok_and(|read| read > 0) {
        let head = if answers == Answers::HttpNoise {
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", noise.len())
        } else {
            String::new()
        };
        if stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(&noise))
            .is_err()
        {
            break;
        }
    }
}
