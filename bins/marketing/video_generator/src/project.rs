//! Everything that a video needs, looked at before its first frame: files, fonts, texts.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use app_core::{
    Context, ErrorKind, Source, ToolError, ToolResult,
    files::{sha256, sha256_of},
};
use raster::{Limits, Pixels, decode};
use vector::Typeface;

use crate::{
    lettering,
    spec::{Size, Spec},
    timeline::{Mistake, Timeline},
};

/// Largest font file.
const MAX_FONT: u64 = 64 << 20;
/// Largest sound file.
const MAX_SOUND: u64 = 2 << 30;

/// A video that can be drawn.
#[derive(Debug)]
pub struct Project {
    /// As it was described.
    pub spec: Spec,
    /// In frames.
    pub timeline: Timeline,
    /// Size of the frames.
    pub size: Size,
    /// Letters for all its texts.
    pub face: Typeface,
    /// Caption of each scene, drawn as SVG.
    pub captions: Vec<Option<String>>,
    /// Card of each scene, drawn as SVG.
    pub cards: Vec<Option<String>>,
    /// The music file.
    pub music: Option<PathBuf>,
    /// What could not be done as one would expect.
    pub warnings: Vec<String>,
    /// Whether a text has characters that no font has.
    pub lacks_glyphs: bool,
    base: PathBuf,
    hashes: BTreeMap<PathBuf, String>,
}

impl Project {
    /// Looks at everything that `spec` names, from the folder `base` on. Every picture is decoded once, so that none
    /// fails in the middle of the video.
    pub fn gather(spec: Spec, base: &Path, strict: bool, ctx: &Context) -> ToolResult<Self> {
        let timeline = Timeline::of(&spec).map_err(ToolError::invalid_fields)?;
        let size = spec.size();
        let font = match &spec.captions.font {
            Some(path) => Some(ctx.read(base.join(path), MAX_FONT)?),
            None => None,
        };
        let face = Typeface::for_text(&texts(&spec), font.as_deref())?;
        let mut project = Self {
            timeline,
            size,
            face,
            captions: Vec::new(),
            cards: Vec::new(),
            music: None,
            warnings: Vec::new(),
            lacks_glyphs: false,
            base: base.to_owned(),
            hashes: BTreeMap::new(),
            spec,
        };
        if let (Some(path), Some(font)) = (&project.spec.captions.font, &font) {
            project.hashes.insert(base.join(path), sha256(font));
        }
        project.letter(strict)?;
        project.look(ctx)?;
        Ok(project)
    }

    /// What it is made from, each once.
    pub fn sources(&self) -> Vec<Source> {
        self.hashes
            .iter()
            .map(|(path, sha256)| Source {
                name: path.display().to_string(),
                sha256: Some(sha256.clone()),
            })
            .collect()
    }

    /// The picture of a scene, decoded, upright, in sRGB and opaque.
    pub fn picture(&self, path: &Path, ctx: &Context) -> ToolResult<Pixels> {
        let path = self.base.join(path);
        let bytes = ctx.read(&path, Limits::default().max_file)?;
        if self
            .hashes
            .get(&path)
            .is_some_and(|known| *known != sha256(&bytes))
        {
            return Err(ToolError::new(
                ErrorKind::Conflict,
                format!("`{}` was changed while the video was made", path.display()),
            ));
        }
        self.opaque(&bytes, &path).map(|(picture, _)| picture)
    }

    fn opaque(&self, bytes: &[u8], path: &Path) -> ToolResult<(Pixels, Vec<String>)> {
        let mut picture = decode(bytes, &path.display().to_string(), &Limits::default())?;
        let mut notes = std::mem::take(&mut picture.notes);
        if picture.frames > 1 {
            notes.push(format!(
                "only the first of its {} frames is shown",
                picture.frames
            ));
        }
        let rgb = picture.into_srgb().into_rgb(self.spec.background);
        Ok((Pixels::Rgb(rgb), notes))
    }

    /// Lays out captions and cards.
    fn letter(&mut self, strict: bool) -> ToolResult<()> {
        let mut mistakes: Vec<Mistake> = Vec::new();
        for (index, scene) in self.spec.scenes.iter().enumerate() {
            let mut take = |field: &str, made: ToolResult<Option<String>>| match made {
                Ok(svg) => Ok(svg),
                Err(error) if error.code == "text_does_not_fit" => {
                    mistakes.push((format!("scenes[{index}].{field}"), error.message));
                    Ok(None)
                }
                Err(error) => Err(error),
            };
            let text = scene.caption.as_deref().unwrap_or_default();
            let caption = lettering::caption(text, &self.spec.captions, &self.face, self.size);
            self.captions.push(take("caption", caption)?);
            let card = scene.card.as_ref();
            let card = card
                .map(|card| lettering::card(card, &self.face, self.size))
                .transpose();
            self.cards.push(take("card", card)?);
        }
        if !mistakes.is_empty() {
            return Err(ToolError::invalid_fields(mistakes));
        }
        if let Some(warning) = self.face.warning() {
            if strict {
                return Err(ToolError::invalid("scenes", warning).code("missing_glyphs"));
            }
            self.lacks_glyphs = true;
            self.warnings.push(warning);
        }
        Ok(())
    }

    /// Looks at the pictures and the music; tells everything that is wrong with them at once.
    fn look(&mut self, ctx: &Context) -> ToolResult<()> {
        let mut failed: Vec<(String, ToolError)> = Vec::new();
        for (index, scene) in self.spec.scenes.iter().enumerate() {
            ctx.check_cancelled()?;
            let Some(path) = scene.image.as_ref().map(|path| self.base.join(path)) else {
                continue;
            };
            if self.hashes.contains_key(&path)
                || failed
                    .iter()
                    .any(|(_, e)| e.message.contains(&format!("`{}`", path.display())))
            {
                continue;
            }
            let looked = ctx.read(&path, Limits::default().max_file).and_then(|bytes| {
                let (_, notes) = self.opaque(&bytes, &path)?;
                Ok((sha256(&bytes), notes))
            });
            match looked {
                Ok((hash, notes)) => {
                    let shown = path.display();
                    self.warnings
                        .extend(notes.iter().map(|note| format!("`{shown}`: {note}")));
                    self.hashes.insert(path, hash);
                }
                Err(error) => failed.push((format!("scenes[{index}].image"), error)),
            }
        }
        if let Some(music) = &self.spec.music {
            let path = self.base.join(&music.file);
            ctx.reads(&path);
            match hashed(&path) {
                Ok(hash) => {
                    self.hashes.insert(path.clone(), hash);
                    self.music = Some(path);
                }
                Err(error) => failed.push(("music.file".to_owned(), error)),
            }
        }
        match failed.len() {
            0 => Ok(()),
            1 => {
                let (field, error) = failed.remove(0);
                let message = format!("`{field}`: {}", error.message);
                Err(ToolError { message, ..error }.field(field))
            }
            _ => {
                // One kind where all agree: only missing files are `not_found`.
                let kind = failed[0].1.kind;
                let same = failed.iter().all(|(_, error)| error.kind == kind);
                let told = failed
                    .into_iter()
                    .map(|(field, error)| (field, format!("cannot be used: {}", error.message)));
                let mut error = ToolError::invalid_fields(told.collect());
                if same {
                    error.kind = kind;
                    error.code = kind.as_str().to_owned();
                }
                Err(error)
            }
        }
    }
}

/// The hash of a sound file; a device or a pipe might never end.
fn hashed(path: &Path) -> ToolResult<String> {
    let facts = std::fs::metadata(path).map_err(|e| ToolError::file("read", path, &e))?;
    let shown = path.display();
    if !facts.is_file() {
        return Err(ToolError::new(
            ErrorKind::InvalidInput,
            format!("`{shown}` is not a file"),
        ));
    }
    if facts.len() > MAX_SOUND {
        let told = format!("`{shown}` has {} bytes; the most is {MAX_SOUND}", facts.len());
        return Err(ToolError::new(ErrorKind::InvalidInput, told));
    }
    sha256_of(path)
}

/// All texts that are drawn.
fn texts(spec: &Spec) -> String {
    let mut all = String::new();
    for scene in &spec.scenes {
        let card = scene.card.as_ref();
        let parts = [
            scene.caption.as_deref(),
            card.map(|card| card.title.as_str()),
            card.and_then(|card| card.text.as_deref()),
        ];
        for part in parts.into_iter().flatten() {
            all.push_str(part);
            all.push('\n');
        }
    }
    all
}
