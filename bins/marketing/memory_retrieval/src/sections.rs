//! A Markdown file as documents, one a section.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// A section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    /// Its heading and those above it: `Prices > Tea`.
    pub(crate) title: String,
    /// Its text, as it was written, without the heading.
    pub(crate) text: String,
    /// Line of the file at which it begins.
    pub(crate) line: usize,
}

/// The sections of a text that say something; `name` stands for what is before the first heading.
pub(crate) fn sections(text: &str, name: &str) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut path: Vec<(usize, String)> = Vec::new();
    let mut open = (name.to_owned(), 0, 0);
    let mut heading: Option<(usize, String)> = None;
    for (event, place) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                close(&mut sections, text, &open, place.start);
                heading = Some((level as usize, String::new()));
                open.1 = place.start;
            }
            Event::Text(part) | Event::Code(part) => {
                if let Some((_, title)) = &mut heading {
                    title.push_str(&part);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                if let Some((level, title)) = heading.take() {
                    path.retain(|(above, _)| *above < level);
                    path.push((level, title.trim().to_owned()));
                    let titles: Vec<_> = path.iter().map(|(_, title)| title.as_str()).collect();
                    open = (titles.join(" > "), open.1, place.end);
                }
            }
            _ => {}
        }
    }
    close(&mut sections, text, &open, text.len());
    sections
}

/// Ends the section that begins at a place (with its heading) and has its text behind another.
fn close(sections: &mut Vec<Section>, text: &str, open: &(String, usize, usize), end: usize) {
    let (title, begin, body) = open;
    let said = text.get(*body..end).unwrap_or_default().trim();
    if !said.is_empty() {
        sections.push(Section {
            title: title.clone(),
            text: said.to_owned(),
            line: text[..*begin].matches('\n').count() + 1,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_know_the_headings_above_them() {
        let text =
            "intro\n\n# Prices\n\n## Tea *green*\n9 euros\n```\n# no heading\n```\n\n## Box\n\n# Last\nend\n";
        let section = |title: &str, text: &str, line| Section {
            title: title.into(),
            text: text.into(),
            line,
        };
        assert_eq!(
            sections(text, "notes"),
            [
                section("notes", "intro", 1),
                section("Prices > Tea green", "9 euros\n```\n# no heading\n```", 5),
                section("Last", "end", 13),
            ]
        );
        assert_eq!(sections("  \n", "x"), []);
    }
}
