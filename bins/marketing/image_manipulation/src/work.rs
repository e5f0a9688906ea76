//! What an action does to one image, settled once before the first is opened.

use std::path::Path;

use app_core::{Context, ToolResult};
use raster::{
    EncodeOptions, Format, Limits, Picture, Pixels, Shown, decode, each_frame, encode, encode_gif,
    strip_metadata,
};

use crate::{
    actions::Input,
    change::{cropped, marked, narrowed, resized, rotated, thumbnail, too_large},
    compress,
    files::Files,
    text::Caption,
};

/// Changes the pixels of one image or frame; may add a note for people to read.
type Change = Box<dyn Fn(Pixels, &mut Vec<String>) -> ToolResult<Pixels> + Send + Sync>;

/// What is done to each image.
enum Step {
    /// The pixels change.
    Change(Change),
    /// The file is written anew without metadata.
    Strip,
    /// The file is made to fit a number of bytes.
    Compress { max_bytes: u64, min_quality: u8 },
}

/// An action with everything it needs beside the images.
pub struct Work {
    /// Files and formats.
    pub files: Files,
    /// Files that the action reads beside the images.
    pub beside: Vec<std::path::PathBuf>,
    step: Step,
    /// Metadata is left out.
    bare: bool,
    best: bool,
    limits: Limits,
}

/// The result for one image.
pub struct Made {
    /// The new file.
    pub bytes: Vec<u8>,
    /// Its size in pixels.
    pub size: (u32, u32),
    /// JPEG quality that `compress` chose.
    pub quality: Option<u8>,
    /// What could not be done as people would expect.
    pub notes: Vec<String>,
}

impl Work {
    /// Settles what the action does, and reads the files it names beside the images.
    pub fn prepare(input: Input, ctx: &Context) -> ToolResult<Self> {
        let most = |files: &Files| Limits {
            max_pixels: files.max_pixels,
            ..Limits::default()
        };
        let change = |files: &Files, change: Change| (files.clone(), Step::Change(change), Vec::new());
        let (mut bare, mut best) = (false, false);
        let (files, step, beside) = match input {
            Input::Resize(action) => {
                let limits = most(&action.files);
                change(
                    &action.files.clone(),
                    Box::new(move |p, notes| resized(p, &action, &limits, notes)),
                )
            }
            Input::Watermark(action) => {
                let limits = most(&action.files);
                let path = action.watermark.clone();
                let bytes = ctx.read(&path, limits.max_file)?;
                let mark = decode(&bytes, &path.display().to_string(), &limits)
                    .map_err(|e| e.field("watermark"))?
                    .into_srgb()
                    .into_rgba();
                let files = action.files.clone();
                let step = Step::Change(Box::new(move |p, notes| {
                    marked(narrowed(p, notes), &action, &mark)
                }));
                (files, step, vec![path])
            }
            Input::Crop(action) => change(&action.files.clone(), Box::new(move |p, _| cropped(p, &action))),
            Input::Rotate(action) => {
                let limits = most(&action.files);
                change(
                    &action.files.clone(),
                    Box::new(move |p, notes| rotated(p, &action, &limits, notes)),
                )
            }
            Input::Text(action) => {
                let files = action.files.clone();
                let beside = action.font.iter().cloned().collect();
                let font = action
                    .font
                    .as_ref()
                    .map(|path| ctx.read(path, 64 << 20))
                    .transpose()?;
                let caption = Caption::new(action, font)?;
                let step = Step::Change(Box::new(move |p, notes| {
                    let p = narrowed(p, notes);
                    caption.write(p, notes)
                }));
                (files, step, beside)
            }
            Input::Convert(action) => {
                best = action.best;
                change(&action.files, Box::new(|p, _| Ok(p)))
            }
            Input::Strip(action) => {
                bare = true;
                (action.files, Step::Strip, Vec::new())
            }
            Input::Thumbnail(action) => {
                bare = true;
                change(&action.files.clone(), Box::new(move |p, _| thumbnail(p, &action)))
            }
            Input::Compress(action) => {
                let (max_bytes, min_quality) = (action.max_bytes, action.min_quality);
                let step = Step::Compress {
                    max_bytes,
                    min_quality,
                };
                (action.files, step, Vec::new())
            }
        };
        let bare = bare || files.strip;
        let limits = most(&files);
        Ok(Self {
            files,
            beside,
            step,
            bare,
            best,
            limits,
        })
    }

    /// What an image may cost.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Applies the action to the file content `bytes` called `path`, to be written as `format`.
    pub fn apply(&self, bytes: &[u8], path: &Path, format: Format) -> ToolResult<Made> {
        let name = path.display().to_string();
        let mut picture = decode(bytes, &name, &self.limits)?;
        let size = (picture.pixels.width(), picture.pixels.height());
        let same = |bytes: Vec<u8>| Made {
            bytes,
            size,
            quality: None,
            notes: Vec::new(),
        };
        if let Step::Strip = self.step
            && picture.format == format
            && !self.files.strip
            && let Some(bytes) = strip_metadata(bytes, format)
        {
            return Ok(same(bytes));
        }
        if let Step::Compress { max_bytes, .. } = self.step
            && bytes.len() as u64 <= max_bytes
            && picture.format == format
            && !self.bare
        {
            return Ok(same(bytes.to_vec()));
        }
        // Without a profile the colours would change, so they are converted first.
        if self.files.strip || !format.has_profile() {
            picture = picture.in_srgb();
        }
        let mut notes = std::mem::take(&mut picture.notes);
        if !self.bare {
            notes.append(&mut picture.lost);
        }
        let options = self.options(&mut picture, format, &mut notes);
        match &self.step {
            Step::Change(change) if picture.frames > 1 && format == Format::Gif => {
                self.animated(bytes, &name, change, &options, notes)
            }
            _ => {
                if picture.frames > 1 {
                    notes.push(format!(
                        "it has {} frames; only the first is used",
                        picture.frames
                    ));
                }
                self.still(picture.pixels, format, &options, notes)
            }
        }
    }

    fn options(&self, picture: &mut Picture, format: Format, notes: &mut Vec<String>) -> EncodeOptions {
        let metadata = std::mem::take(&mut picture.metadata);
        let options = EncodeOptions {
            quality: self.files.quality,
            background: self.files.background,
            // A colour profile is not metadata in the way a location is: without it the colours would change.
            icc: picture.icc.take(),
            metadata: if self.bare {
                raster::Metadata::default()
            } else {
                metadata
            },
            best: self.best,
            progressive: self.best,
        };
        notes.extend(options.left_out(&picture.pixels, format));
        options
    }

    fn still(
        &self,
        pixels: Pixels,
        format: Format,
        options: &EncodeOptions,
        mut notes: Vec<String>,
    ) -> ToolResult<Made> {
        let pixels = match &self.step {
            Step::Change(change) => change(pixels, &mut notes)?,
            Step::Strip => pixels,
            Step::Compress {
                max_bytes,
                min_quality,
            } => {
                let options = EncodeOptions {
                    quality: 95,
                    ..options.clone()
                };
                let fitted = compress::fit(&pixels, format, *max_bytes, *min_quality, &options)?;
                return Ok(Made {
                    bytes: fitted.bytes,
                    size: fitted.size,
                    quality: fitted.quality,
                    notes,
                });
            }
        };
        let size = (pixels.width(), pixels.height());
        Ok(Made {
            bytes: encode(pixels, format, options)?,
            size,
            quality: None,
            notes,
        })
    }

    /// Every frame changed in the same way.
    fn animated(
        &self,
        bytes: &[u8],
        name: &str,
        change: &Change,
        options: &EncodeOptions,
        mut notes: Vec<String>,
    ) -> ToolResult<Made> {
        let mut frames: Vec<Shown> = Vec::new();
        let mut total = 0u64;
        let plays = each_frame(bytes, name, &self.limits, &mut |frame| {
            let mut said = Vec::new();
            let pixels = change(frame.pixels, &mut said)?;
            let pixels = Pixels::Rgba(pixels.into_rgba());
            if frames.is_empty() {
                notes.append(&mut said);
            }
            total += u64::from(pixels.width()) * u64::from(pixels.height());
            if total > self.limits.max_pixels.min(100_000_000) {
                return Err(too_large(pixels.width(), pixels.height()));
            }
            frames.push(Shown { pixels, ..frame });
            Ok(())
        })?;
        let size = frames
            .first()
            .map(|f| (f.pixels.width(), f.pixels.height()))
            .unwrap_or_default();
        Ok(Made {
            bytes: encode_gif(frames, plays, &options.metadata)?,
            size,
            quality: None,
            notes,
        })
    }
}
