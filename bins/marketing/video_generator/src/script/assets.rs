//! Which pictures of a folder are meant.

use std::path::{Path, PathBuf};

use app_core::{ToolError, ToolResult};

/// Endings of pictures.
const PICTURES: [&str; 8] = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"];
/// The pictures of a folder in order, or those that `named` names in its order; what is remarkable goes into `notes`.
pub fn pictures(folder: &Path, named: Option<&str>, notes: &mut Vec<String>) -> ToolResult<Vec<PathBuf>> {
    let entries =
        std::fs::read_dir(folder).map_err(|e| ToolError::file("list", folder, &e).field("assets"))?;
    let mut names: Vec<String> = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| ToolError::file("list", folder, &e))?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // What an earlier run left there is no material.
        let ours = name.ends_with(".poster.png") || name.ends_with(".preview.png");
        if !ours && !name.starts_with('.') && is_picture(&name) && entry.path().is_file() {
            names.push(name);
        }
    }
    names.sort_by_cached_key(|name| (natural(name), name.clone()));
    if let Some(text) = named {
        let text = text.to_lowercase();
        let all = names.len();
        let mut placed: Vec<(usize, String)> = names
            .into_iter()
            .filter_map(|name| Some((whole_name(&text, &name.to_lowercase())?, name)))
            .collect();
        placed.sort();
        let words = text.split([' ', ',', ';', '"', '\'', '`', '(', ')', '\n', '\t']);
        for word in words.map(|word| word.trim_end_matches(['.', ':', '!', '?'])) {
            let known = placed.iter().any(|(_, name)| name.to_lowercase().ends_with(word));
            if is_picture(word) && !known {
                notes.push(format!("`{word}` is named but is not in `{}`", folder.display()));
            }
        }
        if placed.is_empty() && all > 0 {
            notes.push(format!(
                "none of the {all} pictures in `{}` is named: cards are drawn",
                folder.display()
            ));
        }
        names = placed.into_iter().map(|(_, name)| name).collect();
    }
    // `./a.png` says no more than `a.png`.
    let here = folder == Path::new(".");
    let path = |name: String| {
        if here {
            PathBuf::from(name)
        } else {
            folder.join(name)
        }
    };
    Ok(names.into_iter().map(path).collect())
}

fn is_picture(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(stem, ending)| !stem.is_empty() && PICTURES.contains(&ending.to_lowercase().as_str()))
}

/// Where `name` stands in `text`, not as a part of a longer name.
fn whole_name(text: &str, name: &str) -> Option<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.match_indices(name).map(|(at, _)| at).find(|&at| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

/// A key by which `shot2` comes before `shot10`.
fn natural(name: &str) -> Vec<(u64, String)> {
    let mut key = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number = rest[..digits].parse().unwrap_or(u64::MAX);
        let after = &rest[digits..];
        let words = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        key.push((
            if digits == 0 { 0 } else { number },
            after[..words].to_lowercase(),
        ));
        rest = &after[words..];
    }
    key
}
