//! Which files are meant, and whether the output may be written.

use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use app_core::{ErrorKind, ToolError, ToolResult};
use raster::Format;

use crate::input::Input;

/// Further endings that promise something else than a GIF.
const OTHER: [&str; 8] = ["avif", "heic", "svg", "mp4", "webm", "mov", "mkv", "avi"];

impl Input {
    /// Refuses an output that must not be written, before any work is done.
    pub fn check_output(&self) -> ToolResult<()> {
        let path = self.output.display();
        let inputs = self.images.iter().map(Path::new).chain(self.video.as_deref());
        if let Some(input) = inputs
            .into_iter()
            .find(|input| !input.is_dir() && same(input, &self.output))
        {
            return Err(ToolError::new(
                ErrorKind::Conflict,
                format!("`{path}` is the input `{}` and would be lost", input.display()),
            )
            .code("would_overwrite_input")
            .field("output")
            .hint("choose another name for the GIF"));
        }
        let extension = self
            .output
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or_default();
        if Format::from_extension(extension).is_some_and(|format| format != Format::Gif)
            || OTHER.iter().any(|other| extension.eq_ignore_ascii_case(other))
        {
            return Err(
                ToolError::invalid("output", format!("`{path}` is not the name of a GIF"))
                    .hint("let it end in .gif"),
            );
        }
        if self.no_clobber && self.output.exists() {
            return Err(
                ToolError::new(ErrorKind::Conflict, format!("`{path}` exists already"))
                    .field("output")
                    .hint("choose another name, or leave out --no-clobber"),
            );
        }
        if self.output.is_dir() {
            return Err(ToolError::invalid("output", format!("`{path}` is a directory")));
        }
        match (self.images.is_empty(), &self.video) {
            (true, None) => Err(ToolError::invalid("images", "no images and no video given")
                .hint("name some images, a folder, a pattern, or --video FILE")),
            (false, Some(_)) => {
                Err(ToolError::invalid("video", "images and a video cannot be mixed")
                    .hint("give one of them"))
            }
            _ => Ok(()),
        }
    }

    /// The files meant by `images`, in order. The output itself is never taken for an input of a folder or pattern.
    pub fn pictures(&self) -> ToolResult<Vec<PathBuf>> {
        let mut found = Vec::new();
        for (index, name) in self.images.iter().enumerate() {
            let field = format!("images[{index}]");
            let path = Path::new(name);
            if path.is_file() {
                found.push(path.to_owned());
            } else if path.is_dir() {
                let mut inside = in_folder(path)?;
                inside.retain(|p| !same(p, &self.output));
                if inside.is_empty() {
                    return Err(
                        ToolError::not_found(format!("no images in the folder `{name}`")).field(field)
                    );
                }
                found.append(&mut inside);
            } else if name.contains(['*', '?', '[']) {
                let pattern = glob::glob(name).map_err(|e| {
                    ToolError::invalid(&field, format!("`{name}` is not a pattern: {}", e.msg))
                })?;
                let mut inside: Vec<PathBuf> = pattern
                    .flatten()
                    .filter(|p| p.is_file() && !same(p, &self.output))
                    .collect();
                if inside.is_empty() {
                    return Err(ToolError::not_found(format!("no file matches `{name}`")).field(field));
                }
                inside.sort_by_key(|path| natural(path));
                found.append(&mut inside);
            } else {
                return Err(
                    ToolError::not_found(format!("input image `{name}` does not exist")).field(field),
                );
            }
        }
        Ok(found)
    }
}

/// Whether two names lead to one file, over links and other spellings.
fn same(a: &Path, b: &Path) -> bool {
    let identity = |path: &Path| path.metadata().ok().map(|m| (m.dev(), m.ino()));
    identity(a).is_some_and(|file| identity(b) == Some(file))
}

fn in_folder(folder: &Path) -> ToolResult<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(|e| ToolError::file("read", folder, &e))?;
    let is_picture = |path: &PathBuf| {
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        path.is_file() && Format::from_extension(extension).is_some()
    };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(is_picture)
        .collect();
    found.sort_by_key(|path| natural(path));
    Ok(found)
}

/// A sort key in which `shot9` comes before `shot10`.
fn natural(path: &Path) -> Vec<(String, u64, String)> {
    let text = path.to_string_lossy();
    let mut parts: Vec<(String, u64, String)> = vec![(String::new(), 0, String::new())];
    let mut in_number = false;
    for character in text.chars() {
        let last = parts.len() - 1;
        if character.is_ascii_digit() {
            in_number = true;
            parts[last].2.push(character);
        } else {
            if in_number {
                parts.push((String::new(), 0, String::new()));
                in_number = false;
            }
            let last = parts.len() - 1;
            parts[last].0.push(character);
        }
    }
    for part in &mut parts {
        part.1 = part.2.parse().unwrap_or(u64::MAX);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_sort_by_value() {
        let mut names = ["shot10.png", "shot9.png", "shot1.png", "a.png"].map(PathBuf::from);
        names.sort_by_key(|name| natural(name));
        assert_eq!(
            names,
            ["a.png", "shot1.png", "shot9.png", "shot10.png"].map(PathBuf::from)
        );
    }
}
