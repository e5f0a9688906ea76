//! Bodies of `multipart/form-data` (RFC 7578).

use app_core::contract::{ToolError, ToolResult};

use super::Request;

/// A form in the making: texts and files, in the order in which they are added.
#[derive(Clone, Debug, Default)]
pub struct Form {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
struct Part {
    name: String,
    file: Option<(String, String)>,
    bytes: Vec<u8>,
}

impl Form {
    /// Adds a text.
    pub fn text(mut self, name: &str, value: impl Into<String>) -> Self {
        self.parts.push(Part {
            name: name.to_owned(),
            file: None,
            bytes: value.into().into_bytes(),
        });
        self
    }

    /// Adds a file with its name and media type.
    pub fn file(mut self, name: &str, file_name: &str, media_type: &str, bytes: Vec<u8>) -> Self {
        self.parts.push(Part {
            name: name.to_owned(),
            file: Some((file_name.to_owned(), media_type.to_owned())),
            bytes,
        });
        self
    }

    /// The body with this boundary.
    fn body(&self, boundary: &str) -> Vec<u8> {
        let room: usize = self.parts.iter().map(|part| part.bytes.len() + 256).sum();
        let mut body = Vec::with_capacity(room);
        for part in &self.parts {
            let name = quoted(&part.name);
            let mut head = format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"");
            if let Some((file_name, media_type)) = &part.file {
                head.push_str(&format!("; filename=\"{}\"", quoted(file_name)));
                head.push_str(&format!("\r\ncontent-type: {}", one_line(media_type)));
            }
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(b"\r\n\r\n");
            body.extend_from_slice(&part.bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        body
    }

    fn holds(&self, boundary: &str) -> bool {
        let boundary = boundary.as_bytes();
        self.parts.iter().any(|part| {
            part.bytes
                .windows(boundary.len())
                .any(|window| window == boundary)
        })
    }
}

/// A name within quotes, as browsers write it: what would end the line or the quotes is percent-encoded.
fn quoted(name: &str) -> String {
    name.replace('\r', "%0D").replace('\n', "%0A").replace('"', "%22")
}

fn one_line(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).collect()
}

/// A boundary that stands in no part of the form.
fn boundary(form: &Form) -> ToolResult<String> {
    for _ in 0..8 {
        let mut random = [0_u8; 16];
        getrandom::fill(&mut random)
            .map_err(|error| ToolError::internal(format!("no random numbers: {error}")))?;
        let boundary = format!("onejob-{}", hex::encode(random));
        if !form.holds(&boundary) {
            return Ok(boundary);
        }
    }
    Err(ToolError::internal("every boundary stands in the form already"))
}

impl Request<'_> {
    /// Sets a form as the body.
    pub fn multipart(self, form: &Form) -> ToolResult<Self> {
        let boundary = boundary(form)?;
        self.body(form.body(&boundary)).header(
            "content-type",
            &format!("multipart/form-data; boundary={boundary}"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_written_as_the_rfc_says() {
        let form = Form::default().text("prompt", "tea\r\n--x").file(
            "image[]",
            "a\"\r\nb.png",
            "image/png\r\nx: y",
            vec![0, 255, 10],
        );
        let body = form.body("x");
        let expected = b"--x\r\ncontent-disposition: form-data; name=\"prompt\"\r\n\r\ntea\r\n--x\r\n\
            --x\r\ncontent-disposition: form-data; name=\"image[]\"; filename=\"a%22%0D%0Ab.png\"\r\n\
            content-type: image/pngx: y\r\n\r\n\x00\xff\n\r\n--x--\r\n";
        assert_eq!(body, expected);
        assert!(form.holds("--x") && !form.holds("onejob"));
    }

    #[test]
    fn every_form_has_a_boundary_of_its_own() {
        let form = Form::default().text("a", "b");
        assert_ne!(boundary(&form).unwrap(), boundary(&form).unwrap());
    }
}
