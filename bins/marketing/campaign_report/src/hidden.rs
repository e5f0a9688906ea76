//! Paths of the host, which a reader of the report has no use for, and what stands in their place.

use std::path::Path;

use crate::run::Run;

/// Folders whose paths are left out or replaced; any other absolute path is cut to its name.
pub struct Hidden(Vec<(String, &'static str)>);

impl Hidden {
    /// For a run in `folder`.
    pub fn of(run: &Run, folder: &Path) -> Self {
        let mut paths = Vec::new();
        let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        for path in [real, folder.to_owned()] {
            paths.push((format!("{}/", path.display()), ""));
        }
        if let Some(dir) = run.vars.get("campaign_dir").and_then(serde_json::Value::as_str) {
            paths.push((format!("{dir}/"), "campaign: "));
        }
        paths.retain(|(path, _)| path.starts_with('/') && path.len() > 1);
        // The longer first, since one may lie in the other.
        paths.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        Self(paths)
    }

    /// A text without absolute paths.
    pub fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (path, instead) in &self.0 {
            text = text.replace(path.as_str(), instead);
        }
        named(&text)
    }

    /// What a file was made from: its place in the run or the campaign, else its name alone.
    pub fn source(&self, name: &str) -> String {
        let mut shown = name.to_owned();
        for (path, instead) in &self.0 {
            shown = shown.replace(path.as_str(), instead);
        }
        if !shown.starts_with('/') {
            return shown;
        }
        let name = Path::new(&shown).file_name();
        name.map_or_else(|| shown.clone(), |name| name.to_string_lossy().into_owned())
    }
}

/// The text with each absolute path of two or more parts cut to its last part. Paths end at blanks and quotes.
fn named(text: &str) -> String {
    let ends = |c: char| c.is_whitespace() || "\"'`<>|".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // What stood before the present place: a path begins a word, or follows what opens one.
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let begins = c == '/' && (ends(before) || "([{=,:".contains(before));
        let length = rest.find(ends).unwrap_or(rest.len());
        let word = &rest[..length];
        let path = word
            .strip_prefix("//")
            .map_or(Some(word), |file| file.starts_with('/').then_some(file));
        let last = path
            .filter(|path| begins && path.trim_matches('/').contains('/'))
            .and_then(|path| path.trim_end_matches('/').rsplit('/').next());
        if let Some(last) = last {
            out.push_str(last);
            before = last.chars().last().unwrap_or(' ');
            rest = &rest[length..];
        } else {
            out.push(c);
            before = c;
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_of_the_host_is_shown() {
        let run = Run {
            vars: serde_json::json!({"campaign_dir": "/home/ana/plan"})
                .as_object()
                .cloned()
                .unwrap_or_default(),
            ..Run::default()
        };
        let hidden = Hidden::of(&run, Path::new("/home/ana/runs/1"));
        assert_eq!(
            hidden.source("/home/ana/runs/1/steps/card/a.png"),
            "steps/card/a.png"
        );
        assert_eq!(hidden.source("/home/ana/plan/b.png"), "campaign: b.png");
        assert_eq!(hidden.source("/srv/photos/c.jpg"), "c.jpg");
        assert_eq!(hidden.source("prompt of notebook"), "prompt of notebook");
        for (text, shown) in [
            ("cannot read `/srv/photos/c.jpg`: no", "cannot read `c.jpg`: no"),
            ("\"path\": \"/opt/x/é.png\",", "\"path\": \"é.png\","),
            (
                "see https://shop.example/a/b and 1/2",
                "see https://shop.example/a/b and 1/2",
            ),
            ("file:///home/ana/x/y.html", "file:y.html"),
            ("in /home/ana/runs/1/steps/a.png", "in steps/a.png"),
            ("/home/ana/other/", "other"),
        ] {
            assert_eq!(hidden.text(text), shown);
        }
    }
}
