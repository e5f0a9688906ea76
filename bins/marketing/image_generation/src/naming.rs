//! Where pictures are written, decided before anything is paid for.

use std::path::{Path, PathBuf};

use app_core::{Context, ToolError, ToolResult, host_zone};
use raster::Format;

use crate::{input::Generate, provider::Provider};

/// Names under which a picture may lie, beside PNG.
const ENDINGS: [&str; 5] = ["png", "jpg", "webp", "gif", "json"];

/// Files of one name that are looked past for a free one.
const MOST_ROUNDS: u32 = 10_000;

/// The files of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// As they are planned: with the format that was asked for, or PNG.
    pub paths: Vec<PathBuf>,
    /// The format that the caller named; without it a paid picture is kept as it came.
    pub format: Option<Format>,
}

/// The names of an input's pictures.
pub fn names(input: &Generate, ctx: &Context) -> ToolResult<Names> {
    let folder = input.output_dir.clone().unwrap_or_default();
    let others = input.asks_others()?;
    let Some(output) = &input.output else {
        let stem = if input.as_before {
            format!("{}_{}", old_stem(&input.prompt), stamp(ctx))
        } else {
            stem(&input.prompt, input.seed())
        };
        // What was paid for is never written over unasked.
        let paths = (1..=MOST_ROUNDS)
            .map(|round| match round {
                1 => numbered(&folder.join(format!("{stem}.png")), input.count),
                _ => numbered(&folder.join(format!("{stem}_{round}.png")), input.count),
            })
            .find(|paths| !others || !paths.iter().any(|path| is_taken(path)))
            .ok_or_else(|| {
                ToolError::invalid(
                    "output_dir",
                    format!("too many files named `{stem}` lie there already"),
                )
                .hint("name the file with --output")
            })?;
        return Ok(Names {
            paths,
            format: (!others).then_some(Format::Png),
        });
    };
    let format = Format::from_path(output, "output")?;
    let allowed: &[Format] = if others {
        &[Format::Png, Format::Jpeg, Format::Webp]
    } else {
        &[Format::Png]
    };
    if !allowed.contains(&format) || (input.humanize && format != Format::Png) {
        let endings = if others && !input.humanize {
            ".png, .jpg or .webp"
        } else {
            ".png"
        };
        return Err(
            ToolError::invalid("output", format!("`{}` must end in {endings}", output.display()))
                .hint("use image_manipulation convert for other formats"),
        );
    }
    Ok(Names {
        paths: numbered(&folder.join(output), input.count),
        format: Some(format),
    })
}

/// `a.png`, `a-2.png`, and so on.
fn numbered(first: &Path, count: u32) -> Vec<PathBuf> {
    let stem = first
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let ending = first
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    (1..=count)
        .map(|number| match number {
            1 => first.to_owned(),
            _ => first.with_file_name(format!("{stem}-{number}.{ending}")),
        })
        .collect()
}

/// Whether something lies there under any name that a picture of that stem can get.
fn is_taken(path: &Path) -> bool {
    ENDINGS.iter().any(|ending| path.with_extension(ending).exists())
}

/// The name of a file as the replaced script chose it: by who made the picture.
pub fn as_before(path: &Path, provider: Provider) -> PathBuf {
    let stem = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let maker = match provider {
        Provider::Stability => "humanized",
        other => other.name(),
    };
    let ending = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    path.with_file_name(format!("{stem}_{maker}.{ending}"))
}

/// Local time in the script's form.
fn stamp(ctx: &Context) -> String {
    ctx.now()
        .to_zoned(host_zone())
        .strftime("%Y%m%d%H%M%S")
        .to_string()
}

/// The script's name of a prompt: its first 50 characters, blanks and slashes as underscores. What a file name had
/// better not hold is left out, which the script did not do.
fn old_stem(prompt: &str) -> String {
    let kept = |character: char| match character {
        ' ' | '/' => Some('_'),
        character if character.is_alphanumeric() || "-_,'&+()".contains(character) => Some(character),
        _ => None,
    };
    let stem: String = prompt.chars().take(50).filter_map(kept).collect();
    let stem = stem.trim_start_matches(['-', '_']);
    if stem.is_empty() {
        "picture".to_owned()
    } else {
        stem.to_owned()
    }
}

/// A file name from the first words of a prompt: letters and digits of any script, joined by dashes.
fn stem(prompt: &str, seed: u64) -> String {
    let mut out = String::new();
    for character in prompt.chars().take(50) {
        if character.is_alphanumeric() {
            out.extend(character.to_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    let stem = out.trim_end_matches('-');
    let stem = if stem.is_empty() { "picture" } else { stem };
    format!("{stem}_{seed}")
}

#[cfg(test)]
mod tests {
    use app_core::Definition;

    use super::*;

    fn of(json: &str) -> ToolResult<Names> {
        let dir = tempfile::tempdir().unwrap();
        let ctx = Context::detached(Definition::new("t", "0", "test", "marketing"), dir.path()).unwrap();
        names(&serde_json::from_str(json).unwrap(), &ctx)
    }

    #[test]
    fn names_follow_the_prompt_and_are_safe() {
        let found = of(r#"{"prompt":"../A \"cat\": on/the\nroof","count":2,"output_dir":"c"}"#).unwrap();
        assert_eq!(
            found.paths,
            [
                PathBuf::from("c/a-cat-on-the-roof_1.png"),
                PathBuf::from("c/a-cat-on-the-roof_1-2.png")
            ]
        );
        assert_eq!(
            of(r#"{"prompt":"Кот","seed":7}"#).unwrap().paths,
            [PathBuf::from("кот_7.png")]
        );
        assert!(of(r#"{"prompt":"x","output":"a.jpg"}"#).is_err());
        assert!(of(r#"{"prompt":"x","output":"a.gif","provider":"openai"}"#).is_err());
        let paid = of(r#"{"prompt":"x","output":"a.jpg","provider":"openai"}"#).unwrap();
        assert_eq!(paid.format, Some(Format::Jpeg));
    }

    #[test]
    fn names_of_the_script_are_kept_but_for_what_no_file_name_should_hold() {
        assert_eq!(
            old_stem("A cup of tea/in \"spring\": \n.."),
            "A_cup_of_tea_in_spring_"
        );
        assert_eq!(old_stem("../../etc"), "etc");
        assert_eq!(old_stem("чай ".repeat(20).trim()).chars().count(), 50);
        let path = as_before(Path::new("d/tea_20260102030405.png"), Provider::Stability);
        assert_eq!(path, PathBuf::from("d/tea_20260102030405_humanized.png"));
        let path = as_before(Path::new("tea_1.png"), Provider::Gemini);
        assert_eq!(path, PathBuf::from("tea_1_gemini.png"));
    }

    #[test]
    fn what_was_paid_for_is_not_written_over() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("tea_1.jpg"), "paid").unwrap();
        let folder = dir.path().display().to_string();
        let json =
            |provider: &str| format!(r#"{{"prompt":"tea","provider":"{provider}","output_dir":{folder:?}}}"#);
        assert!(of(&json("gemini")).unwrap().paths[0].ends_with("tea_1_2.png"));
        assert!(of(&json("canvas")).unwrap().paths[0].ends_with("tea_1.png"));
    }
}
