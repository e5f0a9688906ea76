//! Pictures that go along with a prompt.

use std::path::{Path, PathBuf};

use app_core::{Context, ToolError, ToolResult, files::sha256};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use raster::{Format, Limits, probe};
use web::http::Form;

/// Largest file, in bytes.
const LARGEST: u64 = 20 << 20;

/// A picture that goes along with a prompt.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Where it was read.
    pub path: PathBuf,
    /// The file as it is.
    pub bytes: Vec<u8>,
    /// Its SHA-256.
    pub sha256: String,
    format: Format,
    size: (u32, u32),
}

/// Reads the references, and the mask.
///
/// Fails with `invalid_input` naming the field for what is over 20 MB or neither PNG nor JPEG nor WebP: nobody takes
/// that, and it is said before anything is paid for.
pub fn read_all(
    first: Option<&PathBuf>,
    more: &[PathBuf],
    mask: Option<&PathBuf>,
    ctx: &Context,
) -> ToolResult<(Vec<Reference>, Option<Reference>)> {
    let mut references = Vec::new();
    if let Some(path) = first {
        references.push(Reference::read(path, "reference", ctx)?);
    }
    for (index, path) in more.iter().enumerate() {
        references.push(Reference::read(path, &format!("references[{index}]"), ctx)?);
    }
    let mask = mask.map(|path| Reference::read(path, "mask", ctx)).transpose()?;
    if mask.is_some() && references.is_empty() {
        return Err(ToolError::invalid(
            "mask",
            "a mask says where a reference may change, and there is no reference",
        ));
    }
    Ok((references, mask))
}

impl Reference {
    fn read(path: &Path, field: &str, ctx: &Context) -> ToolResult<Self> {
        let bytes = ctx.read(path, LARGEST).map_err(|error| {
            if error.code == "file_too_large" {
                ToolError::invalid(field, format!("`{}` is larger than 20 MB", path.display()))
                    .hint("image_manipulation makes it smaller")
            } else {
                error.field(field)
            }
        })?;
        let found =
            probe(&bytes, &path.display().to_string(), &Limits::default()).map_err(|e| e.field(field))?;
        if !matches!(found.format, Format::Png | Format::Jpeg | Format::Webp) {
            return Err(ToolError::invalid(
                field,
                format!(
                    "`{}` is {}; providers take PNG, JPEG and WebP",
                    path.display(),
                    found.format.media_type()
                ),
            )
            .hint("image_manipulation converts it"));
        }
        Ok(Self {
            path: path.to_owned(),
            sha256: sha256(&bytes),
            bytes,
            format: found.format,
            size: (found.width, found.height),
        })
    }

    /// Media type by its bytes.
    pub fn media_type(&self) -> &'static str {
        self.format.media_type()
    }

    /// As an address.
    pub fn data_address(&self) -> String {
        format!(
            "data:{};base64,{}",
            self.media_type(),
            STANDARD.encode(&self.bytes)
        )
    }

    /// As a part of a form. Its own name stays here.
    pub fn add_to(&self, form: Form, field: &str) -> Form {
        let name = format!("picture.{}", self.format.extension());
        form.file(field, &name, self.media_type(), self.bytes.clone())
    }

    /// Whether this is a mask for that picture. `Err` says why not.
    pub fn fits(&self, picture: Option<&Self>, less_than: usize) -> Result<(), String> {
        if self.format != Format::Png {
            return Err("takes a mask as PNG only".to_owned());
        }
        if self.bytes.len() >= less_than {
            return Err(format!("takes a mask of less than {} MB", less_than >> 20));
        }
        match picture {
            Some(picture) if picture.size == self.size => Ok(()),
            Some(picture) => Err(format!(
                "takes a mask of the size of its picture, {}x{}, not {}x{}",
                picture.size.0, picture.size.1, self.size.0, self.size.1
            )),
            None => Err("takes a mask with a reference only".to_owned()),
        }
    }
}
