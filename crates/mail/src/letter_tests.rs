//! Letters as a reader gets them, and as no attacker gets them.

use mail_parser::{MessageParser, MimeHeaders as _};
use proptest::prelude::*;

use super::*;
use crate::address::Rules;

fn mailbox(text: &str) -> Mailbox {
    Mailbox::parse(text, Rules::default()).unwrap()
}

fn letter_with(to: &Mailbox, subject: &str, text: &str, attachments: &[Attachment]) -> Vec<u8> {
    Letter {
        from: &mailbox("Quillmoss <news@quillmoss.example>"),
        to,
        reply_to: None,
        subject: &HeaderText::new(subject).unwrap(),
        date: Timestamp::from_second(1_700_000_000).unwrap(),
        id: "0123456789abcdef",
        text,
        html: None,
        unsubscribe: None,
        attachments,
    }
    .bytes()
    .unwrap()
}

fn header_lines(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let head = text.split("\r\n\r\n").next().unwrap().to_owned();
    head.split("\r\n")
        .filter(|line| !line.starts_with(' '))
        .map(str::to_owned)
        .collect()
}

#[test]
fn names_of_attachments_come_back() {
    let names: Vec<String> =
        serde_json::from_str(include_str!("../../../fixtures/mail/attachment-names/names.json")).unwrap();
    let expected = [
        Some("Tööst"),
        Some("quo\"te;x.txt"),
        Some("Очень"),
        None,
        Some("🎄.png"),
        Some("passwd"),
        Some("100% off.csv"),
    ];
    for (name, expected) in names.iter().zip(expected) {
        let Ok(taken) = FileName::new(name) else {
            assert_eq!(expected, None, "{name:?}");
            continue;
        };
        let file = Attachment {
            name: taken.clone(),
            media_type: MediaType::new("application/pdf"),
            content_id: None,
            bytes: b"%PDF".to_vec(),
        };
        let raw = letter_with(&mailbox("ina@quillmoss.example"), "s", "t", &[file]);
        assert!(raw.split(|b| *b == b'\n').all(|line| line.len() <= 79));
        let message = MessageParser::default().parse(&raw).unwrap();
        let back = message.attachment(0).unwrap();
        assert_eq!(back.attachment_name(), Some(taken.as_str()));
        assert_eq!(back.contents(), b"%PDF");
        if name.contains('/') {
            assert_eq!(taken.as_str(), expected.unwrap());
        } else {
            assert_eq!(taken.as_str(), name);
        }
    }
}

#[test]
fn html_text_pictures_and_files_stand_where_readers_look_for_them() {
    let to = mailbox("ina@quillmoss.example");
    let file = |name: &str, id: Option<&str>| Attachment {
        name: FileName::new(name).unwrap(),
        media_type: MediaType::new("image/png"),
        content_id: id.and_then(ContentId::new),
        bytes: vec![1, 2, 3],
    };
    let raw = Letter {
        from: &mailbox("news@quillmoss.example"),
        to: &to,
        reply_to: Some(&mailbox("Antwort <reply@quillmoss.example>")),
        subject: &HeaderText::new("Grüße").unwrap(),
        date: Timestamp::UNIX_EPOCH,
        id: "x",
        text: "hello ö",
        html: Some("<p>hello <img src=\"cid:logo\"></p>"),
        unsubscribe: None,
        attachments: &[file("logo.png", Some("logo")), file("a.png", None)],
    }
    .bytes()
    .unwrap();
    let message = MessageParser::default().parse(&raw).unwrap();
    assert_eq!(message.subject(), Some("Grüße"));
    assert_eq!(message.body_text(0).unwrap().trim_end(), "hello ö");
    assert!(message.body_html(0).unwrap().contains("cid:logo"));
    let types: Vec<_> = message
        .parts
        .iter()
        .filter_map(|part| part.content_type())
        .map(|t| format!("{}/{}", t.ctype(), t.subtype().unwrap_or_default()))
        .collect();
    assert_eq!(
        types,
        [
            "multipart/mixed",
            "multipart/alternative",
            "text/plain",
            "multipart/related",
            "text/html",
            "image/png",
            "image/png"
        ]
    );
    assert_eq!(message.parts[5].content_id(), Some("logo"));
}

#[test]
fn hostile_subjects_are_refused_or_shown_as_they_are() {
    let subjects: Vec<String> = serde_json::from_str(include_str!(
        "../../../fixtures/mail/header-injection/subjects.json"
    ))
    .unwrap();
    let to = mailbox("ina@quillmoss.example");
    let taken: Vec<bool> = subjects.iter().map(|s| HeaderText::new(s).is_ok()).collect();
    assert_eq!(taken, [false, false, true, false, false, true, true]);
    let lines = header_lines(&letter_with(&to, "plain", "t", &[])).len();
    for subject in subjects.iter().filter(|s| HeaderText::new(s).is_ok()) {
        let raw = letter_with(&to, subject, "t", &[]);
        assert_eq!(header_lines(&raw).len(), lines, "{subject:?}");
        assert!(!String::from_utf8_lossy(&raw).contains("Bcc"));
        let message = MessageParser::default().parse(&raw).unwrap();
        assert_eq!(message.subject().unwrap_or_default(), subject);
    }
}

proptest! {
    /// Whatever stands in names, subjects and names of files: the header lines are those that were asked for.
    #[test]
    fn no_text_makes_a_header(name in any::<String>(), subject in any::<String>(), file in any::<String>(), text in any::<String>()) {
        let text = text.replace('\0', "");
        let (Ok(name), Ok(subject)) = (HeaderText::new(&name), HeaderText::new(&subject)) else {
            return Ok(());
        };
        let to = Mailbox { name, ..mailbox("ina@quillmoss.example") };
        let files: Vec<Attachment> = FileName::new(&file).ok().map(|name| Attachment {
            name,
            media_type: MediaType::new("a/b\r\nX: y"),
            content_id: None,
            bytes: vec![0, 255],
        }).into_iter().collect();
        let raw = letter_with(&to, subject.as_str(), &text, &files);
        let names: Vec<String> = header_lines(&raw).iter().map(|l| l.split(':').next().unwrap().to_owned()).collect();
        let mut expected = vec!["Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type"];
        if files.is_empty() {
            expected.push("Content-Transfer-Encoding");
        }
        prop_assert_eq!(names, expected);
        let message = MessageParser::default().parse(&raw).unwrap();
        prop_assert_eq!(message.to().unwrap().first().unwrap().address(), Some("ina@quillmoss.example"));
    }
}
