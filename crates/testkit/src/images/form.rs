//! A reader of `multipart/form-data` that knows nothing of the writer under test.

/// One field of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Name.
    pub name: String,
    /// File name, where it is a file.
    pub file_name: Option<String>,
    /// Media type, where it says one.
    pub media_type: Option<String>,
    /// Content.
    pub bytes: Vec<u8>,
}

/// The boundary of a form by its content type; `None` where it is no form.
pub(super) fn boundary(content_type: &str) -> Option<String> {
    let rest = content_type.trim().strip_prefix("multipart/form-data")?;
    let value = rest
        .split(';')
        .find_map(|part| part.trim().strip_prefix("boundary="))?;
    Some(value.trim_matches('"').to_owned())
}

/// The fields of a form, in order. A body that does not end as a form ends has none.
pub(super) fn fields(body: &[u8], boundary: &str) -> Vec<Field> {
    let delimiter = format!("--{boundary}");
    let Some(mut rest) = body.strip_prefix(delimiter.as_bytes()) else {
        return Vec::new();
    };
    let between = format!("\r\n{delimiter}");
    let mut found = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return found;
        }
        let Some(part) = rest.strip_prefix(b"\r\n") else {
            return Vec::new();
        };
        let Some(end) = position(part, between.as_bytes()) else {
            return Vec::new();
        };
        let Some(field) = field(&part[..end]) else {
            return Vec::new();
        };
        found.push(field);
        rest = &part[end + between.len()..];
    }
}

fn field(part: &[u8]) -> Option<Field> {
    let end = position(part, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&part[..end]).ok()?;
    let header = |name: &str| {
        head.split("\r\n").find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let disposition = header("content-disposition")?;
    let parameter = |name: &str| {
        let parts = disposition.split(';').skip(1);
        parts
            .filter_map(|part| part.trim().split_once('='))
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.trim_matches('"').to_owned())
    };
    Some(Field {
        name: parameter("name")?,
        file_name: parameter("filename"),
        media_type: header("content-type"),
        bytes: part[end + 4..].to_vec(),
    })
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
