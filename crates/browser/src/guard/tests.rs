//! The proxy without a browser: what a client gets through it.

use testkit::{Route, Site};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

async fn ask(guard: &Guard, request: &str) -> String {
    let mut stream = TcpStream::connect(guard.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(url: &str) -> String {
    format!("GET {url} HTTP/1.1\r\nHost: x\r\nProxy-Connection: keep-alive\r\n\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_page_reaches_nothing_inside_in_any_spelling() {
    let site = Site::routes(vec![Route::text("/", "text/html", "secret")]).unwrap();
    let port = site.url().rsplit(':').next().unwrap().to_owned();
    let guard = Guard::start(Rules::Public).await.unwrap();
    for host in [
        "127.0.0.1",
        "localhost",
        "a.localhost",
        "2130706433",
        "0x7f.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
    ] {
        let answer = ask(&guard, &get(&format!("http://{host}:{port}/"))).await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{host}: {answer}");
        let answer = ask(&guard, &format!("CONNECT {host}:{port} HTTP/1.1\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{host}: {answer}");
    }
    assert!(site.requests().is_empty());
    let log = guard.log();
    assert!(
        log.iter().all(|host| host.passed == 0 && host.refused > 0),
        "{log:?}"
    );
    let (refused, why) = guard.trouble(&format!("127.0.0.1:{port}")).unwrap();
    assert!(refused && why.contains("private address"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn inside_a_request_passes_once_and_its_connection_serves_no_second() {
    let site = Site::routes(vec![
        Route::text("/a", "text/plain", "first"),
        Route::text("/b", "text/plain", "second"),
    ])
    .unwrap();
    let guard = Guard::start(Rules::Inside).await.unwrap();
    let two = get(&format!("{}/a", site.url())) + &get(&format!("{}/b", site.url()));
    let answer = ask(&guard, &two).await;
    assert!(answer.contains("first") && !answer.contains("second"), "{answer}");
    assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
    let host = site.url().replace("http://", "");
    let mut stream = TcpStream::connect(guard.address).await.unwrap();
    let request =
        format!("CONNECT {host} HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = vec![0; 200];
    let mut text = String::new();
    while !text.contains("second") {
        let count = stream.read(&mut bytes).await.unwrap();
        assert!(count > 0, "{text}");
        text.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    assert_eq!(guard.log()[0].passed, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_the_browser_itself_are_refused_by_name() {
    let guard = Guard::start(Rules::Inside).await.unwrap();
    let answer = ask(&guard, "CONNECT update.googleapis.com:443 HTTP/1.1\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    let guard = Guard::start(Rules::Nothing).await.unwrap();
    let answer = ask(&guard, &get("http://shop.example/")).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    let answer = ask(&guard, "nonsense\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
}
