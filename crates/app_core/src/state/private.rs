//! The state folder and what lies in it belong to one user: 0700 and 0600, whatever the umask is.

use std::{
    fs::{DirBuilder, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use crate::{contract::ToolResult, files::unwritable};

/// Makes the folder, and those above it that are missing, with mode 0700; closes one that an older version left open.
///
/// Fails with `io` when it cannot be made. That a folder of somebody else cannot be closed is no failure.
pub fn folder(path: &Path) -> ToolResult<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|e| unwritable("create the state directory", path, &e))?;
    close(path, 0o700);
    Ok(())
}

/// Makes the file with mode 0600 when it is missing, closes it when it is open to others.
pub(super) fn file(path: &Path) -> io::Result<()> {
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => close(path, 0o600),
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Takes the rights of group and others away, where they have any.
fn close(path: &Path, mode: u32) {
    if let Ok(metadata) = std::fs::symlink_metadata(path)
        && !metadata.file_type().is_symlink()
        && metadata.permissions().mode() & 0o077 != 0
    {
        // Only the owner may; a shared folder of somebody else stays as its owner wants it.
        let _ = std::fs::set_permissions(path, Permissions::from_mode(mode));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_files_are_closed_also_those_of_older_versions() {
        let dir = tempfile::tempdir().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let (inner, file_path) = (dir.path().join("a/b"), dir.path().join("a/b/x.sqlite3"));
        std::fs::create_dir(dir.path().join("a")).unwrap();
        folder(&inner).unwrap();
        file(&file_path).unwrap();
        assert_eq!((mode(&inner), mode(&file_path)), (0o700, 0o600));
        std::fs::set_permissions(&inner, Permissions::from_mode(0o777)).unwrap();
        std::fs::set_permissions(&file_path, Permissions::from_mode(0o644)).unwrap();
        folder(&inner).unwrap();
        file(&file_path).unwrap();
        assert_eq!((mode(&inner), mode(&file_path)), (0o700, 0o600));
    }
}
