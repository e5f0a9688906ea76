//! Pictures, animations, videos and pages of a run, each once, and the table of its files.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use app_core::Context;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    hidden::Hidden,
    media::{self, Embed},
    picture,
    run::{File, Run, Step},
    words::{human_bytes, titled},
};

/// Largest file that is put into the report; larger ones are linked.
const MAX_EMBEDDED_BYTES: u64 = 20_000_000;

/// Where a report lies, and how it is made.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Folder of the run.
    pub folder: &'a Path,
    /// The report.
    pub report: &'a Path,
    /// Whether pictures go in.
    pub embed: Embed,
    /// Paper as CSS says it.
    pub paper: &'static str,
    /// Whether it goes on paper.
    pub print: bool,
    /// Pictures of the pages of the run, by their path in it.
    pub pages: &'a HashMap<String, Vec<u8>>,
}

/// One thing to look at.
#[derive(Debug, Serialize)]
pub struct Figure {
    /// `picture`, `moving`, `video` or `page`.
    pub kind: &'static str,
    /// Where the picture is; none for a page of which there is none.
    address: Option<String>,
    title: String,
    caption: String,
    size: String,
    /// What is not as in the file.
    note: Option<String>,
    link: Option<String>,
}

/// One row of the table of files.
#[derive(Debug, Serialize)]
pub struct FileRow {
    name: String,
    link: Option<String>,
    media_type: String,
    role: String,
    step: String,
    tool: String,
    made_from: Vec<String>,
    size: String,
    sha256: String,
    changed: Option<&'static str>,
}

/// All files of a run, as they are shown.
#[derive(Debug, Default)]
pub struct Gallery {
    /// Pictures that are wider than high, animations and videos.
    pub wide: Vec<Figure>,
    /// Pictures that stand upright.
    pub tall: Vec<Figure>,
    /// Pages.
    pub pages: Vec<Figure>,
    /// The table.
    pub files: Vec<FileRow>,
    /// How many of them are in the report itself.
    pub embedded: usize,
    /// Files that are not there.
    pub missing: Vec<String>,
    /// Files that are shown, by their place in the run.
    shown: HashSet<String>,
}

impl Gallery {
    /// Reads the files of a run.
    pub fn of(ctx: &Context, run: &Run, place: Place<'_>, hidden: &Hidden) -> app_core::ToolResult<Self> {
        let mut gallery = Self::default();
        for step in &run.steps {
            for file in &step.artifacts {
                ctx.check_cancelled()?;
                gallery.add(ctx, step, file, place, hidden);
            }
        }
        Ok(gallery)
    }

    /// Adds one file to what is looked at and to the table.
    fn add(&mut self, ctx: &Context, step: &Step, file: &File, place: Place<'_>, hidden: &Hidden) {
        let found = locate(place.folder, &file.path);
        let name = Path::new(&file.path)
            .file_name()
            .map_or_else(|| file.path.clone(), |n| n.to_string_lossy().into());
        let media_type = match file.media_type.as_str() {
            "" => media::media_type(Path::new(&file.path)).unwrap_or("").to_owned(),
            stated => stated.to_owned(),
        };
        let bytes = found
            .as_ref()
            .and_then(|path| ctx.read(path, MAX_EMBEDDED_BYTES).ok());
        if found.is_none() {
            self.missing.push(hidden.source(&file.path));
        }
        let link = found.as_ref().map(|path| media::relative(path, place.report));
        let seen = Seen {
            name,
            size: human_bytes(match (&bytes, file.bytes) {
                (Some(bytes), 0) => bytes.len() as u64,
                (_, stated) => stated,
            }),
            media_type,
            changed: changed(file, found.is_some(), bytes.as_deref()),
            sources: file.sources().iter().map(|one| hidden.source(one)).collect(),
            bytes,
            link,
        };
        self.look(step, file, place, hidden, &seen);
        // What a manifest says is what this table says.
        if file.role != "manifest" {
            self.files.push(seen.row(step, file, place.print));
        }
    }

    /// Shows a picture, video or page. A picture that is another one in another size is shown once.
    fn look(&mut self, step: &Step, file: &File, place: Place<'_>, hidden: &Hidden, seen: &Seen) {
        let kind = match seen.media_type.as_str() {
            "image/gif" => "moving",
            "text/html" => "page",
            other if other.starts_with("image/") => "picture",
            other if other.starts_with("video/") => "video",
            _ => return,
        };
        let again = kind == "picture" && seen.sources.len() == 1 && self.shown.contains(&seen.sources[0]);
        let aside = file.role == "manifest" || file.role == "sidecar";
        if kind == "picture" {
            self.shown.insert(hidden.source(&file.path));
        }
        let Some(link) = seen.link.as_ref().filter(|_| !again && !aside) else {
            return;
        };
        let inside = seen.bytes.as_ref().filter(|_| place.embed == Embed::DataUrl);
        self.embedded += usize::from(inside.is_some());
        let (address, note) = match (kind, inside) {
            ("page", _) => {
                let png = place.pages.get(&file.path);
                let made = png.map(|png| picture::inside("image/png", "page.png", png).address);
                (made, None)
            }
            ("picture" | "moving", Some(bytes)) => {
                let made = picture::inside(&seen.media_type, &seen.name, bytes);
                (Some(made.address), made.note)
            }
            (_, Some(bytes)) => (Some(media::data_url(&seen.media_type, bytes)), None),
            (_, None) => (Some(link.clone()), None),
        };
        let figure = Figure {
            kind,
            address,
            title: seen.title(step, kind),
            caption: seen.name.clone(),
            size: seen.size.clone(),
            // What moves on a screen stands still on paper.
            note: match kind {
                "moving" if place.print => Some("an animation; this is its first frame".to_owned()),
                _ => note,
            },
            link: (!place.print).then(|| link.clone()),
        };
        let upright = || {
            let size = picture::size(&seen.name, seen.bytes.as_deref().unwrap_or_default());
            size.is_some_and(|(width, height)| height > width)
        };
        match kind {
            "page" => self.pages.push(figure),
            "picture" if upright() => self.tall.push(figure),
            _ => self.wide.push(figure),
        }
    }
}

/// What is known of a file once it was looked at.
struct Seen {
    name: String,
    size: String,
    media_type: String,
    changed: Option<&'static str>,
    sources: Vec<String>,
    bytes: Option<Vec<u8>>,
    link: Option<String>,
}

impl Seen {
    fn row(&self, step: &Step, file: &File, print: bool) -> FileRow {
        FileRow {
            name: self.name.clone(),
            link: self.link.clone().filter(|_| !print),
            media_type: self.media_type.clone(),
            role: file.role.clone(),
            step: step.id.clone(),
            tool: format!("{} {}", step.tool, step.version).trim().to_owned(),
            made_from: self
                .sources
                .iter()
                .map(|source| source.strip_prefix("steps/").unwrap_or(source).to_owned())
                .collect(),
            size: self.size.clone(),
            sha256: file.sha256.chars().take(12).collect(),
            changed: self.changed,
        }
    }

    /// What it is called: the title of the page, what the step was asked to write on the picture, else the step's name.
    fn title(&self, step: &Step, kind: &str) -> String {
        let asked = step.input.as_ref().and_then(|input| input.get("title")?.as_str());
        let own = match kind {
            "page" => self.bytes.as_deref().and_then(media::page_title),
            _ => asked.filter(|text| !text.trim().is_empty()).map(str::to_owned),
        };
        let step_title = step.title.clone().unwrap_or_else(|| titled(&step.id));
        let several = step.artifacts.iter().filter(|file| file.role == "output").count() > 1;
        match own {
            Some(title) => title,
            None if several => format!("{step_title} – {}", self.name),
            None => step_title,
        }
    }
}

/// Why a file is not what the run made.
fn changed(file: &File, there: bool, bytes: Option<&[u8]>) -> Option<&'static str> {
    match bytes {
        _ if !there => Some("the file is missing"),
        Some(bytes) if !file.sha256.is_empty() && hex::encode(Sha256::digest(bytes)) != file.sha256 => {
            Some("the file has changed since the run")
        }
        _ => None,
    }
}

/// A file of the run. Only files below the run directory are shown, links followed.
pub fn locate(folder: &Path, path: &str) -> Option<PathBuf> {
    let given = Path::new(path);
    let inside = |candidate: &Path| {
        let real = candidate.canonicalize().ok()?;
        (real.is_file() && real.starts_with(folder.canonicalize().ok()?)).then(|| candidate.to_owned())
    };
    // Paths may be as the runner's working directory saw them.
    inside(&folder.join(given))
        .or_else(|| inside(given))
        .or_else(|| inside(&folder.join(given.file_name()?)))
}
