//! `chats.yml`: the listing for other programs, through a real YAML writer.

use app_core::{ToolError, ToolResult};
use serde::Serialize;
use serde_saphyr::DoubleQuoted;
use telegram::listing::{Listed, stamp};

/// One chat of the file.
#[derive(Serialize)]
struct Item<'a> {
    title: DoubleQuoted<&'a str>,
    id: i64,
    #[serde(rename = "type")]
    kind: &'static str,
    unread: i32,
    last_message: DoubleQuoted<String>,
}

/// The whole file.
pub fn file(chats: &[Listed], bare_ids: bool) -> ToolResult<String> {
    let mut text = "# Активные чаты Telegram\n".to_owned();
    if let Some(newest) = chats.first() {
        text.push_str(&format!(
            "# Обновлено: {}\n\n",
            stamp(newest.last_message, "%d.%m.%Y %H:%M")
        ));
    }
    text.push_str(if chats.is_empty() {
        "chats: []\n"
    } else {
        "chats:\n"
    });
    for chat in chats {
        let item = [Item {
            title: DoubleQuoted(&chat.title),
            id: chat.shown_id(bare_ids),
            kind: chat.chat_type.word(),
            unread: chat.unread,
            last_message: DoubleQuoted(stamp(chat.last_message, "%d.%m.%Y %H:%M:%S")),
        }];
        let item = serde_saphyr::to_string(&item).map_err(|e| ToolError::internal(e.to_string()))?;
        for line in item.trim_end().lines() {
            text.push_str(&format!("  {line}\n"));
        }
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use telegram::listing::ListedKind;
    use telegram::model::MarkedId;

    use super::*;

    #[test]
    fn titles_of_any_kind_are_read_back_as_they_were() -> Result<(), Box<dyn std::error::Error>> {
        let titles = [
            "Demo chat",
            "a \"quoted\" \\ title",
            "two\nlines",
            "yes",
            "# no comment: really",
            "Сад 🌿\u{200d}",
            "",
        ];
        let chats: Vec<Listed> = titles
            .iter()
            .map(|title| Listed {
                title: (*title).to_owned(),
                id: MarkedId(-1_000_000_001_001),
                last_message: Timestamp::from_second(1_735_787_045).unwrap_or_default(),
                unread: 5,
                chat_type: ListedKind::Channel,
            })
            .collect();
        let text = file(&chats, true)?;
        let begin = "# Активные чаты Telegram\n# Обновлено: 02.01.2025 03:04\n\nchats:\n  - title: \"Demo chat\"\n    id: 1001\n    \
             type: channel\n    unread: 5\n    last_message: \"02.01.2025 03:04:05\"\n\n";
        assert!(text.starts_with(begin), "{text}");
        let read: serde_json::Value = serde_saphyr::from_str(&text)?;
        for (n, title) in titles.iter().enumerate() {
            assert_eq!(read["chats"][n]["title"], *title, "{text}");
            assert_eq!(read["chats"][n]["last_message"], "02.01.2025 03:04:05");
        }
        let empty: serde_json::Value = serde_saphyr::from_str(&file(&[], false)?)?;
        assert_eq!(empty["chats"], serde_json::json!([]));
        Ok(())
    }
}
