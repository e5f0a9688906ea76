//! Messages the tests of the formats share.

use std::sync::Arc;

use super::{Attachment, Format, Header, Options};
use crate::model::{
    ChatKind, DocumentKind, Entity, EntityKind, File, Forward, MarkedId, Media, Message, Peer, PeerFlags,
    PollAnswer, Reaction, ReactionKind, RecentReaction, Reply, Service,
};

pub fn peer(id: i64, kind: ChatKind) -> Peer {
    Peer {
        id: MarkedId(id),
        kind,
        first_name: None,
        last_name: None,
        title: None,
        username: None,
        members: None,
        flags: PeerFlags::default(),
    }
}

pub fn alice() -> Arc<Peer> {
    Arc::new(Peer {
        first_name: Some("Alice".to_owned()),
        last_name: Some("Doe".to_owned()),
        username: Some("alice".to_owned()),
        ..peer(111, ChatKind::User)
    })
}

pub fn boris() -> Arc<Peer> {
    Arc::new(Peer {
        first_name: Some("Борис".to_owned()),
        ..peer(112, ChatKind::User)
    })
}

pub fn chat() -> Peer {
    Peer {
        title: Some("Demo group".to_owned()),
        ..peer(-1_000_000_001_002, ChatKind::Supergroup)
    }
}

pub fn header(count: usize) -> Header {
    Header::new(chat(), count, "2025-01-02T10:00:00Z".parse().unwrap())
}

pub fn text(id: i32, text: &str) -> Message {
    Message {
        id,
        chat: chat().id,
        date: format!("2025-01-02T03:04:{:02}Z", id % 60).parse().unwrap(),
        sender: Some(alice()),
        sender_id: Some(MarkedId(111)),
        text: text.to_owned(),
        ..Message::default()
    }
}

pub fn file(id: i64, size: u64, photo: bool) -> File {
    File {
        id,
        size,
        dc: 2,
        access_hash: 99_887_766,
        reference: vec![1, 2, 3],
        thumb: if photo { "y".to_owned() } else { String::new() },
        photo,
    }
}

pub fn photo(id: i32, caption: &str) -> Message {
    Message {
        media: Some(Media::Photo {
            width: 1280,
            height: 853,
            file: Some(file(i64::from(id), 183_204, true)),
        }),
        ..text(id, caption)
    }
}

pub fn document(id: i32, kind: DocumentKind, name: Option<&str>, mime: &str) -> Message {
    let seen = matches!(
        kind,
        DocumentKind::Video | DocumentKind::RoundVideo | DocumentKind::Animation | DocumentKind::Sticker
    );
    let heard = !matches!(kind, DocumentKind::Sticker | DocumentKind::File);
    Message {
        media: Some(Media::Document {
            kind,
            file_name: name.map(str::to_owned),
            mime: mime.to_owned(),
            width: seen.then_some(640),
            height: seen.then_some(360),
            duration: heard.then_some(74.4),
            performer: (kind == DocumentKind::Audio).then(|| "The Samples".to_owned()),
            title: (kind == DocumentKind::Audio).then(|| "Evening song".to_owned()),
            emoji: (kind == DocumentKind::Sticker).then(|| "🦊".to_owned()),
            file: Some(file(i64::from(id), 5_242_880, false)),
        }),
        ..text(id, "")
    }
}

pub fn service(id: i32) -> Message {
    Message {
        service: Some(Service {
            action: "pin_message".to_owned(),
            ..Service::default()
        }),
        reply_to: Some(Reply {
            message_id: Some(1),
            chat: None,
            quote: None,
        }),
        ..text(id, "")
    }
}

pub fn reacted(id: i32, words: &str) -> Message {
    let emoji = |emoji: &str, count, chosen| Reaction {
        kind: ReactionKind::Emoji(emoji.to_owned()),
        count,
        chosen,
    };
    Message {
        reactions: vec![emoji("🔥", 2, true), emoji("👍", 1, false)],
        ..text(id, words)
    }
}

pub fn rendered(format: Format, header: &Header, messages: &[Message]) -> String {
    rendered_with(format, Options::default(), header, messages)
}

pub fn rendered_with(format: Format, options: Options, header: &Header, messages: &[Message]) -> String {
    let mut renderer = format.renderer(options);
    let mut out = Vec::new();
    renderer.begin(&mut out, header).unwrap();
    for message in messages {
        renderer.message(&mut out, message, None).unwrap();
    }
    renderer.end(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A conversation with everything the formats have to show.
pub fn conversation() -> Vec<(Message, Option<Attachment>)> {
    let mut all: Vec<(Message, Option<Attachment>)> = Vec::new();
    let mut push = |message: Message| all.push((message, None));
    let from_boris = |message: Message| Message {
        sender: Some(boris()),
        sender_id: Some(MarkedId(112)),
        ..message
    };
    let entity = |offset, length, kind| Entity { offset, length, kind };

    push(Message {
        service: Some(Service {
            action: "create_group".to_owned(),
            title: Some("Demo group".to_owned()),
            member_ids: vec![111, 112],
            members: vec!["Alice Doe".to_owned(), "Борис".to_owned()],
            ..Service::default()
        }),
        ..text(1, "")
    });
    push(Message {
        entities: vec![
            entity(
                0,
                2,
                EntityKind::CustomEmoji {
                    document_id: 5_368_324_170_671_202_286,
                },
            ),
            entity(3, 23, EntityKind::Bold),
            entity(11, 9, EntityKind::Italic),
            entity(
                27,
                4,
                EntityKind::TextUrl {
                    url: "https://example.org/?a=1&b=\"2\"".to_owned(),
                },
            ),
            entity(32, 6, EntityKind::Spoiler),
            entity(
                39,
                12,
                EntityKind::Pre {
                    language: "rust".to_owned(),
                },
            ),
        ],
        ..text(2, "🦊 Welcome everybody here! link secret\nlet x = a<b;")
    });
    push(from_boris(Message {
        reply_to: Some(Reply {
            message_id: Some(2),
            chat: None,
            quote: Some("Welcome everybody".to_owned()),
        }),
        ..reacted(
            3,
            "Привет! Рад всех видеть 🎉\nВторая строка с <b>тегами</b> & амперсандом",
        )
    }));
    push(from_boris(text(4, "И ещё одно сообщение подряд")));
    push(text(5, "مرحبا بكم في المجموعة، هذا نص من اليمين إلى اليسار"));
    push(text(6, "שלום לכולם"));
    for id in 7..10 {
        push(Message {
            grouped_id: Some(13_579_246_801_357_924),
            ..photo(id, if id == 7 { "Three from the walk" } else { "" })
        });
    }
    push(Message {
        media: Some(Media::Poll {
            question: "Where to next?".to_owned(),
            closed: false,
            total_voters: Some(7),
            answers: vec![
                PollAnswer {
                    text: "The lake".to_owned(),
                    voters: Some(5),
                    chosen: true,
                },
                PollAnswer {
                    text: "Горы".to_owned(),
                    voters: Some(2),
                    chosen: false,
                },
            ],
        }),
        ..from_boris(text(10, ""))
    });
    push(document(11, DocumentKind::Voice, None, "audio/ogg"));
    push(document(
        12,
        DocumentKind::Video,
        Some("walk <1>.mp4"),
        "video/mp4",
    ));
    push(from_boris(document(
        13,
        DocumentKind::Audio,
        Some("song.mp3"),
        "audio/mpeg",
    )));
    push(document(
        14,
        DocumentKind::File,
        Some("отчёт.pdf"),
        "application/pdf",
    ));
    push(document(
        15,
        DocumentKind::Sticker,
        Some("sticker.webp"),
        "image/webp",
    ));
    push(document(16, DocumentKind::RoundVideo, None, "video/mp4"));
    push(document(
        17,
        DocumentKind::Animation,
        Some("fox.mp4"),
        "video/mp4",
    ));
    push(Message {
        media: Some(Media::Geo {
            place: Some((55.75, 37.61)),
            live_period: Some(900),
        }),
        ..text(18, "")
    });
    push(Message {
        media: Some(Media::Venue {
            place: Some((55.7, 37.6)),
            title: "Corner café".to_owned(),
            address: "1 Sample street".to_owned(),
        }),
        ..text(19, "")
    });
    push(Message {
        media: Some(Media::Contact {
            phone: "10000000000".to_owned(),
            first_name: "Carol".to_owned(),
            last_name: "Sample".to_owned(),
            user_id: 113,
        }),
        ..from_boris(text(20, ""))
    });
    push(Message {
        media: Some(Media::WebPage {
            url: Some("https://example.org/news".to_owned()),
            title: Some("Example news".to_owned()),
            image: true,
        }),
        entities: vec![entity(5, 24, EntityKind::Url)],
        ..text(21, "Look https://example.org/news")
    });
    push(Message {
        forwarded: Some(Forward {
            from: None,
            from_id: Some(MarkedId::channel(9001)),
            name: Some("Demo news".to_owned()),
            date: "2024-12-31T20:00:00Z".parse().unwrap(),
            channel_post: Some(77),
            author: None,
        }),
        views: Some(12_345),
        forwards: Some(6),
        edited: Some("2025-01-02T04:00:00Z".parse().unwrap()),
        ..from_boris(text(22, "Forwarded words"))
    });
    push(Message {
        sender: Some(Arc::new(Peer {
            flags: PeerFlags {
                deleted: true,
                ..PeerFlags::default()
            },
            ..peer(114, ChatKind::User)
        })),
        sender_id: Some(MarkedId(114)),
        ..text(23, "Written before the account was deleted")
    });
    push(Message {
        reply_to: Some(Reply {
            message_id: Some(2),
            chat: None,
            quote: None,
        }),
        ..service(24)
    });
    push(Message {
        service: Some(Service {
            action: "topic_created".to_owned(),
            title: Some("Plans".to_owned()),
            ..Service::default()
        }),
        ..text(25, "")
    });
    push(Message {
        topic: Some(25),
        out: true,
        sender: Some(Arc::new(Peer {
            first_name: Some("Owner".to_owned()),
            ..peer(500, ChatKind::User)
        })),
        sender_id: Some(MarkedId(500)),
        recent_reactions: vec![RecentReaction {
            from: Some(boris()),
            from_id: MarkedId(112),
            date: "2025-01-02T03:30:00Z".parse().unwrap(),
            kind: ReactionKind::Emoji("🔥".to_owned()),
            mine: false,
        }],
        reactions: vec![
            Reaction {
                kind: ReactionKind::Emoji("🔥".to_owned()),
                count: 1,
                chosen: false,
            },
            Reaction {
                kind: ReactionKind::Custom(42),
                count: 3,
                chosen: false,
            },
            Reaction {
                kind: ReactionKind::Paid,
                count: 5,
                chosen: true,
            },
        ],
        ..text(
            26,
            "My own words, with a bell \u{7} and a line separator \u{2028} in them",
        )
    });
    push(Message {
        date: "2025-01-05T23:59:00Z".parse().unwrap(),
        media: Some(Media::Dice {
            emoji: "🎲".to_owned(),
            value: 6,
        }),
        ..text(27, "")
    });
    push(Message {
        date: "2025-01-05T23:59:30Z".parse().unwrap(),
        post: true,
        sender: Some(Arc::new(chat())),
        sender_id: Some(chat().id),
        author: Some("Anonymous admin".to_owned()),
        entities: vec![entity(0, 9, EntityKind::Blockquote { collapsed: false })],
        ..text(28, "A quoted!\nand an answer to it")
    });
    all
}

/// Writes the conversation in every format to the folder `ONEJOB_SAMPLES`, for readers that are not ours.
#[test]
#[ignore = "writes files for scripts/check-telegram-json"]
fn sample_files() {
    let folder = std::path::PathBuf::from(app_core::config::process_env("ONEJOB_SAMPLES").unwrap());
    std::fs::create_dir_all(&folder).unwrap();
    let conversation = conversation();
    for format in Format::ALL {
        let mut renderer = format.renderer(Options::default());
        let mut out = Vec::new();
        renderer.begin(&mut out, &header(conversation.len())).unwrap();
        for (message, attachment) in &conversation {
            renderer.message(&mut out, message, attachment.as_ref()).unwrap();
        }
        renderer.end(&mut out).unwrap();
        let name = match format {
            Format::Json => "result.json".to_owned(),
            other => format!("sample.{}", other.extension()),
        };
        std::fs::write(folder.join(name), out).unwrap();
    }
}
