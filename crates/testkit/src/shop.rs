//! A shop on loopback that wants to be crawled politely: it counts every request, refuses what its robots.txt forbids
//! and what comes faster than its pace, and remembers both.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// What stands at an address.
#[derive(Clone, Debug)]
pub struct Goods {
    /// Path and query.
    pub path: String,
    /// Status.
    pub status: u16,
    /// Headers beside the length.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// `ETag`: a request that knows it is answered 304.
    pub etag: Option<String>,
    /// Answers with 503 and `Retry-After: 1` before this one.
    pub busy: usize,
    /// Whether the connection ends in the middle of the body.
    pub cut: bool,
    /// Time before the answer.
    pub delay: Duration,
}

impl Goods {
    /// A body of a media type.
    pub fn new(path: &str, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            path: path.to_owned(),
            status: 200,
            headers: vec![("content-type".to_owned(), media_type.to_owned())],
            body: body.into(),
            etag: None,
            busy: 0,
            cut: false,
            delay: Duration::ZERO,
        }
    }

    /// A web page.
    pub fn page(path: &str, body: &str) -> Self {
        Self::new(path, "text/html; charset=utf-8", body)
    }

    /// The page of a product, with an `ETag` made of its price.
    pub fn product(path: &str, name: &str, price: &str) -> Self {
        let body = format!(
            "<!doctype html><html lang=en><title>{name}</title><script type=\"application/ld+json\">{{\"@type\":\"Product\",\
             \"name\":\"{name}\",\"offers\":{{\"@type\":\"Offer\",\"price\":\"{price}\",\"priceCurrency\":\"EUR\"}}}}</script><h1>{name}</h1>"
        );
        Self {
            etag: Some(format!("\"{price}\"")),
            ..Self::page(path, &body)
        }
    }

    /// A redirect.
    pub fn redirect(path: &str, to: &str) -> Self {
        Self {
            status: 302,
            headers: vec![("location".to_owned(), to.to_owned())],
            ..Self::page(path, "")
        }
    }

    /// A status without content.
    pub fn status(path: &str, status: u16) -> Self {
        Self {
            status,
            ..Self::page(path, "")
        }
    }
}

/// A request that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Path and query.
    pub path: String,
    /// Status of the answer.
    pub status: u16,
    /// `User-Agent`.
    pub agent: String,
}

/// The shop; closed when dropped.
#[derive(Debug)]
pub struct Shop {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    goods: Mutex<Vec<Goods>>,
    /// Beginnings of paths that nobody may ask for.
    forbidden: Vec<String>,
    /// Least time between an answer and the next request.
    pace: Duration,
    closed: AtomicBool,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    visits: Vec<Visit>,
    violations: Vec<String>,
    last: Option<Instant>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shop {
    /// Opens a shop; `forbidden` are beginnings of paths, `pace` the least time between an answer and the next request.
    pub fn open(goods: Vec<Goods>, forbidden: &[&str], pace: Duration) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            goods: Mutex::new(goods),
            forbidden: forbidden.iter().map(|&path| path.to_owned()).collect(),
            pace,
            closed: AtomicBool::new(false),
            book: Mutex::default(),
        });
        let for_thread = shared.clone();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if for_thread.closed.load(Ordering::SeqCst) {
                    break;
                }
                let shared = for_thread.clone();
                std::thread::spawn(move || serve(&stream, &shared));
            }
        });
        Ok(Self {
            address,
            shared,
            thread: Some(thread),
        })
    }

    /// Base address without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests so far, in order of arrival.
    pub fn visits(&self) -> Vec<Visit> {
        lock(&self.shared.book).visits.clone()
    }

    /// Paths that were asked for so far.
    pub fn paths(&self) -> Vec<String> {
        self.visits().into_iter().map(|visit| visit.path).collect()
    }

    /// Requests that should not have come, each with the reason.
    pub fn violations(&self) -> Vec<String> {
        lock(&self.shared.book).violations.clone()
    }

    /// Forgets the requests so far, but not the time of the last one.
    pub fn forget(&self) {
        let mut book = lock(&self.shared.book);
        book.visits.clear();
        book.violations.clear();
    }

    /// Puts something at an address, in place of what was there.
    pub fn put(&self, goods: Goods) {
        let mut all = lock(&self.shared.goods);
        all.retain(|known| known.path != goods.path);
        all.push(goods);
    }

    /// Takes away what stands at an address.
    pub fn remove(&self, path: &str) {
        lock(&self.shared.goods).retain(|known| known.path != path);
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        // Wakes the one who waits for callers.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Answers the requests of one connection until it ends.
fn serve(stream: &TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if !matches!(reader.read_line(&mut line), Ok(1..)) {
            return;
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let (mut agent, mut known) = (String::new(), None);
        loop {
            let mut header = String::new();
            if !matches!(reader.read_line(&mut header), Ok(1..)) {
                return;
            }
            let Some((name, value)) = header.trim().split_once(':') else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "user-agent" => value.trim().clone_into(&mut agent),
                "if-none-match" => known = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        let answer = shared.answer(&path, known.as_deref(), agent);
        std::thread::sleep(answer.delay);
        let sent = send(stream, &answer);
        lock(&shared.book).last = Some(Instant::now());
        if sent.is_err() || answer.cut {
            let _ = stream.shutdown(std::net::Shutdown::Both);
            return;
        }
    }
}

fn send(mut stream: &TcpStream, answer: &Goods) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} -\r\n", answer.status);
    for (name, value) in &answer.headers {
        head += &format!("{name}: {value}\r\n");
    }
    if let Some(etag) = &answer.etag {
        head += &format!("etag: {etag}\r\n");
    }
    head += &format!("content-length: {}\r\n\r\n", answer.body.len());
    let body = if answer.cut {
        &answer.body[..answer.body.len() / 2]
    } else {
        &answer.body
    };
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    stream.flush()
}

impl Shared {
    /// The answer; the request is written down with it.
    fn answer(&self, path: &str, known: Option<&str>, agent: String) -> Goods {
        let mut book = lock(&self.book);
        let early = book.last.is_some_and(|last| last.elapsed() < self.pace);
        let forbidden = self.forbidden.iter().any(|begin| path.starts_with(begin));
        let mut answer = if early {
            book.violations.push(format!("{path}: too early"));
            Goods::status(path, 429)
        } else if forbidden {
            book.violations.push(format!("{path}: forbidden"));
            Goods::status(path, 403)
        } else {
            self.at(path)
        };
        if answer.status == 200 && answer.etag.is_some() && answer.etag.as_deref() == known {
            answer.status = 304;
            answer.body.clear();
        }
        book.visits.push(Visit {
            path: path.to_owned(),
            status: answer.status,
            agent,
        });
        answer
    }

    fn at(&self, path: &str) -> Goods {
        let mut goods = lock(&self.goods);
        let Some(found) = goods.iter_mut().find(|goods| goods.path == path) else {
            return Goods::status(path, 404);
        };
        if found.busy > 0 {
            found.busy -= 1;
            let mut busy = Goods::status(path, 503);
            busy.headers.push(("retry-after".to_owned(), "1".to_owned()));
            return busy;
        }
        found.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn ask(shop: &Shop, path: &str, header: &str) -> String {
        let mut stream = TcpStream::connect(shop.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\n{header}\r\n").unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        text
    }

    #[test]
    fn what_a_polite_crawler_would_not_ask_is_noticed() {
        let shop = Shop::open(
            vec![Goods::product("/p", "Cup", "1.00")],
            &["/cart"],
            Duration::from_millis(300),
        )
        .unwrap();
        assert!(ask(&shop, "/p", "").contains("Cup"));
        assert!(ask(&shop, "/p", "").starts_with("HTTP/1.1 429"));
        assert_eq!(shop.violations(), ["/p: too early"]);
        let calm = Shop::open(
            vec![Goods::product("/p", "Cup", "1.00")],
            &["/cart"],
            Duration::ZERO,
        )
        .unwrap();
        assert!(ask(&calm, "/cart/1", "").starts_with("HTTP/1.1 403"));
        assert!(ask(&calm, "/p", "If-None-Match: \"1.00\"\r\n").starts_with("HTTP/1.1 304"));
        assert!(ask(&calm, "/q", "").starts_with("HTTP/1.1 404"));
        assert_eq!(calm.violations(), ["/cart/1: forbidden"]);
        assert_eq!(calm.paths(), ["/cart/1", "/p", "/q"]);
    }
}
