//! An export of several pages: where one ends and the next begins, what their files are called, and the links between.
//!
//! Only the bounds of the pages and the counts of their days are held, never the messages.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{LONGEST_ALBUM, dates, escape, media};
use crate::model::Message;

/// Most messages of an export that is one page, and of each page of a longer one.
pub const LONGEST_PAGE: usize = 5000;

/// Messages from which on a page ends with its month.
const FULL_ENOUGH: usize = 1000;

/// Longest stem of the names of files in bytes, so that the longest of their endings still fits.
const LONGEST_STEM: usize = 220;

/// What the files of an export are called, after the file that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    first: String,
    stem: String,
    extension: String,
}

impl Names {
    /// Those that lie beside a file.
    pub fn beside(output: &Path) -> Self {
        let text = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let extension = text(output.extension());
        Self {
            first: text(output.file_name()),
            stem: crate::files::cut(&text(output.file_stem()), LONGEST_STEM),
            extension: if extension.is_empty() {
                "html".to_owned()
            } else {
                extension
            },
        }
    }

    /// A page, counted from 0.
    pub fn page(&self, at: usize) -> String {
        match at {
            0 => self.first.clone(),
            at => format!("{}_{}.{}", self.stem, at + 1, self.extension),
        }
    }

    /// The page that leads to all others.
    pub fn index(&self) -> String {
        format!("{}_index.{}", self.stem, self.extension)
    }

    /// A part of what the index searches, counted from 0.
    pub fn search(&self, at: usize) -> String {
        match at {
            0 => format!("{}_search.js", self.stem),
            at => format!("{}_search_{}.js", self.stem, at + 1),
        }
    }

    /// The list of checksums.
    pub fn sums(&self) -> String {
        format!("{}_files.sha256", self.stem)
    }

    /// What stands at the head of each page and of the index, and tells which export they are parts of.
    pub fn mark(&self) -> String {
        format!("{PART_OF}{}\">", escape(&self.first))
    }
}

/// What a mark begins with.
const PART_OF: &str = "<meta name=\"part-of\" content=\"";

/// Whether the head of a page says that it is a part of an export to another file than its own.
pub fn part_of_another(head: &str, path: &Path) -> bool {
    head.contains(PART_OF) && !head.contains(&Names::beside(path).mark())
}

/// A page: its messages have numbers from `first` up to the first of the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Number of its first message.
    pub first: i32,
    /// Number of its last message.
    pub last: i32,
    /// How many it has.
    pub messages: usize,
    /// Its days.
    pub days: Vec<Day>,
}

/// The messages of one day on one page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// The day, in the time zone of the export.
    pub date: Date,
    /// Number of its first message.
    pub first: i32,
    /// How many it has.
    pub messages: usize,
}

/// Parts messages into pages; they come oldest first.
#[derive(Debug)]
pub struct Splitter {
    zone: TimeZone,
    pages: Vec<Page>,
    album: Option<i64>,
}

impl Splitter {
    /// One for days of a time zone.
    pub const fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            pages: Vec::new(),
            album: None,
        }
    }

    /// Takes the next message.
    pub fn add(&mut self, message: &Message) {
        let date = dates::local(message.date, &self.zone).date();
        let same_album = message.grouped_id.is_some() && message.grouped_id == self.album;
        self.album = message.grouped_id;
        let goes_on = self.pages.last().is_some_and(|page| {
            let before = page.days.last().map_or(date, |day| day.date);
            let new_month = (before.year(), before.month()) != (date.year(), date.month());
            let full = page.messages >= LONGEST_PAGE || (new_month && page.messages >= FULL_ENOUGH);
            // An album is one bubble, which cannot stand on two pages.
            !full || (same_album && page.messages < LONGEST_PAGE + LONGEST_ALBUM)
        });
        if !goes_on {
            self.pages.push(Page {
                first: message.id,
                last: message.id,
                messages: 0,
                days: Vec::new(),
            });
        }
        let Some(page) = self.pages.last_mut() else { return };
        page.last = message.id;
        page.messages += 1;
        match page.days.last_mut().filter(|day| day.date == date) {
            Some(day) => day.messages += 1,
            None => page.days.push(Day {
                date,
                first: message.id,
                messages: 1,
            }),
        }
    }

    /// The pages.
    pub fn end(self, names: Names) -> Pages {
        Pages {
            names,
            list: self.pages,
        }
    }
}

/// All pages of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pages {
    /// What the files are called.
    pub names: Names,
    /// The pages in order.
    pub list: Vec<Page>,
}

impl Pages {
    /// Which page a message stands on, or would stand on; `None` before the first.
    pub fn of(&self, id: i32) -> Option<usize> {
        self.list.partition_point(|page| page.first <= id).checked_sub(1)
    }

    /// The address of a file beside the page.
    pub(super) fn file(name: &str) -> String {
        media::link(name)
    }
}

/// The page that is being written.
pub(super) struct Place {
    pub(super) pages: Arc<Pages>,
    pub(super) at: usize,
}

impl Place {
    /// Links to the pages before and after and to the index.
    pub(super) fn links(&self, out: &mut dyn Write) -> io::Result<()> {
        let (names, count) = (&self.pages.names, self.pages.list.len());
        let step = |at: Option<usize>, word: &str, rel: &str| match at.filter(|at| *at < count) {
            Some(at) => format!(
                "<a rel=\"{rel}\" href=\"{}\">{word}</a>",
                Pages::file(&names.page(at))
            ),
            None => format!("<span>{word}</span>"),
        };
        let messages = self.pages.list.get(self.at).map_or_else(String::new, |page| {
            let (first, last) = (page.days.first(), page.days.last());
            let day = |day: Option<&Day>| {
                day.map(|day| dates::long_day(day.date.at(0, 0, 0, 0)))
                    .unwrap_or_default()
            };
            format!("{} messages, {} – {}", page.messages, day(first), day(last))
        });
        writeln!(
            out,
            "<nav class=\"pages\">{} <span class=\"where\"><a href=\"{}\">Index and search</a> · page {} of {count} · {messages}</span> {}</nav>",
            step(self.at.checked_sub(1), "← Previous", "prev"),
            Pages::file(&names.index()),
            self.at + 1,
            step(Some(self.at + 1), "Next →", "next"),
        )
    }
}

/// The address of a message: on this page, or on the page it stands on; `None` where no page of the export can have it.
pub(super) fn address(place: Option<&Place>, id: i32) -> Option<String> {
    let Some(place) = place else {
        return Some(format!("#m{id}"));
    };
    let at = place.pages.of(id)?;
    if at == place.at {
        return Some(format!("#m{id}"));
    }
    Some(format!("{}#m{id}", Pages::file(&place.pages.names.page(at))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: i32, date: &str, album: Option<i64>) -> Message {
        Message {
            id,
            date: date.parse().unwrap(),
            grouped_id: album,
            ..Message::default()
        }
    }

    fn split(messages: impl Iterator<Item = Message>) -> Vec<(i32, i32, usize)> {
        let mut splitter = Splitter::new(TimeZone::UTC);
        messages.for_each(|message| splitter.add(&message));
        let pages = splitter.end(Names::beside(Path::new("x/club.html")));
        pages
            .list
            .iter()
            .map(|page| (page.first, page.last, page.messages))
            .collect()
    }

    #[test]
    fn a_page_ends_when_it_is_full_or_with_its_month() {
        let (may, june) = ("2025-05-31T12:00:00Z", "2025-06-01T12:00:00Z");
        let of = |id: i32, n: i32| message(id, if id <= n { may } else { june }, None);
        assert_eq!(
            split((1..=5001).map(|id| of(id, 9000))),
            [(1, 5000, 5000), (5001, 5001, 1)]
        );
        assert_eq!(
            split((1..=1500).map(|id| of(id, 1000))),
            [(1, 1000, 1000), (1001, 1500, 500)]
        );
        assert_eq!(split((1..=1500).map(|id| of(id, 999))), [(1, 1500, 1500)]);
    }

    #[test]
    fn an_album_is_not_torn_apart() {
        let at = "2025-05-31T12:00:00Z";
        let of = |id: i32| message(id, at, (4998..=5003).contains(&id).then_some(7));
        assert_eq!(split((1..=5005).map(of)), [(1, 5003, 5003), (5004, 5005, 2)]);
        let endless = |id: i32| message(id, at, Some(7));
        assert_eq!(split((1..=5030).map(endless))[0].2, LONGEST_PAGE + LONGEST_ALBUM);
    }

    #[test]
    fn files_are_named_after_the_first_and_know_each_other() {
        let names = Names::beside(Path::new("x/Book & club.html"));
        assert_eq!(names.page(0), "Book & club.html");
        assert_eq!(names.page(1), "Book & club_2.html");
        assert_eq!(names.index(), "Book & club_index.html");
        assert_eq!(names.search(0), "Book & club_search.js");
        assert_eq!(names.search(1), "Book & club_search_2.js");
        assert_eq!(names.sums(), "Book & club_files.sha256");
        let head = format!("<!doctype html>{}", names.mark());
        assert!(part_of_another(&head, Path::new("x/Book & club_2.html")));
        assert!(!part_of_another(&head, Path::new("Book & club.html")));
        assert!(!part_of_another("<!doctype html>", Path::new("x.html")));
        let long = Names::beside(Path::new(&format!("{}.html", "я".repeat(125))));
        assert!(long.sums().len() < 255 && long.page(9999).len() < 255);
    }
}
