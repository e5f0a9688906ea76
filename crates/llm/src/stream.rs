//! From bytes to messages, whatever pieces the bytes come in: event streams (WHATWG) and lines of JSON.
//!
//! A machine without input or output, so that every way to cut a stream can be tried.

/// Largest message that is put together; what is larger is no answer of a model.
const LARGEST: usize = 8 << 20;

/// How messages are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// `text/event-stream`: the `data` of each event.
    Events,
    /// One message a line.
    Lines,
}

/// A message was larger than any that is put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

/// Takes bytes in and gives messages out.
#[derive(Clone, Debug)]
pub struct Parser {
    framing: Framing,
    line: Vec<u8>,
    data: Option<Vec<u8>>,
    after_cr: bool,
    begun: bool,
}

impl Parser {
    /// A machine at the beginning of a stream.
    pub const fn new(framing: Framing) -> Self {
        Self {
            framing,
            line: Vec::new(),
            data: None,
            after_cr: false,
            begun: false,
        }
    }

    /// Takes the next bytes and adds the messages that they complete to `messages`.
    ///
    /// Bytes that are no UTF-8 become U+FFFD within a whole message, never at the border of two pieces.
    pub fn take(&mut self, bytes: &[u8], messages: &mut Vec<String>) -> Result<(), TooLarge> {
        for &byte in bytes {
            let lf_of_crlf = std::mem::take(&mut self.after_cr) && byte == b'\n';
            match byte {
                _ if lf_of_crlf => {}
                // JSON may hold no bare line breaks, so the same ends serve both framings.
                b'\r' | b'\n' => {
                    self.after_cr = byte == b'\r';
                    self.end_line(messages);
                }
                _ => self.line.push(byte),
            }
            if self.line.len() + self.data.as_ref().map_or(0, Vec::len) > LARGEST {
                return Err(TooLarge);
            }
        }
        Ok(())
    }

    /// Takes the end of the stream. A last line without its end counts for lines; an event that was not ended by an
    /// empty line is not one.
    pub fn end(&mut self, messages: &mut Vec<String>) {
        if self.framing == Framing::Lines && !self.line.is_empty() {
            self.end_line(messages);
        }
    }

    fn end_line(&mut self, messages: &mut Vec<String>) {
        let mut line = std::mem::take(&mut self.line);
        if !std::mem::replace(&mut self.begun, true) && line.starts_with(b"\xef\xbb\xbf") {
            line.drain(..3);
        }
        match self.framing {
            Framing::Lines => {
                if !line.trim_ascii().is_empty() {
                    messages.push(text(&line));
                }
            }
            Framing::Events if line.is_empty() => {
                if let Some(data) = self.data.take() {
                    messages.push(text(&data));
                }
            }
            Framing::Events => self.field(&line),
        }
    }

    /// One line of an event: comments and fields other than `data` say nothing that the data does not.
    fn field(&mut self, line: &[u8]) {
        let colon = line.iter().position(|&byte| byte == b':');
        let (name, value) = line.split_at(colon.unwrap_or(line.len()));
        if name != b"data" {
            return;
        }
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match &mut self.data {
            Some(data) => {
                data.push(b'\n');
                data.extend_from_slice(value);
            }
            none => *none = Some(value.to_vec()),
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(framing: Framing, pieces: &[&[u8]]) -> Vec<String> {
        let mut parser = Parser::new(framing);
        let mut messages = Vec::new();
        for piece in pieces {
            parser.take(piece, &mut messages).unwrap();
        }
        parser.end(&mut messages);
        messages
    }

    #[test]
    fn events_are_read_as_the_standard_says() {
        for (stream, messages) in [
            ("data: a\n\ndata: b\n\n", vec!["a", "b"]),
            ("data: a\r\n\r\ndata: b\r\n\r\n", vec!["a", "b"]),
            ("data: a\r\rdata: b\r\r", vec!["a", "b"]),
            ("\u{feff}data: a\n\n", vec!["a"]),
            (": ping\n\nevent: x\nid: 1\ndata: a\n\n", vec!["a"]),
            ("data: a\ndata: b\n\n", vec!["a\nb"]),
            ("data:a\n\ndata:  b\n\n", vec!["a", " b"]),
            ("data\n\n", vec![""]),
            ("data: a\n\ndata: unended\n", vec!["a"]),
            ("\n\n\n", vec![]),
            ("datax: a\n\n", vec![]),
        ] {
            assert_eq!(
                parsed(Framing::Events, &[stream.as_bytes()]),
                messages,
                "{stream:?}"
            );
        }
    }

    #[test]
    fn lines_are_messages_also_the_last() {
        let stream = "{\"a\":1}\n\r\n  \n{\"b\":\"я\"}\r\n{\"c\":2}";
        assert_eq!(
            parsed(Framing::Lines, &[stream.as_bytes()]),
            ["{\"a\":1}", "{\"b\":\"я\"}", "{\"c\":2}"]
        );
    }

    #[test]
    fn a_message_without_end_is_refused_not_kept() {
        let mut parser = Parser::new(Framing::Events);
        let piece = vec![b'x'; 1 << 20];
        let refused = (0..16).any(|_| parser.take(&piece, &mut Vec::new()).is_err());
        assert!(refused);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(512))]

        #[test]
        fn pieces_make_no_difference(
            lines in proptest::collection::vec("(data: ?|: ?|event: )?[a-я🎄\u{feff}:]{0,6}(\r\n|\n|\r|\n\n|\r\n\r\n)", 0..12),
            cuts in proptest::collection::vec(1_usize..9, 1..64),
            by_lines in proptest::bool::ANY,
        ) {
            let framing = if by_lines { Framing::Lines } else { Framing::Events };
            let stream = lines.concat().into_bytes();
            let mut rest = &stream[..];
            let mut pieces = Vec::new();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break }
                let (piece, left) = rest.split_at((*cut).min(rest.len()));
                pieces.push(piece);
                rest = left;
            }
            proptest::prop_assert_eq!(parsed(framing, &pieces), parsed(framing, &[&stream]));
        }

        #[test]
        fn no_bytes_are_too_strange(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            parsed(Framing::Events, &[&bytes]);
            parsed(Framing::Lines, &[&bytes]);
        }
    }
}
