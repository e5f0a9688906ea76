//! The bytes of a file, in parts that are asked for ahead and written in order.

use std::io::{Seek, SeekFrom, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use app_core::{ErrorKind, ToolError, ToolResult};
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use grammers_client::tl::{self, enums, types};
use tokio::sync::Semaphore;

use super::Wanted;
use crate::client::{Repeat, Telegram};
use crate::model::File;
use crate::pace::Pace;

/// Bytes asked for at once; the largest the service gives.
const PART: i32 = 512 * 1024;

/// Parts of one file that are asked for before the first of them has come.
const PARTS_AHEAD: usize = 3;

/// How often a reference to a file is renewed without a part having come in between.
const RENEWALS: u32 = 2;

/// Why a part did not come.
#[derive(Debug, thiserror::Error)]
enum PartError {
    /// The reference to the file no longer holds; the message tells a new one.
    #[error("the reference to the file has expired")]
    Expired,
    /// Anything else.
    #[error(transparent)]
    Failed(Box<ToolError>),
}

impl From<ToolError> for PartError {
    fn from(error: ToolError) -> Self {
        Self::Failed(Box::new(error))
    }
}

impl From<PartError> for ToolError {
    fn from(error: PartError) -> Self {
        match error {
            PartError::Expired => Self::new(ErrorKind::Conflict, error.to_string())
                .code("file_reference_expired")
                .from_source("telegram")
                .hint("read the message again, then download"),
            PartError::Failed(error) => *error,
        }
    }
}

impl Telegram {
    /// Fetches a file into `out`, of which `have` bytes are there. Returns how many there are then. A reference that
    /// has expired is renewed by reading the message again.
    ///
    /// # Errors
    /// `provider_rejected` and `not_found` when Telegram does not deliver it; `conflict` when the message carries
    /// another file now.
    pub(crate) async fn fetch_parts(
        &self,
        wanted: &Wanted<'_>,
        out: &mut std::fs::File,
        have: u64,
        gate: &Semaphore,
    ) -> ToolResult<u64> {
        let written = |e: &std::io::Error| {
            ToolError::new(ErrorKind::Io, "cannot write the downloaded file").caused_by(e)
        };
        let (part, size) = (u64::from(PART.unsigned_abs()), wanted.file.size);
        // Parts begin at whole multiples of their size.
        let mut offset = have / part * part;
        out.seek(SeekFrom::Start(offset)).map_err(|e| written(&e))?;
        let dc = AtomicI32::new(wanted.file.dc);
        let mut file = Arc::new(wanted.file.clone());
        let (mut asked, mut renewed) = (offset, 0);
        let mut ahead = FuturesOrdered::new();
        loop {
            self.ctx.check_cancelled()?;
            // Of a file whose size nobody knows, one part after the other.
            while ahead.len() < PARTS_AHEAD && (asked < size || (size == 0 && ahead.is_empty())) {
                let (file, dc, at) = (Arc::clone(&file), &dc, asked);
                ahead.push_back(async move { self.part(&file, dc, at, gate).await });
                asked += part;
            }
            let bytes = match ahead.next().await {
                None => return Ok(offset),
                Some(Ok(bytes)) => bytes,
                Some(Err(PartError::Expired)) if renewed < RENEWALS => {
                    renewed += 1;
                    file = Arc::new(self.renewed(wanted).await?);
                    ahead = FuturesOrdered::new();
                    asked = offset;
                    continue;
                }
                Some(Err(error)) => return Err(error.into()),
            };
            renewed = 0;
            out.write_all(&bytes).map_err(|e| written(&e))?;
            offset += bytes.len() as u64;
            if (bytes.len() as u64) < part {
                return Ok(offset);
            }
        }
    }

    /// The same file with a reference that holds.
    async fn renewed(&self, wanted: &Wanted<'_>) -> ToolResult<File> {
        let message = self.by_ids(wanted.chat, &[wanted.message]).await?;
        let message = message.into_iter().next().flatten();
        let file = message
            .as_ref()
            .and_then(|message| message.media.as_ref()?.file());
        match file {
            Some(file) if file.id == wanted.file.id => Ok(file.clone()),
            Some(_) => Err(ToolError::new(
                ErrorKind::Conflict,
                "the message carries another file now",
            )),
            None => Err(ToolError::not_found("the message no longer carries the file")),
        }
    }

    async fn part(
        &self,
        file: &File,
        dc: &AtomicI32,
        offset: u64,
        gate: &Semaphore,
    ) -> Result<Vec<u8>, PartError> {
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
        let _turn = gate
            .acquire()
            .await
            .map_err(|e| ToolError::internal(e.to_string()))?;
        for _ in 0..3 {
            let home = dc.load(Ordering::Relaxed);
            self.sign_in_at(home).await?;
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
                    .from_source("telegram")
                    .into());
                }
                Err(failed) => match failed.migrate_to() {
                    Some(other) => dc.store(other, Ordering::Relaxed),
                    None if failed.is("FILE_REFERENCE_*") || failed.is("FILEREF_UPGRADE_NEEDED") => {
                        return Err(PartError::Expired);
                    }
                    None => return Err(failed.told().into()),
                },
            }
        }
        Err(ToolError::new(
            ErrorKind::ProviderRejected,
            "the data centres send each other for the file",
        )
        .from_source("telegram")
        .into())
    }
}
