//! The JSON of a single chat as Telegram Desktop exports it (`result.json`), plus the fields it lacks.
//!
//! Field names, their order and the sentinel strings of files that are not there follow Telegram Desktop's
//! `export_output_json.cpp`. Two things are done better: the document is always valid JSON (Telegram Desktop
//! writes control characters as `\xNN`), and `topic_id`, `views`, `forwards`, `replies`, `grouped_id`,
//! `forwarded_from_id`, `forwarded_date`, `forwarded_message_id`, `quote`, `pinned`, `outgoing`, `web_page`
//! and `dice` stand behind the known fields, where other readers do not look.

use std::io::{self, Write};

use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::{Attachment, Header, Options, Renderer, Senders};
use crate::model::Message;

mod media;
mod message;
mod service;
mod text;

/// Writes Telegram-Desktop-compatible JSON.
pub struct Desktop {
    senders: Senders,
    zone: TimeZone,
    began: bool,
    buffer: Vec<u8>,
}

impl Desktop {
    /// A renderer with the given names and time zone.
    pub fn new(options: Options) -> Self {
        Self {
            senders: Senders::new(&options, ""),
            zone: options.time_zone,
            began: false,
            buffer: Vec::new(),
        }
    }
}

impl Renderer for Desktop {
    fn begin(&mut self, out: &mut dyn Write, header: &Header) -> io::Result<()> {
        self.senders.learn(&header.chat);
        self.began = false;
        out.write_all(b"{\n")?;
        let kind = header.desktop_type();
        if kind != "saved_messages" {
            out.write_all(b" \"name\": ")?;
            write_value(out, &header.title, 1)?;
            out.write_all(b",\n")?;
        }
        write!(
            out,
            " \"type\": \"{kind}\",\n \"id\": {},\n \"messages\": [",
            header.chat.id.bare()
        )
    }

    fn message(
        &mut self,
        out: &mut dyn Write,
        message: &Message,
        attachment: Option<&Attachment>,
    ) -> io::Result<()> {
        let name = self.senders.name(message);
        let text = text::Text::new(&message.text, &message.entities);
        let fields = message::object(message, &text, &name, attachment, &self.zone);
        // Many small writes are cheap here, and not through a trait object.
        self.buffer.clear();
        self.buffer
            .extend_from_slice(if self.began { b",\n  " } else { b"\n  " });
        self.began = true;
        write_value(&mut self.buffer, &fields, 2)?;
        out.write_all(&self.buffer)
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(b"\n ]\n}\n")
    }
}

fn write_value<W: ?Sized + Write>(out: &mut W, value: &impl Serialize, depth: usize) -> io::Result<()> {
    let layout = Layout { depth, filled: false };
    value
        .serialize(&mut Serializer::with_formatter(&mut *out, layout))
        .map_err(io::Error::from)
}

/// One blank per level, beginning at a level other than 0, and line separators escaped as Telegram Desktop does.
struct Layout {
    depth: usize,
    filled: bool,
}

impl Layout {
    fn line<W: ?Sized + Write>(&self, out: &mut W) -> io::Result<()> {
        out.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| out.write_all(b" "))
    }

    fn open<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.filled = false;
        out.write_all(bracket)
    }

    fn close<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.filled {
            self.line(out)?;
        }
        self.filled = true;
        out.write_all(bracket)
    }

    fn item<W: ?Sized + Write>(&self, out: &mut W, first: bool) -> io::Result<()> {
        if !first {
            out.write_all(b",")?;
        }
        self.line(out)
    }
}

impl Formatter for Layout {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.item(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.item(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(['\u{2028}', '\u{2029}']) {
            let (before, from) = rest.split_at(at);
            out.write_all(before.as_bytes())?;
            let separator = from.starts_with('\u{2028}');
            out.write_all(if separator { b"\\u2028" } else { b"\\u2029" })?;
            rest = &from[3..];
        }
        out.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests;
