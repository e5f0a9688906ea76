//! The session file: our own SQLite store behind grammers' `Session`, in the tables of its upstream storage, so that
//! files of either open in both.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use app_core::{ErrorKind, ToolError, ToolResult};
use grammers_session::types::{
    ChannelKind, ChannelState, DcOption, PeerAuth, PeerId, PeerInfo, PeerKind, UpdateState, UpdatesState,
};
use grammers_session::{BoxFuture, Session, SessionData};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

/// Layout version of the file.
const VERSION: i64 = 1;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS dc_home (dc_id INTEGER NOT NULL, PRIMARY KEY(dc_id));
CREATE TABLE IF NOT EXISTS dc_option (dc_id INTEGER NOT NULL, ipv4 TEXT NOT NULL, ipv6 TEXT NOT NULL, auth_key BLOB,
    PRIMARY KEY (dc_id));
CREATE TABLE IF NOT EXISTS peer_info (peer_id INTEGER NOT NULL, hash INTEGER, subtype INTEGER, PRIMARY KEY (peer_id));
CREATE TABLE IF NOT EXISTS update_state (pts INTEGER NOT NULL, qts INTEGER NOT NULL, date INTEGER NOT NULL,
    seq INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS channel_state (peer_id INTEGER NOT NULL, pts INTEGER NOT NULL, PRIMARY KEY (peer_id));
";

/// Bits that tell what kind of peer a row is, as upstream writes them.
mod subtype {
    pub const SELF: i64 = 1;
    pub const BOT: i64 = 2;
    pub const MEGAGROUP: i64 = 4;
    pub const BROADCAST: i64 = 8;
    pub const GIGAGROUP: i64 = 12;
    pub const COMMUNITY: i64 = 16;
}

/// A session file that is open.
#[derive(Debug)]
pub struct Storage {
    path: PathBuf,
    file: Mutex<Connection>,
    cache: Mutex<Cache>,
}

#[derive(Debug)]
struct Cache {
    home: i32,
    options: HashMap<i32, DcOption>,
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What sort of session file this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Ours and grammers'.
    Ours,
    /// Telethon's.
    Telethon,
    /// An SQLite file with neither, or an empty file.
    Blank,
}

/// Looks at a file without changing it, except for what a program that was killed left to be put right.
pub fn layout(path: &Path) -> ToolResult<Layout> {
    let look = |flags: OpenFlags| {
        let file = Connection::open_with_flags(path, flags)?;
        let has = |table: &str| {
            file.query_row(
                "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?",
                [table],
                |_| Ok(()),
            )
            .optional()
            .map(|found| found.is_some())
        };
        // Telethon that was let loose on a grammers file leaves its tables beside the others.
        Ok(if has("dc_option")? {
            Layout::Ours
        } else if has("sessions")? {
            Layout::Telethon
        } else {
            Layout::Blank
        })
    };
    look(OpenFlags::SQLITE_OPEN_READ_ONLY)
        .or_else(|error: rusqlite::Error| match error.sqlite_error_code() {
            // A half-written change is rolled back by the next one who may write.
            Some(rusqlite::ErrorCode::ReadOnly) => look(OpenFlags::SQLITE_OPEN_READ_WRITE),
            _ => Err(error),
        })
        .map_err(|e| broken(path, &e))
}

fn broken(path: &Path, cause: &rusqlite::Error) -> ToolError {
    ToolError::new(
        ErrorKind::Config,
        format!("`{}` is not a readable session file", path.display()),
    )
    .code("session_unreadable")
    .hint("make a new one with `init_session`, or import a good copy with `init_session --import FILE`")
    .caused_by(cause)
}

impl Storage {
    /// Opens a session file that exists.
    pub fn open(path: &Path) -> ToolResult<Self> {
        let file = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .map_err(|e| broken(path, &e))?;
        Self::with(path, file)
    }

    /// Makes a new session file, readable by its owner only; refuses to replace one.
    pub fn create(path: &Path) -> ToolResult<Self> {
        use std::os::unix::fs::OpenOptionsExt;
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            std::fs::create_dir_all(parent).map_err(|e| ToolError::file("create", parent, &e))?;
        }
        std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(|e| ToolError::file("create", path, &e))?;
        Self::open(path)
    }

    fn with(path: &Path, file: Connection) -> ToolResult<Self> {
        let failed = |e: &rusqlite::Error| broken(path, e);
        file.busy_timeout(std::time::Duration::from_secs(5))
            .map_err(|e| failed(&e))?;
        file.execute_batch(TABLES).map_err(|e| failed(&e))?;
        file.pragma_update(None, "user_version", VERSION)
            .map_err(|e| failed(&e))?;
        let home = file
            .query_row("SELECT dc_id FROM dc_home LIMIT 1", [], |row| row.get(0))
            .optional()
            .map_err(|e| failed(&e))?
            .unwrap_or(SessionData::default().home_dc);
        let mut options = HashMap::new();
        let mut statement = file
            .prepare("SELECT dc_id, ipv4, ipv6, auth_key FROM dc_option")
            .map_err(|e| failed(&e))?;
        let rows = statement
            .query_map([], |row| {
                Ok((
                    row.get::<_, i32>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, String>(2)?,
                    row.get::<_, Option<Vec<u8>>>(3)?,
                ))
            })
            .map_err(|e| failed(&e))?;
        for row in rows {
            let (id, ipv4, ipv6, key) = row.map_err(|e| failed(&e))?;
            let (Ok(ipv4), Ok(ipv6)) = (ipv4.parse(), ipv6.parse()) else {
                continue;
            };
            let auth_key = key.and_then(|key| key.try_into().ok());
            options.insert(
                id,
                DcOption {
                    id,
                    ipv4,
                    ipv6,
                    auth_key,
                },
            );
        }
        drop(statement);
        Ok(Self {
            path: path.to_owned(),
            file: Mutex::new(file),
            cache: Mutex::new(Cache { home, options }),
        })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is a key to the home data centre.
    pub fn has_key(&self) -> bool {
        let cache = guard(&self.cache);
        cache
            .options
            .get(&cache.home)
            .is_some_and(|option| option.auth_key.is_some())
    }

    /// The access hash of a peer, by marked id.
    pub fn hash(&self, marked: i64) -> Option<i64> {
        guard(&self.file)
            .query_row("SELECT hash FROM peer_info WHERE peer_id = ?", [marked], |row| {
                row.get::<_, Option<i64>>(0)
            })
            .optional()
            .ok()
            .flatten()
            .flatten()
    }

    /// Keeps access hashes, by marked id.
    pub fn keep_hashes(&self, hashes: &[(i64, i64)]) -> rusqlite::Result<()> {
        let mut file = guard(&self.file);
        let transaction = file.transaction()?;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO peer_info (peer_id, hash) VALUES (?1, ?2)
                 ON CONFLICT (peer_id) DO UPDATE SET hash = ?2 WHERE hash IS NOT ?2",
            )?;
            for (id, hash) in hashes {
                insert.execute(params![id, hash])?;
            }
        }
        transaction.commit()
    }

    fn peer_now(&self, peer: PeerId) -> rusqlite::Result<Option<PeerInfo>> {
        let file = guard(&self.file);
        let read = |row: &rusqlite::Row<'_>| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, Option<i64>>(1)?,
                row.get::<_, Option<i64>>(2)?,
            ))
        };
        let row = match peer.bot_api_dialog_id() {
            Some(id) => file
                .query_row(
                    "SELECT peer_id, hash, subtype FROM peer_info WHERE peer_id = ?",
                    [id],
                    read,
                )
                .optional()?,
            None => file
                .query_row(
                    "SELECT peer_id, hash, subtype FROM peer_info WHERE subtype & ? LIMIT 1",
                    [subtype::SELF],
                    read,
                )
                .optional()?,
        };
        Ok(row.map(|(id, hash, bits)| match peer.kind() {
            PeerKind::User => PeerInfo::User {
                id,
                auth: hash.map(PeerAuth::from_hash),
                bot: bits.map(|bits| bits & subtype::BOT != 0),
                is_self: bits.map(|bits| bits & subtype::SELF != 0),
            },
            PeerKind::Chat => PeerInfo::Chat {
                id: peer.bare_id_unchecked(),
            },
            PeerKind::Channel => PeerInfo::Channel {
                id: peer.bare_id_unchecked(),
                auth: hash.map(PeerAuth::from_hash),
                kind: bits.and_then(|bits| match bits {
                    subtype::GIGAGROUP => Some(ChannelKind::Gigagroup),
                    subtype::BROADCAST => Some(ChannelKind::Broadcast),
                    subtype::MEGAGROUP => Some(ChannelKind::Megagroup),
                    subtype::COMMUNITY => Some(ChannelKind::Community),
                    _ => None,
                }),
            },
        }))
    }

    fn keep_peer(&self, peer: PeerInfo) -> rusqlite::Result<()> {
        let peer = match self.peer_now(peer.id())? {
            Some(mut known) => {
                known.extend_info(&peer);
                known
            }
            None => peer,
        };
        let bits = match &peer {
            PeerInfo::User { bot, is_self, .. } => {
                let bits = i64::from(bot.unwrap_or_default()) * subtype::BOT
                    + i64::from(is_self.unwrap_or_default()) * subtype::SELF;
                (bits != 0).then_some(bits)
            }
            PeerInfo::Chat { .. } => None,
            PeerInfo::Channel { kind, .. } => kind.as_ref().map(|kind| match kind {
                ChannelKind::Megagroup => subtype::MEGAGROUP,
                ChannelKind::Broadcast => subtype::BROADCAST,
                ChannelKind::Gigagroup => subtype::GIGAGROUP,
                ChannelKind::Community => subtype::COMMUNITY,
            }),
        };
        guard(&self.file).execute(
            "INSERT OR REPLACE INTO peer_info VALUES (?1, ?2, ?3)",
            params![
                peer.id().bot_api_dialog_id_unchecked(),
                peer.auth().map(PeerAuth::hash),
                bits
            ],
        )?;
        Ok(())
    }

    fn state_now(&self) -> rusqlite::Result<UpdatesState> {
        let file = guard(&self.file);
        let mut state = file
            .query_row(
                "SELECT pts, qts, date, seq FROM update_state LIMIT 1",
                [],
                |row| {
                    Ok(UpdatesState {
                        pts: row.get(0)?,
                        qts: row.get(1)?,
                        date: row.get(2)?,
                        seq: row.get(3)?,
                        channels: Vec::new(),
                    })
                },
            )
            .optional()?
            .unwrap_or_default();
        let mut statement = file.prepare("SELECT peer_id, pts FROM channel_state")?;
        let rows = statement.query_map([], |row| {
            Ok(ChannelState {
                id: row.get(0)?,
                pts: row.get(1)?,
            })
        })?;
        state.channels = rows.collect::<Result<_, _>>()?;
        Ok(state)
    }

    fn keep_state(&self, update: UpdateState) -> rusqlite::Result<()> {
        let mut file = guard(&self.file);
        let transaction = file.transaction()?;
        let row: Option<(i32, i32, i32, i32)> = transaction
            .query_row(
                "SELECT pts, qts, date, seq FROM update_state LIMIT 1",
                [],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )
            .optional()?;
        let (pts, qts, date, seq) = row.unwrap_or_default();
        let next = match &update {
            UpdateState::All(all) => Some((all.pts, all.qts, all.date, all.seq)),
            UpdateState::Primary { pts, date, seq } => Some((*pts, qts, *date, *seq)),
            UpdateState::Secondary { qts } => Some((pts, *qts, date, seq)),
            UpdateState::Channel { .. } => None,
        };
        if let Some((pts, qts, date, seq)) = next {
            transaction.execute("DELETE FROM update_state", [])?;
            transaction.execute(
                "INSERT INTO update_state VALUES (?, ?, ?, ?)",
                params![pts, qts, date, seq],
            )?;
        }
        match update {
            UpdateState::All(all) => {
                transaction.execute("DELETE FROM channel_state", [])?;
                for channel in all.channels {
                    transaction.execute(
                        "INSERT INTO channel_state VALUES (?, ?)",
                        params![channel.id, channel.pts],
                    )?;
                }
            }
            UpdateState::Channel { id, pts } => {
                transaction.execute(
                    "INSERT OR REPLACE INTO channel_state VALUES (?, ?)",
                    params![id, pts],
                )?;
            }
            UpdateState::Primary { .. } | UpdateState::Secondary { .. } => {}
        }
        transaction.commit()
    }
}

/// A future that is ready.
fn ready<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, T> {
    Box::pin(std::future::ready(value))
}

impl Session for Storage {
    type Error = rusqlite::Error;

    fn home_dc_id(&self) -> Result<i32, Self::Error> {
        Ok(guard(&self.cache).home)
    }

    fn set_home_dc_id(&self, dc_id: i32) -> BoxFuture<'_, Result<(), Self::Error>> {
        guard(&self.cache).home = dc_id;
        let mut file = guard(&self.file);
        let kept = (|| {
            let transaction = file.transaction()?;
            transaction.execute("DELETE FROM dc_home", [])?;
            transaction.execute("INSERT INTO dc_home VALUES (?)", [dc_id])?;
            transaction.commit()
        })();
        drop(file);
        ready(kept)
    }

    fn dc_option(&self, dc_id: i32) -> Result<Option<DcOption>, Self::Error> {
        let known = guard(&self.cache).options.get(&dc_id).cloned();
        Ok(known.or_else(|| SessionData::default().dc_options.get(&dc_id).cloned()))
    }

    fn set_dc_option(&self, option: &DcOption) -> BoxFuture<'_, Result<(), Self::Error>> {
        let before = guard(&self.cache).options.insert(option.id, option.clone());
        if before.as_ref() == Some(option) {
            return ready(Ok(()));
        }
        let kept = guard(&self.file).execute(
            "INSERT OR REPLACE INTO dc_option VALUES (?, ?, ?, ?)",
            params![
                option.id,
                option.ipv4.to_string(),
                option.ipv6.to_string(),
                option.auth_key.map(|key| key.to_vec())
            ],
        );
        ready(kept.map(drop))
    }

    fn peer(&self, peer: PeerId) -> BoxFuture<'_, Result<Option<PeerInfo>, Self::Error>> {
        ready(self.peer_now(peer))
    }

    fn cache_peer(&self, peer: PeerInfo) -> BoxFuture<'_, Result<(), Self::Error>> {
        ready(self.keep_peer(peer))
    }

    fn updates_state(&self) -> BoxFuture<'_, Result<UpdatesState, Self::Error>> {
        ready(self.state_now())
    }

    fn set_update_state(&self, update: UpdateState) -> BoxFuture<'_, Result<(), Self::Error>> {
        ready(self.keep_state(update))
    }
}
