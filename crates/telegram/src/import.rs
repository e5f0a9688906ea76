//! Taking over a login that another program made: Telethon's and grammers' session files are copied, never changed.

use std::net::{Ipv4Addr, SocketAddrV4, SocketAddrV6};
use std::path::{Path, PathBuf};

use app_core::{ErrorKind, ToolError, ToolResult};
use grammers_session::types::DcOption;
use grammers_session::{Session, SessionData};
use rusqlite::Connection;

use crate::storage::{Layout, Storage, layout};

/// What was taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// What the file was.
    pub layout: Layout,
    /// The account's data centre.
    pub dc: i32,
}

/// Copies the login in `from` to a new session file at `to`.
///
/// # Errors
/// `not_found` or `config` when `from` is no session file or holds no login, `io` when `to` exists.
pub async fn import(from: &Path, to: &Path) -> ToolResult<Imported> {
    if !from.is_file() {
        return Err(
            ToolError::not_found(format!("there is no session file `{}`", from.display())).field("import"),
        );
    }
    let (_folder, copy) = private_copy(from)?;
    match layout(&copy).map_err(|error| named(error, &copy, from))? {
        Layout::Ours => {
            let key = Storage::open(&copy)?;
            if !key.has_key() {
                return Err(no_login(from));
            }
            let dc = key.home_dc_id().unwrap_or_default();
            let target = Storage::create(to)?;
            for id in 1..=5 {
                if let Some(option) = key.dc_option(id).ok().flatten() {
                    target
                        .set_dc_option(&option)
                        .await
                        .map_err(|e| unwritten(to, &e))?;
                }
            }
            target.set_home_dc_id(dc).await.map_err(|e| unwritten(to, &e))?;
            Ok(Imported {
                layout: Layout::Ours,
                dc,
            })
        }
        Layout::Telethon => {
            let option = telethon_login(&copy, from)?;
            let dc = option.id;
            let target = Storage::create(to)?;
            target.set_home_dc_id(dc).await.map_err(|e| unwritten(to, &e))?;
            target
                .set_dc_option(&option)
                .await
                .map_err(|e| unwritten(to, &e))?;
            Ok(Imported {
                layout: Layout::Telethon,
                dc,
            })
        }
        Layout::Blank => Err(no_login(from)),
    }
}

fn no_login(path: &Path) -> ToolError {
    ToolError::new(ErrorKind::Config, format!("`{}` holds no login", path.display()))
        .field("import")
        .hint("log in with `init_session`")
}

fn unwritten(path: &Path, cause: &rusqlite::Error) -> ToolError {
    ToolError::new(
        ErrorKind::Io,
        format!("cannot write the session file `{}`", path.display()),
    )
    .caused_by(cause)
}

/// A copy that may be opened for writing: SQLite would put right what a killed program left beside the original, which
/// is not ours. What has not been folded into the file yet comes along.
fn private_copy(from: &Path) -> ToolResult<(tempfile::TempDir, PathBuf)> {
    let dir =
        tempfile::tempdir().map_err(|e| ToolError::file("create", Path::new("temporary directory"), &e))?;
    let copy = dir.path().join("copy.session");
    for end in ["", "-journal", "-wal"] {
        let mut source = from.as_os_str().to_owned();
        source.push(end);
        let source = PathBuf::from(source);
        if end.is_empty() || source.is_file() {
            let target = PathBuf::from(format!("{}{end}", copy.display()));
            std::fs::copy(&source, target).map_err(|e| ToolError::file("read", &source, &e))?;
        }
    }
    Ok((dir, copy))
}

/// An error that speaks of the file the user named.
fn named(mut error: ToolError, copy: &Path, from: &Path) -> ToolError {
    error.message = error
        .message
        .replace(&copy.display().to_string(), &from.display().to_string());
    error
}

/// Reads data centre, address and key of a Telethon session file.
fn telethon_login(copy: &Path, path: &Path) -> ToolResult<DcOption> {
    let unreadable = |e: &rusqlite::Error| {
        ToolError::new(
            ErrorKind::Config,
            format!("cannot read the Telethon session `{}`", path.display()),
        )
        .caused_by(e)
    };
    let file = Connection::open(copy).map_err(|e| unreadable(&e))?;
    let row = file
        .query_row(
            "SELECT dc_id, server_address, port, auth_key FROM sessions LIMIT 1",
            [],
            |row| {
                Ok((
                    row.get::<_, i32>(0)?,
                    row.get::<_, Option<String>>(1)?,
                    row.get::<_, Option<u16>>(2)?,
                    row.get::<_, Option<Vec<u8>>>(3)?,
                ))
            },
        )
        .map_err(|_| no_login(path))?;
    let (id, address, port, key) = row;
    let key: [u8; 256] = key
        .and_then(|key| key.try_into().ok())
        .ok_or_else(|| no_login(path))?;
    let known = SessionData::default().dc_options.get(&id).cloned();
    let ipv4 = match (
        address.as_deref().and_then(|text| text.parse::<Ipv4Addr>().ok()),
        port,
        &known,
    ) {
        (Some(address), Some(port), _) => SocketAddrV4::new(address, port),
        (_, _, Some(known)) => known.ipv4,
        _ => return Err(no_login(path)),
    };
    let ipv6 = known.map_or_else(
        || SocketAddrV6::new(ipv4.ip().to_ipv6_mapped(), ipv4.port(), 0, 0),
        |known| known.ipv6,
    );
    Ok(DcOption {
        id,
        ipv4,
        ipv6,
        auth_key: Some(key),
    })
}
