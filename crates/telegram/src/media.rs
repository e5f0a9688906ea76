//! Attachments: what the wire says of them, and fetching their files in parts.

use std::io::{Seek, SeekFrom, Write};

use app_core::{ErrorKind, ToolError, ToolResult};
use grammers_client::tl::{self, enums, types};

use crate::client::{Repeat, Telegram};
use crate::model::{DocumentKind, File, Media, PollAnswer};
use crate::pace::Pace;

/// Bytes asked for at once; the largest the service gives.
const PART: i32 = 512 * 1024;

/// An attachment in plain terms; `None` where there is nothing.
pub(crate) fn media(media: &enums::MessageMedia) -> Option<Media> {
    use enums::MessageMedia as M;
    Some(match media {
        M::Empty => return None,
        M::Photo(media) => photo(media.photo.as_ref()),
        M::Document(media) => document(media),
        M::WebPage(media) => web_page(&media.webpage),
        M::Poll(media) => poll(media),
        M::Geo(media) => {
            let (latitude, longitude) = point(&media.geo);
            Media::Geo {
                latitude,
                longitude,
                live_period: None,
            }
        }
        M::GeoLive(media) => {
            let (latitude, longitude) = point(&media.geo);
            Media::Geo {
                latitude,
                longitude,
                live_period: Some(media.period),
            }
        }
        M::Venue(media) => {
            let (latitude, longitude) = point(&media.geo);
            Media::Venue {
                latitude,
                longitude,
                title: media.title.clone(),
                address: media.address.clone(),
            }
        }
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

fn point(point: &enums::GeoPoint) -> (f64, f64) {
    match point {
        enums::GeoPoint::Point(point) => (point.lat, point.long),
        enums::GeoPoint::Empty => (0.0, 0.0),
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

impl Telegram {
    /// Fetches a file into `out`, going on at `from` bytes; tells of every part. Returns the bytes written.
    ///
    /// # Errors
    /// `conflict` with code `file_reference_expired` when the message must be read again first.
    pub async fn download<W: Write + Seek>(
        &self,
        file: &File,
        out: &mut W,
        from: u64,
        progress: impl Fn(u64),
    ) -> ToolResult<u64> {
        let written = |e: &std::io::Error| {
            ToolError::new(ErrorKind::Io, "cannot write the downloaded file").caused_by(e)
        };
        // Parts begin at whole multiples of their size.
        let part = u64::from(PART.unsigned_abs());
        let mut offset = from / part * part;
        out.seek(SeekFrom::Start(offset)).map_err(|e| written(&e))?;
        let mut dc = file.dc;
        loop {
            self.ctx.check_cancelled()?;
            if file.size > 0 && offset >= file.size {
                return Ok(offset);
            }
            let bytes = self.part(file, &mut dc, offset).await?;
            if bytes.is_empty() {
                return Ok(offset);
            }
            out.write_all(&bytes).map_err(|e| written(&e))?;
            offset += bytes.len() as u64;
            progress(offset);
            if (bytes.len() as u64) < part {
                return Ok(offset);
            }
        }
    }

    async fn part(&self, file: &File, dc: &mut i32, offset: u64) -> ToolResult<Vec<u8>> {
        let location: enums::InputFileLocation = if file.photo {
            types::InputPhotoFileLocation {
                id: file.id,
                access_hash: file.access_hash,
                file_reference: file.reference.clone(),
                thumb_size: file.thumb.clone(),
            }
            .into()
        } else {
            types::InputDocumentFileLocation {
                id: file.id,
                access_hash: file.access_hash,
                file_reference: file.reference.clone(),
                thumb_size: file.thumb.clone(),
            }
            .into()
        };
        let request = tl::functions::upload::GetFile {
            precise: false,
            cdn_supported: false,
            location,
            offset: i64::try_from(offset).unwrap_or(i64::MAX),
            limit: PART,
        };
        for _ in 0..3 {
            self.sign_in_at(*dc).await?;
            let home = *dc;
            let answer = self
                .call_in(Pace::Files, Repeat::Safe, async || {
                    self.client.invoke_in_dc(home, &request).await
                })
                .await;
            match answer {
                Ok(enums::upload::File::File(part)) => return Ok(part.bytes),
                Ok(enums::upload::File::CdnRedirect(_)) => {
                    return Err(ToolError::new(
                        ErrorKind::ProviderRejected,
                        "the file lies on a public cache, which is not used",
                    )
                    .code("cdn_redirect")
                    .from_source("telegram"));
                }
                Err(failed) => match failed.migrate_to() {
                    Some(other) => *dc = other,
                    None if failed.is("FILE_REFERENCE_*") => {
                        return Err(ToolError::new(
                            ErrorKind::Conflict,
                            "the reference to the file has expired",
                        )
                        .code("file_reference_expired")
                        .from_source("telegram")
                        .hint("read the message again, then download"));
                    }
                    None => return Err(failed.told()),
                },
            }
        }
        Err(ToolError::new(
            ErrorKind::ProviderRejected,
            "the data centres send each other for the file",
        )
        .from_source("telegram"))
    }
}

/// Name for the downloaded file of a message: its number, and the name or sort of the file.
pub(crate) fn download_name(message: i32, media: &Media) -> String {
    match media {
        Media::Document {
            file_name: Some(name),
            ..
        } if !safe(name).is_empty() => format!("{message}_{}", safe(name)),
        Media::Document { kind, mime, .. } => {
            let (word, extension) = match kind {
                DocumentKind::Video => ("video", "mp4"),
                DocumentKind::RoundVideo => ("round_video", "mp4"),
                DocumentKind::Animation => ("animation", "mp4"),
                DocumentKind::Voice => ("voice", "ogg"),
                DocumentKind::Audio => ("audio", "mp3"),
                DocumentKind::Sticker => ("sticker", if mime.contains("tgsticker") { "tgs" } else { "webp" }),
                DocumentKind::VideoSticker => ("sticker", "webm"),
                DocumentKind::File => ("file", "bin"),
            };
            format!("{message}_{word}.{extension}")
        }
        _ => format!("{message}_photo.jpg"),
    }
}

/// A sender's file name without anything that could lead elsewhere, at most 100 characters.
fn safe(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last
        .chars()
        .filter(|c| !c.is_control() && !"<>:\"|?*".contains(*c))
        .collect();
    let kept = kept.trim().trim_start_matches('.');
    let skip = kept.chars().count().saturating_sub(100);
    kept.chars().skip(skip).collect()
}
