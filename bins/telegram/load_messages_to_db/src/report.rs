//! What is told at the end.

use std::fmt;

use app_core::text::visible_line;

use crate::Output;

/// The report, in the words of the replaced script.
pub fn write(output: &Output, out: &mut dyn fmt::Write) -> fmt::Result {
    if let Some(since) = &output.since {
        writeln!(out, "📅 Фильтр: сообщения с {since}")?;
    }
    if output.planned {
        writeln!(out, "План: сообщения были бы записаны в {}", output.database)?;
    } else if output.database.starts_with("mysql:") {
        writeln!(out, "✅ Подключено к MySQL")?;
    } else {
        writeln!(out, "✅ База данных: {}", output.database)?;
    }
    writeln!(out, "✅ Подключено к Telegram")?;
    if let Some(dialogs) = output.dialogs {
        writeln!(
            out,
            "📋 Загружаю диалоги Telegram...\n  ✅ Загружено {dialogs} диалогов"
        )?;
    }
    for chat in &output.chats {
        writeln!(
            out,
            "\n📥 Загружаю сообщения из: {} (id={})",
            visible_line(&chat.title),
            chat.id
        )?;
        for refused in &chat.refused {
            writeln!(
                out,
                "  ⚠️ Ошибка вставки сообщения {}: {}",
                refused.id, refused.reason
            )?;
        }
        match &chat.error {
            Some(error) => writeln!(out, "  ❌ Ошибка: {error}")?,
            None if output.planned => {}
            None => writeln!(
                out,
                "  ✅ Загружено: {} сообщений (пропущено: {})",
                chat.stored, chat.skipped
            )?,
        }
    }
    if output.planned {
        return Ok(());
    }
    writeln!(
        out,
        "\n🎉 Готово! Всего загружено: {} сообщений из {} чатов",
        output.messages, output.complete
    )
}
