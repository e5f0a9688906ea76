//! Against SQLite; the same against a real server is in `tests/sql_server.rs`.

use super::telegram::{CHATS, ChatRow, MESSAGES, MessageRow};
use super::*;

fn chat(id: i64, title: &str) -> ChatRow {
    ChatRow {
        id,
        title: title.to_owned(),
        username: None,
        chat_type: "group",
        members: None,
        unread: 3,
        last_message: Some("2025-03-04T05:00:00Z".parse().unwrap()),
        verified: false,
        restricted: false,
        creator: true,
        admin: false,
    }
}

fn message(id: i32, text: &str) -> MessageRow {
    MessageRow {
        id,
        chat_id: -77,
        sender_id: Some(111),
        sender_name: "Алиса".to_owned(),
        text: Some(text.to_owned()),
        date: "2025-03-04T05:06:07Z".parse().unwrap(),
        reply_to: None,
        forward_from: None,
        views: Some(1),
        forwards: None,
        reactions: 2,
        reactions_json: Some(r#"[{"emoji":"🔥","count":2}]"#.to_owned()),
        media_type: Some("photo"),
    }
}

async fn database(folder: &std::path::Path) -> Database {
    let database = Database::open(&Location::Sqlite(folder.join("deep/data.sqlite")))
        .await
        .unwrap();
    database.prepare_telegram().await.unwrap();
    database
}

#[tokio::test]
async fn rows_are_inserted_once_and_refreshed_after() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path()).await;
    let stored = database
        .upsert_chats(&[chat(1, "a"), chat(2, "b"), chat(2, "b again")])
        .await
        .unwrap();
    assert_eq!((stored.inserted, stored.updated), (2, 0));
    let mut second = chat(2, "c");
    second.chat_type = "supergroup";
    let stored = database.upsert_chats(&[second, chat(3, "d")]).await.unwrap();
    assert_eq!((stored.inserted, stored.updated), (1, 1));
    let rows = database.rows(&CHATS).await.unwrap();
    assert_eq!(rows.len(), 3);
    use std::os::unix::fs::PermissionsExt;
    let file = std::fs::metadata(folder.path().join("deep/data.sqlite")).unwrap();
    assert_eq!(file.permissions().mode() & 0o077, 0, "nobody else may read it");
    assert_eq!(
        rows[1][1..4],
        [
            Cell::Text("c".into()),
            Cell::Null,
            Cell::Text("supergroup".into())
        ]
    );
    database.close().await;
}

#[tokio::test]
async fn a_refreshed_message_keeps_sender_date_and_media() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path()).await;
    database.upsert_messages(&[message(5, "old")]).await.unwrap();
    let mut newer = message(5, "new");
    newer.sender_name = "Other".to_owned();
    newer.date = "2026-01-01T00:00:00Z".parse().unwrap();
    newer.media_type = None;
    newer.views = Some(9);
    newer.reactions_json = None;
    database.upsert_messages(&[newer]).await.unwrap();
    let rows = database.rows(&MESSAGES).await.unwrap();
    let text = |text: &str| Cell::Text(text.to_owned());
    assert_eq!(
        rows[0][3..],
        [
            text("Алиса"),
            text("new"),
            text("2025-03-04 05:06:07"),
            Cell::Null,
            Cell::Null,
            Cell::Int(9),
            Cell::Null,
            Cell::Int(2),
            Cell::Null,
            text("photo"),
        ]
    );
}

#[tokio::test]
async fn a_row_the_database_refuses_does_not_cost_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path()).await;
    let table = Table {
        name: "strict",
        columns: &["id", "word"],
        key: &["id"],
        refresh: &["word"],
        dates: &[],
        touched: None,
    };
    let script = schema::Script {
        sqlite: "CREATE TABLE strict (id BIGINT PRIMARY KEY, word TEXT NOT NULL);\n",
        mysql: "",
    };
    database.run(&script).await.unwrap();
    let rows = [
        vec![Cell::Int(1), Cell::Text("a".into())],
        vec![Cell::Int(2), Cell::Null],
        vec![Cell::Int(3), Cell::Text("c".into())],
    ];
    let stored = database.upsert(&table, &rows).await.unwrap();
    assert_eq!(
        (stored.inserted, stored.failed.len(), stored.failed[0].row),
        (2, 1, 1)
    );
    assert!(stored.failed[0].message.contains("NOT NULL"));
    assert_eq!(database.rows(&table).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_table_without_its_key_is_named_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::Sqlite(folder.path().join("old.sqlite"));
    let database = Database::open(&location).await.unwrap();
    let columns = MESSAGES.columns.join(" TEXT, ");
    let create = format!("CREATE TABLE telegram_messages ({columns} TEXT);\n");
    let script = schema::Script {
        sqlite: Box::leak(create.into_boxed_str()),
        mysql: "",
    };
    database.run(&script).await.unwrap();
    let error = database.prepare_telegram().await.unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_str()),
        (ErrorKind::Config, "table_mismatch")
    );
    assert!(
        error.message.contains("no unique key over (chat_id, id)"),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn a_file_that_is_no_database_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.sqlite");
    std::fs::write(
        &path,
        "these are notes, and a good many of them, no database at all\n".repeat(40),
    )
    .unwrap();
    let error = match Database::open(&Location::Sqlite(path)).await {
        Ok(database) => database.prepare_telegram().await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(error.kind, ErrorKind::InvalidInput, "{error:?}");
}

#[tokio::test]
async fn a_path_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = Database::open(&Location::Sqlite(folder.path().to_owned()))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Io, "{error:?}");
    assert!(error.message.contains(&*folder.path().to_string_lossy()));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_network_failure() {
    let get = |name: &str| match name {
        "MYSQL_HOST" => Some("127.0.0.1".to_owned()),
        "MYSQL_PORT" => Some("1".to_owned()),
        "MYSQL_PASSWORD" => Some("sesame".to_owned()),
        _ => None,
    };
    let location = Location::from_settings(&get, std::path::Path::new("x")).unwrap();
    let error = Database::open(&location).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Network, "{error:?}");
    assert!(
        error
            .message
            .starts_with("cannot connect to MySQL `mysql://127.0.0.1:1/")
    );
    assert!(!format!("{error:?}").contains("sesame"));
}
