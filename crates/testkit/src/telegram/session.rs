//! Session files that lead to the data centre.

use std::path::Path;

use rusqlite::{Connection, params};

use super::objects::access_hash;
use super::shared_key;

/// Writes a session file in the layout of grammers (version 1), which is also ours.
pub fn write(path: &Path, ports: &[(i32, u16)], account: i64) {
    let _ = std::fs::remove_file(path);
    let filled = (|| -> rusqlite::Result<()> {
        let file = Connection::open(path)?;
        file.execute_batch(
            "CREATE TABLE dc_home (dc_id INTEGER NOT NULL, PRIMARY KEY(dc_id));
             CREATE TABLE dc_option (dc_id INTEGER NOT NULL, ipv4 TEXT NOT NULL, ipv6 TEXT NOT NULL,
                 auth_key BLOB, PRIMARY KEY (dc_id));
             CREATE TABLE peer_info (peer_id INTEGER NOT NULL, hash INTEGER, subtype INTEGER, PRIMARY KEY (peer_id));
             CREATE TABLE update_state (pts INTEGER NOT NULL, qts INTEGER NOT NULL, date INTEGER NOT NULL,
                 seq INTEGER NOT NULL);
             CREATE TABLE channel_state (peer_id INTEGER NOT NULL, pts INTEGER NOT NULL, PRIMARY KEY (peer_id));
             INSERT INTO dc_home VALUES (1);
             PRAGMA user_version = 1;",
        )?;
        for (dc, port) in ports {
            file.execute(
                "INSERT INTO dc_option VALUES (?1, ?2, ?3, ?4)",
                params![
                    dc,
                    format!("127.0.0.1:{port}"),
                    format!("[::1]:{port}"),
                    shared_key().as_slice()
                ],
            )?;
        }
        if account != 0 {
            file.execute(
                "INSERT INTO peer_info VALUES (?1, ?2, 1)",
                params![account, access_hash(account)],
            )?;
        }
        Ok(())
    })();
    filled.unwrap_or_else(|e| panic!("cannot write the session file: {e}"));
}

/// Writes a session file in the layout of Telethon (version 7).
pub fn write_telethon(path: &Path, port: u16) {
    let _ = std::fs::remove_file(path);
    let filled = (|| -> rusqlite::Result<()> {
        let file = Connection::open(path)?;
        file.execute_batch(
            "CREATE TABLE version (version INTEGER PRIMARY KEY);
             CREATE TABLE sessions (dc_id INTEGER PRIMARY KEY, server_address TEXT, port INTEGER, auth_key BLOB,
                 takeout_id INTEGER);
             CREATE TABLE entities (id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, username TEXT, phone INTEGER,
                 name TEXT, date INTEGER);
             CREATE TABLE sent_files (md5_digest BLOB, file_size INTEGER, type INTEGER, id INTEGER, hash INTEGER,
                 PRIMARY KEY(md5_digest, file_size, type));
             CREATE TABLE update_state (id INTEGER PRIMARY KEY, pts INTEGER, qts INTEGER, date INTEGER, seq INTEGER);
             INSERT INTO version VALUES (7);",
        )?;
        file.execute(
            "INSERT INTO sessions VALUES (1, '127.0.0.1', ?1, ?2, NULL)",
            params![port, shared_key().as_slice()],
        )?;
        Ok(())
    })();
    filled.unwrap_or_else(|e| panic!("cannot write the session file: {e}"));
}
