//! The files of an export of several pages as they are found beside it: whose they are, and the lines that hold their
//! checksums.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use app_core::{Context, ErrorKind, ToolError, ToolResult};

use super::pages::SEARCHED_IN_FILE;
use super::{Exported, Job};
use crate::export::html::index::search_mark;
use crate::export::html::pages::{Names, Pages};

/// Most of a file's head that is looked at for the mark of its export.
const HEAD: u64 = 16 * 1024;

/// A line of a list of checksums as `sha256sum -c` reads it.
pub(super) fn sum(sha256: &str, name: &str) -> String {
    if name.contains(['\\', '\n', '\r']) {
        let name = name
            .replace('\\', "\\\\")
            .replace('\n', "\\n")
            .replace('\r', "\\r");
        return format!("\\{sha256}  {name}\n");
    }
    format!("{sha256}  {name}\n")
}

/// Whether a file that is there belongs to an export under this name.
fn is_part(path: &Path, names: &Names) -> ToolResult<bool> {
    let failed = |e: &std::io::Error| ToolError::file("read", path, e);
    let file = File::open(path).map_err(|e| failed(&e))?;
    let mut head = Vec::new();
    file.take(HEAD).read_to_end(&mut head).map_err(|e| failed(&e))?;
    let head = String::from_utf8_lossy(&head);
    let first = names.page(0);
    let line = sum("", &first);
    let line = line.trim_start_matches('\\');
    Ok(head.contains(&names.mark())
        || head.starts_with(&format!("{}\n", search_mark(&first)))
        || head
            .split_inclusive('\n')
            .next()
            .is_some_and(|one| one.ends_with(line)))
}

/// Refuses to write over files that the user has not named and that are no parts of an earlier export under this name:
/// `club_2.html` may be the export of another chat.
pub(super) fn nothing_else_there(job: &Job<'_>, pages: &Pages, searches: usize) -> ToolResult<()> {
    let names = &pages.names;
    let others = (1..pages.list.len())
        .map(|at| names.page(at))
        .chain((0..searches).map(|at| names.search(at)))
        .chain([names.index(), names.sums()]);
    for name in others {
        let path = job.output.with_file_name(name);
        if path.is_file() && !is_part(&path, names)? {
            return Err(ToolError::new(
                ErrorKind::Conflict,
                format!(
                    "`{}` would be a part of this export, but is a file of something else",
                    path.display()
                ),
            )
            .code("output_taken")
            .hint("move it away, or name another output: all parts are named after it"));
        }
    }
    Ok(())
}

/// Tells of parts of a longer export under this name that was there before: they are no parts of this one.
pub(super) fn tell_of_leftovers(ctx: &Context, job: &Job<'_>, report: &Exported) -> ToolResult<()> {
    let names = Names::beside(&job.output);
    let old = |name: &String| {
        let path = job.output.with_file_name(name);
        Ok::<_, ToolError>(path.is_file() && is_part(&path, &names)?)
    };
    let mut left = Vec::new();
    let searches = match report.pages {
        Some(_) => report.written.div_ceil(SEARCHED_IN_FILE),
        None => {
            for name in [names.index(), names.sums()] {
                if old(&name)? {
                    left.push(name);
                }
            }
            0
        }
    };
    // An export of one page has only its first file.
    let pages = (report.pages.unwrap_or(1)..).map(|at| names.page(at));
    for name in pages {
        if !old(&name)? {
            break;
        }
        left.push(name);
    }
    for name in (searches..).map(|at| names.search(at)) {
        if !old(&name)? {
            break;
        }
        left.push(name);
    }
    if !left.is_empty() {
        ctx.warn(format!(
            "files of an earlier, longer export, no parts of this one, are still there: {}",
            left.join(", ")
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_a_list_of_checksums_are_escaped() {
        assert_eq!(sum("ab", "a b.html"), "ab  a b.html\n");
        assert_eq!(sum("ab", "a\\b\n.html"), "\\ab  a\\\\b\\n.html\n");
    }

    #[test]
    fn parts_are_known_by_their_heads() {
        let dir = tempfile::tempdir().unwrap();
        let names = Names::beside(Path::new("club.html"));
        let part = |text: &str| {
            let path = dir.path().join("x");
            std::fs::write(&path, text).unwrap();
            is_part(&path, &names).unwrap()
        };
        assert!(part(&format!("<!doctype html>\n{}\n", names.mark())));
        assert!(part("// part of \"club.html\"\n(window"));
        assert!(part("abc  club.html\ndef  club_2.html\n"));
        assert!(!part("abc  river.html\nabc  club.html\n"));
        assert!(!part("<!doctype html>\n<html lang=\"en\">\n"));
        assert!(!part(""));
    }
}
