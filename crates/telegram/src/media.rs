//! Attachments: what the wire says of them.

use grammers_client::tl::{enums, types};

use crate::model::{DocumentKind, File, Media, PollAnswer};

/// An attachment in plain terms; `None` where there is nothing.
pub(crate) fn media(media: &enums::MessageMedia) -> Option<Media> {
    use enums::MessageMedia as M;
    Some(match media {
        M::Empty => return None,
        M::Photo(media) => photo(media.photo.as_ref()),
        M::Document(media) => document(media),
        M::WebPage(media) => web_page(&media.webpage),
        M::Poll(media) => poll(media),
        M::Geo(media) => Media::Geo {
            place: point(&media.geo),
            live_period: None,
        },
        M::GeoLive(media) => Media::Geo {
            place: point(&media.geo),
            live_period: Some(media.period),
        },
        M::Venue(media) => Media::Venue {
            place: point(&media.geo),
            title: media.title.clone(),
            address: media.address.clone(),
        },
        M::Contact(media) => Media::Contact {
            phone: media.phone_number.clone(),
            first_name: media.first_name.clone(),
            last_name: media.last_name.clone(),
            user_id: media.user_id,
        },
        M::Dice(media) => Media::Dice {
            emoji: media.emoticon.clone(),
            value: media.value,
        },
        M::Invoice(media) => Media::Invoice {
            title: media.title.clone(),
            description: media.description.clone(),
            currency: media.currency.clone(),
            amount: media.total_amount,
        },
        M::Game(media) => {
            let enums::Game::Game(game) = &media.game;
            Media::Game {
                title: game.title.clone(),
            }
        }
        M::Story(_) => other("story"),
        M::Giveaway(_) => other("giveaway"),
        M::GiveawayResults(_) => other("giveaway_results"),
        M::PaidMedia(_) => other("paid_media"),
        M::ToDo(_) => other("to_do"),
        _ => other("unsupported"),
    })
}

fn other(name: &str) -> Media {
    Media::Other {
        name: name.to_owned(),
    }
}

/// Degrees north and east; none where nobody named a place.
fn point(point: &enums::GeoPoint) -> Option<(f64, f64)> {
    match point {
        enums::GeoPoint::Point(point) => Some((point.lat, point.long)),
        enums::GeoPoint::Empty => None,
    }
}

fn photo(photo: Option<&enums::Photo>) -> Media {
    let Some(enums::Photo::Photo(photo)) = photo else {
        return Media::Photo {
            width: 0,
            height: 0,
            file: None,
        };
    };
    let sizes = photo.sizes.iter().filter_map(|size| match size {
        enums::PhotoSize::Size(size) => Some((size.w, size.h, size.size, size.r#type.clone())),
        enums::PhotoSize::Progressive(size) => Some((
            size.w,
            size.h,
            size.sizes.last().copied().unwrap_or_default(),
            size.r#type.clone(),
        )),
        _ => None,
    });
    let Some((width, height, size, thumb)) =
        sizes.max_by_key(|(width, height, size, _)| (width * height, *size))
    else {
        return Media::Photo {
            width: 0,
            height: 0,
            file: None,
        };
    };
    let file = File {
        id: photo.id,
        size: u64::try_from(size).unwrap_or_default(),
        dc: photo.dc_id,
        access_hash: photo.access_hash,
        reference: photo.file_reference.clone(),
        thumb,
        photo: true,
    };
    Media::Photo {
        width,
        height,
        file: Some(file),
    }
}

fn document(media: &types::MessageMediaDocument) -> Media {
    let Some(enums::Document::Document(document)) = &media.document else {
        return Media::Document {
            kind: DocumentKind::File,
            file_name: None,
            mime: "application/octet-stream".to_owned(),
            width: None,
            height: None,
            duration: None,
            performer: None,
            title: None,
            emoji: None,
            file: None,
        };
    };
    let (mut width, mut height, mut duration) = (None, None, None);
    let (mut performer, mut title, mut emoji, mut file_name) = (None, None, None, None);
    let (mut video, mut round, mut audio, mut voice, mut sticker, mut animated) =
        (false, media.round, false, media.voice, false, false);
    for attribute in &document.attributes {
        match attribute {
            enums::DocumentAttribute::ImageSize(size) => (width, height) = (Some(size.w), Some(size.h)),
            enums::DocumentAttribute::Video(clip) => {
                video = true;
                round |= clip.round_message;
                (width, height, duration) = (Some(clip.w), Some(clip.h), Some(clip.duration));
            }
            enums::DocumentAttribute::Audio(sound) => {
                audio = true;
                voice |= sound.voice;
                duration = Some(f64::from(sound.duration));
                performer = sound.performer.clone().filter(|text| !text.is_empty());
                title = sound.title.clone().filter(|text| !text.is_empty());
            }
            enums::DocumentAttribute::Sticker(shown) => {
                sticker = true;
                emoji = Some(shown.alt.clone()).filter(|text| !text.is_empty());
            }
            enums::DocumentAttribute::Animated => animated = true,
            enums::DocumentAttribute::Filename(name) => file_name = Some(name.file_name.clone()),
            _ => {}
        }
    }
    let kind = match () {
        () if sticker && video => DocumentKind::VideoSticker,
        () if sticker => DocumentKind::Sticker,
        () if animated => DocumentKind::Animation,
        () if round => DocumentKind::RoundVideo,
        () if video => DocumentKind::Video,
        () if voice => DocumentKind::Voice,
        () if audio => DocumentKind::Audio,
        () => DocumentKind::File,
    };
    let file = File {
        id: document.id,
        size: u64::try_from(document.size).unwrap_or_default(),
        dc: document.dc_id,
        access_hash: document.access_hash,
        reference: document.file_reference.clone(),
        thumb: String::new(),
        photo: false,
    };
    Media::Document {
        kind,
        file_name,
        mime: document.mime_type.clone(),
        width,
        height,
        duration,
        performer,
        title,
        emoji,
        file: Some(file),
    }
}

fn web_page(page: &enums::WebPage) -> Media {
    match page {
        enums::WebPage::Page(page) => Media::WebPage {
            url: Some(page.url.clone()),
            title: page.title.clone(),
            image: page.photo.is_some(),
        },
        enums::WebPage::Pending(page) => Media::WebPage {
            url: page.url.clone(),
            title: None,
            image: false,
        },
        enums::WebPage::Empty(page) => Media::WebPage {
            url: page.url.clone(),
            title: None,
            image: false,
        },
        enums::WebPage::NotModified(_) => Media::WebPage {
            url: None,
            title: None,
            image: false,
        },
    }
}

fn poll(media: &types::MessageMediaPoll) -> Media {
    let enums::Poll::Poll(poll) = &media.poll;
    let enums::PollResults::Results(results) = &media.results;
    let text = |text: &enums::TextWithEntities| {
        let enums::TextWithEntities::Entities(text) = text;
        text.text.clone()
    };
    let votes = |option: &[u8]| {
        results.results.iter().flatten().find_map(|votes| {
            let enums::PollAnswerVoters::Voters(votes) = votes;
            (votes.option == option).then_some((votes.voters, votes.chosen))
        })
    };
    let answers = poll.answers.iter().filter_map(|answer| match answer {
        enums::PollAnswer::Answer(answer) => {
            let (voters, chosen) = votes(&answer.option).unwrap_or((None, false));
            Some(PollAnswer {
                text: text(&answer.text),
                voters,
                chosen,
            })
        }
        enums::PollAnswer::InputPollAnswer(_) => None,
    });
    Media::Poll {
        question: text(&poll.question),
        closed: poll.closed,
        total_voters: results.total_voters,
        answers: answers.collect(),
    }
}

impl Media {
    /// The file behind it, if it has one that can be fetched.
    pub fn file(&self) -> Option<&File> {
        match self {
            Self::Photo { file, .. } | Self::Document { file, .. } => file.as_ref(),
            _ => None,
        }
    }
}
