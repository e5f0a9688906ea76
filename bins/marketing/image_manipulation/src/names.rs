//! Which files go in, and what the results are called. No result ever lands on an input by accident.

use std::{
    collections::{HashMap, HashSet},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use app_core::{ErrorKind, ToolError, ToolResult};
use raster::Format;

use crate::files::Files;

/// One image to be worked on.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Where it is read.
    pub input: PathBuf,
    /// Where the result goes.
    pub output: PathBuf,
    /// Format of the result.
    pub format: Format,
}

/// All jobs, with every name checked before the first image is opened.
/// `beside` are further files that the action reads.
pub fn jobs(files: &Files, beside: &[PathBuf]) -> ToolResult<Vec<Job>> {
    let inputs = expand(&files.images)?;
    let mut jobs = Vec::with_capacity(inputs.len());
    for (index, input) in inputs.iter().enumerate() {
        let (output, format) = name(files, input, index, inputs.len())?;
        jobs.push(Job {
            input: input.clone(),
            output,
            format,
        });
    }
    check(files, &jobs, beside)?;
    Ok(jobs)
}

fn expand(images: &[String]) -> ToolResult<Vec<PathBuf>> {
    let mut found = Vec::new();
    for (index, name) in images.iter().enumerate() {
        let field = format!("images[{index}]");
        let path = Path::new(name);
        if path.is_dir() {
            let entries =
                std::fs::read_dir(path).map_err(|e| ToolError::file("read", path, &e).field(&field))?;
            let mut inside: Vec<PathBuf> = entries
                .flatten()
                .map(|e| e.path())
                .filter(|p| is_picture(p))
                .collect();
            if inside.is_empty() {
                return Err(ToolError::not_found(format!("no images in the folder `{name}`")).field(field));
            }
            inside.sort();
            found.append(&mut inside);
        } else if path.exists() {
            found.push(path.to_owned());
        } else if name.contains(['*', '?', '[']) {
            let pattern = glob::glob(name)
                .map_err(|e| ToolError::invalid(&field, format!("`{name}` is not a pattern: {}", e.msg)))?;
            let inside: Vec<PathBuf> = pattern.flatten().filter(|p| p.is_file()).collect();
            if inside.is_empty() {
                return Err(ToolError::not_found(format!("no file matches `{name}`")).field(field));
            }
            found.extend(inside);
        } else {
            return Err(ToolError::not_found(format!("input image `{name}` does not exist")).field(field));
        }
    }
    Ok(found)
}

fn is_picture(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    path.is_file() && Format::from_extension(extension).is_some()
}

fn text(part: Option<&std::ffi::OsStr>) -> String {
    part.map(|p| p.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The format the result gets when neither `format` nor a name says it.
fn own_format(input: &Path) -> Format {
    Format::from_extension(&text(input.extension())).unwrap_or(Format::Png)
}

fn name(files: &Files, input: &Path, index: usize, count: usize) -> ToolResult<(PathBuf, Format)> {
    let format_of = |output: &Path, field: &str| match files.format {
        Some(format) => Ok(format),
        None => Format::from_path(output, field),
    };
    match (&files.output, &files.output_dir) {
        (Some(_), Some(_)) => {
            Err(ToolError::invalid("output_dir", "output and output_dir exclude each other").field("output"))
        }
        (None, Some(folder)) => {
            let format = files.format.unwrap_or_else(|| own_format(input));
            let kept = files
                .format
                .is_none_or(|f| Format::from_extension(&text(input.extension())) == Some(f));
            let file = if kept && input.extension().is_some() {
                text(input.file_name())
            } else {
                format!("{}.{}", text(input.file_stem()), format.extension())
            };
            Ok((folder.join(file), format))
        }
        (Some(output), None) => {
            let pattern = output.to_string_lossy();
            if !pattern.contains('{') {
                if count > 1 {
                    return Err(ToolError::invalid(
                        "output",
                        format!("one output `{pattern}` for {count} images"),
                    )
                    .hint("use a pattern such as `small/{stem}.{ext}`, or --output-dir"));
                }
                return Ok((output.clone(), format_of(output, "output")?));
            }
            let extension = files
                .format
                .map_or_else(|| own_format(input).extension(), Format::extension);
            let filled = pattern
                .replace("{stem}", &text(input.file_stem()))
                .replace("{name}", &text(input.file_name()))
                .replace("{ext}", extension)
                .replace("{index}", &format!("{:03}", index + 1))
                .replace(
                    "{dir}",
                    &input
                        .parent()
                        .map(|p| p.display().to_string())
                        .filter(|d| !d.is_empty())
                        .unwrap_or_else(|| ".".to_owned()),
                );
            let output = PathBuf::from(filled);
            let format = format_of(&output, "output")?;
            Ok((output, format))
        }
        (None, None) if files.in_place => Ok((
            input.to_owned(),
            files.format.unwrap_or_else(|| own_format(input)),
        )),
        (None, None) => Err(ToolError::invalid("output", "no output given")
            .hint("use --output FILE, --output-dir FOLDER or --in-place")),
    }
}

/// The file behind a name, whatever links and spellings lead to it.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let metadata = path.metadata().ok()?;
    Some((metadata.dev(), metadata.ino()))
}

fn check(files: &Files, jobs: &[Job], beside: &[PathBuf]) -> ToolResult<()> {
    let mut taken: HashMap<PathBuf, &Path> = HashMap::new();
    let inputs: HashSet<(u64, u64)> = jobs
        .iter()
        .map(|job| job.input.as_path())
        .chain(beside.iter().map(PathBuf::as_path))
        .filter_map(identity)
        .collect();
    for job in jobs {
        let shown = job.output.display();
        if let Some(other) = taken.insert(job.output.clone(), &job.input) {
            return Err(ToolError::new(
                ErrorKind::Conflict,
                format!(
                    "`{}` and `{}` would both become `{shown}`",
                    other.display(),
                    job.input.display()
                ),
            )
            .field("output")
            .hint("use {stem}, {dir} or {index} in the output"));
        }
        if job.output.is_dir() {
            return Err(
                ToolError::invalid("output", format!("`{shown}` is a directory")).hint("use --output-dir")
            );
        }
        let Some(existing) = identity(&job.output) else {
            continue;
        };
        if files.no_clobber {
            return Err(
                ToolError::new(ErrorKind::Conflict, format!("`{shown}` exists already")).field("output"),
            );
        }
        // In place means an image's own file; another one's would be lost before or after it is read.
        let own = files.in_place && identity(&job.input) == Some(existing);
        if !own && inputs.contains(&existing) {
            return Err(ToolError::new(
                ErrorKind::Conflict,
                format!("`{shown}` is an input and would be lost"),
            )
            .code("would_overwrite_input")
            .field("output")
            .hint("choose another name, or allow it with --in-place"));
        }
    }
    Ok(())
}
