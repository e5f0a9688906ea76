//! Files in parts, down and up.

use grammers_tl_types::{Serializable, enums, functions, types};
use serde_json::json;

use super::media::{self, REFERENCE};
use super::objects;
use super::rpc::{Call, Outcome};
use super::state::Refusal;

pub(super) fn get(call: &mut Call<'_>, request: &functions::upload::GetFile) -> Outcome {
    let (id, hash, reference, thumb, kind) = match &request.location {
        enums::InputFileLocation::InputDocumentFileLocation(at) => (
            at.id,
            at.access_hash,
            &at.file_reference,
            &at.thumb_size,
            enums::storage::FileType::FilePartial,
        ),
        enums::InputFileLocation::InputPhotoFileLocation(at) => (
            at.id,
            at.access_hash,
            &at.file_reference,
            &at.thumb_size,
            enums::storage::FileType::FileJpeg,
        ),
        _ => return Err(Refusal::new("LOCATION_INVALID")),
    };
    call.note(json!({"id": id, "offset": request.offset, "limit": request.limit, "dc": call.dc}));
    if hash != objects::access_hash(id) {
        return Err(Refusal::new("LOCATION_INVALID"));
    }
    if reference != REFERENCE {
        return Err(Refusal::new("FILE_REFERENCE_EXPIRED"));
    }
    let limit = i64::from(request.limit);
    let grain = if request.precise { 1024 } else { 4096 };
    let whole_parts = limit > 0
        && limit % grain == 0
        && limit <= 1024 * 1024
        && (request.precise || 1024 * 1024 % limit == 0);
    if !whole_parts {
        return Err(Refusal::new("LIMIT_INVALID"));
    }
    if request.offset < 0 || request.offset % grain != 0 {
        return Err(Refusal::new("OFFSET_INVALID"));
    }
    let Some((size, dc)) = call.state.files.get(&id).copied() else {
        return Err(Refusal::new("LOCATION_INVALID"));
    };
    if dc != call.dc {
        return Err(Refusal::new(&format!("FILE_MIGRATE_{dc}")));
    }
    let size = if thumb == "m" { 900 } else { size };
    let bytes = match call.state.uploaded.get(&id) {
        Some(uploaded) => {
            let from = usize::try_from(request.offset)
                .unwrap_or_default()
                .min(uploaded.len());
            let to = (from + limit as usize).min(uploaded.len());
            uploaded[from..to].to_vec()
        }
        None => media::bytes(id, size, request.offset, limit),
    };
    Ok(enums::upload::File::File(types::upload::File {
        r#type: kind,
        mtime: 1_600_000_000,
        bytes,
    })
    .to_bytes())
}

fn part(call: &mut Call<'_>, id: i64, number: i32, bytes: &[u8]) -> Outcome {
    call.note(json!({"id": id, "part": number, "bytes": bytes.len()}));
    if bytes.is_empty() || bytes.len() > 512 * 1024 {
        return Err(Refusal::new("FILE_PART_SIZE_INVALID"));
    }
    call.state
        .uploads
        .entry(id)
        .or_default()
        .insert(number, bytes.to_vec());
    Ok(true.to_bytes())
}

pub(super) fn save(call: &mut Call<'_>, request: &functions::upload::SaveFilePart) -> Outcome {
    part(call, request.file_id, request.file_part, &request.bytes)
}

pub(super) fn save_big(call: &mut Call<'_>, request: &functions::upload::SaveBigFilePart) -> Outcome {
    part(call, request.file_id, request.file_part, &request.bytes)
}
