//! A message that is sent once under its key.
//!
//! The number by which Telegram recognises a repeated message is derived from the key, and what became of it is kept
//! here, because Telegram forgets such numbers after some time.

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use telegram::{Chat, Outgoing, Telegram};

/// What is known of a key.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    /// Digest of the text.
    text: String,
    /// How often Telegram refused it; each refusal takes a new number.
    refusals: u32,
    /// The newest message of the chat before it was sent.
    after: i32,
    /// Its number once it was sent.
    #[serde(default)]
    sent: Option<i32>,
}

/// What became of it.
pub struct Once {
    /// Number of the message; 0 when unknown.
    pub id: i32,
    /// It had been sent before.
    pub repeated: bool,
}

/// Sends it unless that has been done.
///
/// # Errors
/// `conflict` when the key belongs to another text, else those of sending.
pub async fn send(
    key: &str,
    message: &mut Outgoing,
    chat: &Chat,
    telegram: &Telegram,
    ctx: &Context,
) -> ToolResult<Once> {
    let account = telegram.me()?.id;
    let checkpoint = ctx.checkpoint(&format!("{account} {} {key}", chat.id()))?;
    let text = digest(&[&message.text]);
    let known: Option<Record> = checkpoint.load()?;
    if let Some(record) = &known
        && record.text != text
    {
        return Err(ToolError::new(
            ErrorKind::Conflict,
            format!("the key `{key}` was used for another text in this chat"),
        )
        .code("idempotency_key_reused")
        .field("idempotency_key")
        .hint("every message needs a key of its own"));
    }
    let mut record = match known {
        Some(Record { sent: Some(id), .. }) => return Ok(Once { id, repeated: true }),
        Some(record) => {
            // An earlier run got as far as sending; Telegram may have forgotten its number by now.
            if let Some(id) = telegram.find_sent(chat, message, record.after).await? {
                checkpoint.save(&Record {
                    sent: Some(id),
                    ..record
                })?;
                return Ok(Once { id, repeated: true });
            }
            record
        }
        None => Record {
            text,
            after: telegram.newest_id(chat).await?,
            ..Record::default()
        },
    };
    message.random_id = number(&[
        &account.to_string(),
        &chat.id().to_string(),
        key,
        &record.refusals.to_string(),
    ]);
    checkpoint.save(&record)?;
    match telegram.send_text(chat, message).await {
        Ok(sent) => {
            let id = match sent.id {
                // The answer to the first request was lost and the second one recognised.
                0 => telegram
                    .find_sent(chat, message, record.after)
                    .await?
                    .unwrap_or_default(),
                id => id,
            };
            record.sent = Some(id);
            checkpoint.save(&record)?;
            Ok(Once { id, repeated: false })
        }
        Err(error) => {
            if error.context.contains_key("telegram_error") && error.kind != ErrorKind::ProviderUnavailable {
                // A clear refusal: the number is used up, the message is not sent.
                record.refusals += 1;
                checkpoint.save(&record)?;
            }
            Err(error)
        }
    }
}

fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    format!("{:x}", hash.finalize())
}

/// A number from texts; never 0.
fn number(parts: &[&str]) -> i64 {
    let digest = digest(parts);
    i64::from_str_radix(&digest[..15], 16).unwrap_or_default() | 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_depends_on_every_part_and_is_never_zero() {
        assert_eq!(number(&["1", "2"]), number(&["1", "2"]));
        assert_ne!(number(&["1", "2"]), number(&["12", ""]));
        assert_ne!(number(&["1", "2", "k", "0"]), number(&["1", "2", "k", "1"]));
        assert_ne!(number(&[]), 0);
    }
}
