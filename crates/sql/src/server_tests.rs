//! Against a real MariaDB (`testkit::MariaDb`), with equal rows from SQLite.

use testkit::MariaDb;

use super::telegram::{CHATS, ChatRow, MESSAGES, MessageRow};
use super::*;
use app_core::contract::Secret;

fn server_location(server: &MariaDb) -> Location {
    let env = server.env();
    let get = |name: &str| {
        env.iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.clone())
    };
    Location::from_settings(&get, std::path::Path::new("unused")).unwrap()
}

fn messages(count: i32, word: &str) -> Vec<MessageRow> {
    (1..=count)
        .map(|id| MessageRow {
            id,
            chat_id: -1_000_000_001_002,
            sender_id: (id % 3 != 0).then_some(111),
            sender_name: "Имя 🔥 ".repeat(60),
            text: (id % 5 != 0).then(|| format!("{word} {id} 👨\u{200d}💻 \u{0} '\"\\ ; DROP TABLE")),
            date: "2025-03-29T22:30:00Z".parse().unwrap(),
            reply_to: (id > 1).then_some(id - 1),
            forward_from: None,
            views: Some(i32::MAX),
            forwards: None,
            reactions: i64::from(id),
            reactions_json: Some(r#"[{"emoji":"🔥","count":3}]"#.to_owned()),
            media_type: Some("photo"),
        })
        .collect()
}

fn chat(id: i64, kind: &'static str) -> ChatRow {
    ChatRow {
        id,
        title: "Группа 👥".to_owned(),
        username: Some("demo".to_owned()),
        chat_type: kind,
        members: Some(5),
        unread: 0,
        last_message: None,
        verified: true,
        restricted: false,
        creator: false,
        admin: true,
    }
}

#[tokio::test]
async fn a_server_and_a_file_hold_equal_rows() {
    let server = MariaDb::start();
    let folder = tempfile::tempdir().unwrap();
    let file = Location::Sqlite(folder.path().join("data.sqlite"));
    let mut seen = Vec::new();
    for location in [server_location(&server), file] {
        let database = Database::open(&location).await.unwrap();
        database.prepare_telegram().await.unwrap();
        let first = database.upsert_messages(&messages(1200, "first")).await.unwrap();
        assert_eq!((first.inserted, first.updated, first.failed.len()), (1200, 0, 0));
        let second = database.upsert_messages(&messages(1300, "second")).await.unwrap();
        assert_eq!((second.inserted, second.updated), (100, 1200));
        let chats = database
            .upsert_chats(&[chat(-77, "group"), chat(1, "user")])
            .await
            .unwrap();
        assert_eq!(chats.inserted, 2);
        let chats = database.upsert_chats(&[chat(-77, "supergroup")]).await.unwrap();
        assert_eq!(chats.updated, 1);
        database.prepare_telegram().await.unwrap();
        seen.push((
            database.rows(&MESSAGES).await.unwrap(),
            database.rows(&CHATS).await.unwrap(),
        ));
        database.close().await;
    }
    assert_eq!(seen[0].0.len(), 1300);
    assert_eq!(seen[0], seen[1]);
    assert_eq!(
        server.sql("SELECT DISTINCT date FROM telegram_messages").trim(),
        "2025-03-29 22:30:00"
    );
    assert_eq!(
        server
            .sql("SELECT chat_type, HEX(title) <> '' FROM telegram_chats WHERE id = -77")
            .trim(),
        "supergroup\t1"
    );
}

#[tokio::test]
async fn a_server_says_what_is_wrong_and_never_the_password() {
    let server = MariaDb::start();
    let port = server.port();
    let cases = [
        (
            format!("mysql://loader:sesame-wrong@127.0.0.1:{port}/golden"),
            ErrorKind::Unauthorised,
        ),
        (
            format!("mysql://onlooker:sesame-open@127.0.0.1:{port}/golden"),
            ErrorKind::Unauthorised,
        ),
        (
            format!("mysql://nobody@127.0.0.1:{port}/golden"),
            ErrorKind::Unauthorised,
        ),
    ];
    for (url, kind) in cases {
        let location = Location::parse(&Secret::new(&*url)).unwrap();
        let error = Database::open(&location).await.unwrap_err();
        assert_eq!(error.kind, kind, "{url}: {error:?}");
        assert!(!format!("{error:?}").contains("sesame"), "{error:?}");
    }
    // A table of an older program, strict mode: a row too long for it costs only itself.
    server.sql("CREATE TABLE telegram_messages (id BIGINT, chat_id BIGINT, sender_id BIGINT, sender_name VARCHAR(255), message_text VARCHAR(60), date DATETIME, reply_to_msg_id BIGINT, forward_from_id BIGINT, views INT, forwards INT, reactions_count INT, reactions_json JSON, media_type VARCHAR(20), UNIQUE KEY (chat_id, id))");
    let database = Database::open(&server_location(&server)).await.unwrap();
    database.prepare_telegram().await.unwrap();
    let mut rows = messages(4, "w");
    rows[2].text = Some("long ".repeat(20));
    let stored = database.upsert_messages(&rows).await.unwrap();
    assert_eq!((stored.inserted, stored.failed.len()), (3, 1));
    assert_eq!(stored.failed[0].row, 2);
    assert!(
        stored.failed[0].message.contains("Data too long"),
        "{:?}",
        stored.failed
    );
    server.sql("ALTER TABLE telegram_messages DROP COLUMN views");
    let error = database.prepare_telegram().await.unwrap_err();
    assert!(
        error.message.contains("has no column `views`"),
        "{}",
        error.message
    );
}
