//! The tags of a page, after the tokenizer of the HTML standard (section 13.2.5), without their attributes.

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// Name, lower case.
    pub(super) name: String,
    /// Whether it is an end tag.
    pub(super) end: bool,
    /// Attributes as written.
    pub(super) attributes: &'a str,
    /// How many attributes it has.
    pub(super) count: u64,
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

    /// Reads attributes up to the end of the tag, or of the page, and counts them.
    fn attributes(&mut self) -> u64 {
        let bytes = self.html.as_bytes();
        let mut count = 0;
        loop {
            while bytes.get(self.at).is_some_and(|byte| is_space(*byte)) {
                self.at += 1;
            }
            match bytes.get(self.at) {
                None => return count,
                Some(b'>') => {
                    self.at += 1;
                    return count;
                }
                Some(b'/') => {
                    self.at += 1;
                    if bytes.get(self.at) == Some(&b'>') {
                        self.at += 1;
                        return count;
                    }
                }
                Some(_) => {
                    count += 1;
                    self.attribute();
                }
            }
        }
    }

    fn attribute(&mut self) {
        let bytes = self.html.as_bytes();
        let name_ends = |byte: u8| is_space(byte) || matches!(byte, b'/' | b'>' | b'=');
        // An equals sign at the very beginning is part of the name.
        self.at += 1;
        while bytes.get(self.at).is_some_and(|byte| !name_ends(*byte)) {
            self.at += 1;
        }
        let mut ahead = self.at;
        while bytes.get(ahead).is_some_and(|byte| is_space(*byte)) {
            ahead += 1;
        }
        if bytes.get(ahead) != Some(&b'=') {
            return;
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

    /// The next tag. What stands in scripts, sheets and texts is none; in pictures, where these are ordinary elements, some
    /// tags are passed over for that.
    pub(super) fn next(&mut self) -> Option<Tag<'a>> {
        let bytes = self.html.as_bytes();
        loop {
            self.at += self.html[self.at..].find('<')?;
            let rest = &bytes[self.at + 1..];
            let end = rest.first() == Some(&b'/');
            if rest.starts_with(b"!--") {
                self.comment();
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
            let count = self.attributes();
            let attributes = &self.html[behind_name..self.at];
            if !end && RAW.contains(&name.as_str()) {
                self.raw(&name);
            }
            return Some(Tag {
                name,
                end,
                attributes,
                count,
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
        let mut names = Vec::new();
        while let Some(tag) = tags.next() {
            names.push(format!("{}{}", if tag.end { "/" } else { "" }, tag.name));
        }
        let wanted = "a b /b script /script svg style /style /svg textarea /textarea plaintext";
        assert_eq!(names.join(" "), wanted);
        assert_eq!(
            Tags::new("<a b c=d / e='f'>").next().map(|tag| tag.count),
            Some(3)
        );
        // A parser compares the attributes of a tag that never ends, too.
        assert_eq!(Tags::new("<a b c='").next().map(|tag| tag.count), Some(2));
    }
}
