//! Taking over a login that another program made: Telethon's and grammers' session files are copied, never changed.

use std::net::{Ipv4Addr, SocketAddrV4, SocketAddrV6};
use std::path::Path;

use app_core::{ErrorKind, ToolError, ToolResult};
use grammers_session::types::DcOption;
use grammers_session::{Session, SessionData};
use rusqlite::{Connection, OpenFlags};

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
    match layout(from)? {
        Layout::Ours => {
            let key = Storage::open(&private_copy(from)?.1)?;
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
            let option = telethon_login(from)?;
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

/// A copy that may be opened for writing; SQLite could change the original otherwise (its journal).
fn private_copy(from: &Path) -> ToolResult<(tempfile::TempDir, std::path::PathBuf)> {
    let dir =
        tempfile::tempdir().map_err(|e| ToolError::file("create", Path::new("temporary directory"), &e))?;
    let copy = dir.path().join("copy.session");
    std::fs::copy(from, &copy).map_err(|e| ToolError::file("read", from, &e))?;
    Ok((dir, copy))
}

/// Reads data centre, address and key of a Telethon session file.
fn telethon_login(path: &Path) -> ToolResult<DcOption> {
    let unreadable = |e: &rusqlite::Error| {
        ToolError::new(
            ErrorKind::Config,
            format!("cannot read the Telethon session `{}`", path.display()),
        )
        .caused_by(e)
    };
    let file =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(|e| unreadable(&e))?;
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
