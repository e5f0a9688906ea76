//! Gather the questions, decide which go now, send each once.

use std::time::Duration;

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use telegram::acting::fresh_random_id;
use telegram::bulk::{self, State, shorten};
use telegram::clean::stops;
use telegram::{ByTitle, Chat, Outgoing, Telegram};

use crate::list::{self, Question};
use crate::store::{self, Delivery, Store};
use crate::{Input, Output, Posted};

/// Largest list of questions.
const LARGEST_LIST: u64 = 10_000_000;

pub async fn run(input: &Input, ctx: &Context) -> ToolResult<Output> {
    let listed = match &input.questions {
        Some(path) => list::read(&String::from_utf8_lossy(&ctx.read(path, LARGEST_LIST)?))?,
        None if input.database.is_file() => Vec::new(),
        None => {
            return Err(ToolError::not_found(format!(
                "there are no questions: `{}` does not exist",
                input.database.display()
            ))
            .field("database")
            .hint("write them into a YAML list and name it: send_viral_question questions.yml"));
        }
    };
    // The session's lock also keeps a second run from reading the database before this one has written to it.
    Telegram::session(ctx, async |telegram| all(input, listed, telegram, ctx).await).await
}

async fn all(input: &Input, listed: Vec<Question>, telegram: &Telegram, ctx: &Context) -> ToolResult<Output> {
    if ctx.dry_run() {
        let stored = if input.database.is_file() {
            store::look(&input.database)?
        } else {
            Vec::new()
        };
        let due = list::due(&list::merge(stored, listed));
        let mut output = output(&due, input.max, true);
        for item in &mut output.items {
            match telegram.resolve(&item.chat, ByTitle::No).await {
                Ok(chat) => item.name(&chat),
                Err(error) if stops(&error) => return Err(error),
                Err(error) => item.fail(&error),
            }
        }
        output.errors = output
            .items
            .iter()
            .filter(|item| item.state == State::Failed)
            .count();
        return Ok(output);
    }
    let mut store = Store::open(&input.database)?;
    let merged = list::merge(store.questions()?, listed);
    store.keep(&merged)?;
    let due = list::due(&store.questions()?);
    let mut output = output(&due, input.max, false);
    let last = output.items.len().saturating_sub(1);
    for (n, question) in due.iter().take(input.max).enumerate() {
        let item = &mut output.items[n];
        match post(item, question, telegram, &mut store, ctx).await {
            Ok(()) => {}
            Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
            Err(error) if stops(&error) && error.code != "slowmode_wait" => {
                ctx.warn(format!("stopped: {}", error.message));
                for item in &mut output.items[n..] {
                    item.state = State::Left;
                    item.error = Some(bulk::reason(&error));
                }
                break;
            }
            Err(error) => item.fail(&error),
        }
        match item.state {
            State::Done => output.sent += 1,
            State::Failed => output.errors += 1,
            _ => {}
        }
        ctx.count_items(1);
        if output.items[n].state == State::Done && n < last && input.delay > 0.0 {
            telegram.sleep(Duration::from_secs_f64(input.delay)).await?;
        }
    }
    Ok(output)
}

fn output(due: &[Question], max: usize, planned: bool) -> Output {
    let items = due.iter().take(max).map(|question| Posted {
        question: question.id,
        chat: question.chat.clone(),
        title: None,
        chat_id: None,
        preview: shorten(&question.text.replace('\n', " "), 80, "…"),
        state: State::Planned,
        message_id: None,
        error: None,
    });
    Output {
        items: items.collect(),
        sent: 0,
        errors: 0,
        waiting: due.len().saturating_sub(max),
        planned,
    }
}

impl Posted {
    fn name(&mut self, chat: &Chat) {
        self.title = Some(chat.title());
        self.chat_id = Some(chat.id().0);
    }

    fn fail(&mut self, error: &ToolError) {
        self.state = State::Failed;
        self.error = Some(if error.context.contains_key("telegram_error") {
            bulk::reason(error)
        } else {
            error.message.clone()
        });
    }
}

/// Sends one question, or finds out that an earlier run did.
async fn post(
    item: &mut Posted,
    question: &Question,
    telegram: &Telegram,
    store: &mut Store,
    ctx: &Context,
) -> ToolResult<()> {
    let id = question
        .id
        .ok_or_else(|| ToolError::internal("a question without a number"))?;
    let chat = telegram.resolve(&question.chat, ByTitle::No).await?;
    item.name(&chat);
    let mut message = Outgoing {
        text: question.text.clone(),
        ..Outgoing::default()
    };
    let delivery = match store.delivery(id)? {
        Some(begun) if begun.chat != chat.id().0 => {
            return Err(ToolError::new(
                ErrorKind::Conflict,
                format!(
                    "an earlier run may have sent it to the chat {}, which `{}` named then",
                    begun.chat, question.chat
                ),
            ));
        }
        Some(begun) => {
            if let Some(found) = telegram.find_sent(&chat, &message, begun.after).await? {
                store.sent(id, found, ctx.now())?;
                item.state = State::Already;
                item.message_id = Some(found);
                return Ok(());
            }
            begun
        }
        None => {
            let fresh = Delivery {
                chat: chat.id().0,
                random_id: fresh_random_id(),
                after: telegram.newest_id(&chat).await?,
            };
            store.begin(id, fresh, ctx.now())?;
            fresh
        }
    };
    message.random_id = delivery.random_id;
    match telegram.send_text(&chat, &message).await {
        Ok(sent) => {
            let number = match sent.id {
                // Telegram recognised the number: it had been sent, only the answer was lost.
                0 => telegram
                    .find_sent(&chat, &message, delivery.after)
                    .await?
                    .unwrap_or_default(),
                number => number,
            };
            store.sent(id, number, ctx.now())?;
            item.state = State::Done;
            item.message_id = (number > 0).then_some(number);
            Ok(())
        }
        Err(error) => {
            let refused = error.context.contains_key("telegram_error")
                && error.kind != ErrorKind::ProviderUnavailable
                || error.kind == ErrorKind::InvalidInput;
            if refused {
                store.forget(id)?;
            }
            Err(error)
        }
    }
}
