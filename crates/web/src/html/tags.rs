//! The tags of a page, after the tokenizer of the HTML standard (section 13.2.5), without their attributes.

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// Name, lower case.
    pub(super) name: String,
    /// Whether it is an end tag.
    pub(super) end: bool,
    /// Whether it ends with `/>`.
    pub(super) self_closing: bool,
    /// Attributes as written.
    pub(super) attributes: &'a str,
    /// How many attributes it has.
    pub(super) count: u64,
    /// Whether it has an attribute that makes a `font` in a picture one of HTML.
    pub(super) font: bool,
}

/// Elements whose content is text up to their end tag; `plaintext` has none.
const RAW: [&str; 10] = [
    "script",
    "style",
    "textarea",
    "title",
    "xmp",
    "iframe",
    "noembed",
    "noframes",
    "noscript",
    "plaintext",
];

/// Finds the tags of a page in order. Comments, scripts, sheets and texts hold none.
pub(super) struct Tags<'a> {
    html: &'a str,
    at: usize,
}

impl<'a> Tags<'a> {
    pub(super) fn new(html: &'a str) -> Self {
        Self { html, at: 0 }
    }

    fn behind(&self, mark: &str) -> usize {
        self.html[self.at..]
            .find(mark)
            .map_or(self.html.len(), |offset| self.at + offset + mark.len())
    }

    /// Passes over the comment whose `<!--` begins here.
    fn comment(&mut self) {
        self.at += 4;
        let rest = &self.html.as_bytes()[self.at..];
        if rest.starts_with(b">") || rest.starts_with(b"->") {
            self.at = self.behind(">");
            return;
        }
        let mut at = self.at;
        while let Some(offset) = self.html[at..].find("--") {
            let end = at + offset + 2;
            let behind = &self.html.as_bytes()[end..];
            if behind.starts_with(b">") || behind.starts_with(b"!>") {
                self.at = end;
                self.at = self.behind(">");
                return;
            }
            // The second dash may begin the end.
            at = end - 1;
        }
        self.at = self.html.len();
    }

    /// Reads attributes up to the end of the tag; `None` when the page ends first.
    fn attributes(&mut self) -> Option<(u64, bool, bool)> {
        let bytes = self.html.as_bytes();
        let (mut count, mut font) = (0, false);
        loop {
            while bytes.get(self.at).is_some_and(|byte| is_space(*byte)) {
                self.at += 1;
            }
            match bytes.get(self.at)? {
                b'>' => {
                    self.at += 1;
                    return Some((count, font, false));
                }
                b'/' => {
                    self.at += 1;
                    if bytes.get(self.at) == Some(&b'>') {
                        self.at += 1;
                        return Some((count, font, true));
                    }
                }
                _ => {
                    count += 1;
                    font |= self.attribute();
                }
            }
        }
    }

    /// Passes over an attribute; returns whether it is one of a font.
    fn attribute(&mut self) -> bool {
        let start = self.at;
        let bytes = self.html.as_bytes();
        let name_ends = |byte: u8| is_space(byte) || matches!(byte, b'/' | b'>' | b'=');
        // An equals sign at the very beginning is part of the name.
        self.at += 1;
        while bytes.get(self.at).is_some_and(|byte| !name_ends(*byte)) {
            self.at += 1;
        }
        let name = &self.html[start..self.at];
        let font = ["color", "face", "size"]
            .iter()
            .any(|font| font.eq_ignore_ascii_case(name));
        let mut ahead = self.at;
        while bytes.get(ahead).is_some_and(|byte| is_space(*byte)) {
            ahead += 1;
        }
        if bytes.get(ahead) != Some(&b'=') {
            return font;
        }
        self.at = ahead + 1;
        while bytes.get(self.at).is_some_and(|byte| is_space(*byte)) {
            self.at += 1;
        }
        match bytes.get(self.at) {
            Some(quote @ (b'"' | b'\'')) => {
                self.at += 1;
                self.at = self.behind(if *quote == b'"' { "\"" } else { "'" });
            }
            _ => {
                while bytes
                    .get(self.at)
                    .is_some_and(|byte| !is_space(*byte) && *byte != b'>')
                {
                    self.at += 1;
                }
            }
        }
        font
    }

    /// Passes over the text of an element that holds no markup, up to its end tag.
    fn raw(&mut self, name: &str) {
        let bytes = self.html.as_bytes();
        if name == "plaintext" {
            self.at = bytes.len();
        }
        while let Some(offset) = self.html[self.at..].find("</") {
            let start = self.at + offset + 2;
            let end = start + name.len();
            let same = bytes
                .get(start..end)
                .is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()));
            if same
                && bytes
                    .get(end)
                    .is_some_and(|byte| is_space(*byte) || matches!(byte, b'/' | b'>'))
            {
                self.at = start - 2;
                return;
            }
            self.at = start;
        }
        self.at = bytes.len();
    }

    /// The next tag. `in_picture` says whether it stands among the elements of an `svg` or `math`, where the text elements
    /// are ordinary ones and sections of plain text exist.
    pub(super) fn next(&mut self, in_picture: bool) -> Option<Tag<'a>> {
        let bytes = self.html.as_bytes();
        loop {
            self.at += self.html[self.at..].find('<')?;
            let rest = &bytes[self.at + 1..];
            let end = rest.first() == Some(&b'/');
            if rest.starts_with(b"!--") {
                self.comment();
                continue;
            }
            if rest.starts_with(b"![CDATA[") && in_picture {
                self.at = self.behind("]]>");
                continue;
            }
            let letter = rest.get(usize::from(end)).is_some_and(u8::is_ascii_alphabetic);
            if !letter {
                if matches!(rest.first(), Some(b'!' | b'?')) || end && rest.len() > 1 {
                    self.at = self.behind(">");
                } else {
                    self.at += 1;
                }
                continue;
            }
            let start = self.at + 1 + usize::from(end);
            self.at = start;
            while bytes
                .get(self.at)
                .is_some_and(|byte| !is_space(*byte) && !matches!(byte, b'/' | b'>'))
            {
                self.at += 1;
            }
            let name = self.html[start..self.at].to_ascii_lowercase();
            let behind_name = self.at;
            let (count, font, self_closing) = self.attributes()?;
            let attributes = &self.html[behind_name..self.at];
            if !end && !in_picture && RAW.contains(&name.as_str()) {
                self.raw(&name);
            }
            return Some(Tag {
                name,
                end,
                self_closing,
                attributes,
                count,
                font,
            });
        }
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_where_a_browser_finds_them() {
        let html = "<!doctype html><A href='>'b=\"<i>\" c/><!-- <x> --!><!--><b></B x=1><script><y></z></script >\
                    a < b </ c><?p ><svg><style><g/></style></svg><textarea><w></textarea><plaintext><v>";
        let mut tags = Tags::new(html);
        let (mut names, mut picture) = (Vec::new(), false);
        while let Some(tag) = tags.next(picture) {
            picture = if tag.name == "svg" { !tag.end } else { picture };
            let (slash, closed) = (
                if tag.end { "/" } else { "" },
                if tag.self_closing { "/" } else { "" },
            );
            names.push(format!("{slash}{}{closed}", tag.name));
        }
        let wanted = "a/ b /b script /script svg style g/ /style /svg textarea /textarea plaintext";
        assert_eq!(names.join(" "), wanted);
        assert_eq!(
            Tags::new("<a b c=d / e='f'>").next(false).map(|tag| tag.count),
            Some(3)
        );
        assert_eq!(Tags::new("<a b='").next(false), None);
    }
}
