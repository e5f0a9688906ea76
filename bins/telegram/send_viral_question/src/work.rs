//! Gather the questions, decide which go now, send each once.

use std::time::Duration;

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use telegram::acting::fresh_random_id;
use telegram::bulk::{self, State, shorten};
use telegram::many::{self, Many, Tally};
use telegram::{ByTitle, Outgoing, Telegram};

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
    let database = format!("sqlite:{}", input.database.display());
    if !ctx.may("store_rows", &database, "questions") {
        return planned(input, listed, telegram).await;
    }
    let mut store = Store::open(&input.database)?;
    let merged = list::merge(store.questions()?, listed);
    store.keep(&merged)?;
    let due = list::due(&store.questions()?);
    let mut output = output(&due, input.max, false);
    name(&mut output.items, telegram).await?;
    let many = Many::new(telegram, "send_message", "questions");
    many.ask(&mut output.items);
    let delay = Duration::from_secs_f64(input.delay);
    let act = async |item: &mut Posted| {
        let question = due.iter().find(|question| question.id == item.question);
        let question = question.ok_or_else(|| ToolError::internal("a question that nobody asked"))?;
        post(item, question, telegram, &mut store, ctx).await
    };
    let outcome = many.run(&mut output.items, act, |_| delay).await;
    let tally = Tally::of(&output.items);
    (output.sent, output.errors) = (tally.done, tally.failed);
    // A run that was told to stop says below what it did.
    match outcome {
        Err(error) if error.kind != ErrorKind::Cancelled => Err(error),
        _ => Ok(output),
    }
}

/// What would be sent, without touching the database.
async fn planned(input: &Input, listed: Vec<Question>, telegram: &Telegram) -> ToolResult<Output> {
    let stored = if input.database.is_file() {
        store::look(&input.database)?
    } else {
        Vec::new()
    };
    let due = list::due(&list::merge(stored, listed));
    let mut output = output(&due, input.max, true);
    name(&mut output.items, telegram).await?;
    Many::new(telegram, "send_message", "questions").ask(&mut output.items);
    output.errors = Tally::of(&output.items).failed;
    Ok(output)
}

/// Finds out which chats are meant, before the first question is sent.
async fn name(items: &mut [Posted], telegram: &Telegram) -> ToolResult<()> {
    for item in items {
        match telegram.resolve(&item.chat, ByTitle::No).await {
            Ok(chat) => {
                item.title = Some(chat.title());
                item.chat_id = Some(chat.id().0);
            }
            Err(error) if many::ends(telegram.context(), &error) => return Err(error),
            Err(error) => many::Item::mark(item, State::Failed, Some(reason(&error))),
        }
    }
    Ok(())
}

/// Why it failed, short.
fn reason(error: &ToolError) -> String {
    if error.context.contains_key("telegram_error") {
        bulk::reason(error)
    } else {
        error.message.clone()
    }
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
        digest: app_core::files::sha256(question.text.as_bytes())[..16].to_owned(),
    });
    Output {
        items: items.collect(),
        sent: 0,
        errors: 0,
        waiting: due.len().saturating_sub(max),
        planned,
    }
}

impl many::Item for Posted {
    fn state(&self) -> State {
        self.state
    }
    fn outcome(&mut self) -> (&mut State, &mut Option<String>) {
        (&mut self.state, &mut self.error)
    }
    /// A question has its number only once it is stored, so the plan names it by the digest of its text.
    fn target(&self) -> String {
        format!("chat {} text {}", self.chat_id.unwrap_or_default(), self.digest)
    }
}

/// Sends one question, or finds out that an earlier run did.
async fn post(
    item: &mut Posted,
    question: &Question,
    telegram: &Telegram,
    store: &mut Store,
    ctx: &Context,
) -> ToolResult<State> {
    let id = question
        .id
        .ok_or_else(|| ToolError::internal("a question without a number"))?;
    let chat = telegram.resolve(&question.chat, ByTitle::No).await?;
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
                item.message_id = Some(found);
                return Ok(State::Already);
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
            item.message_id = (number > 0).then_some(number);
            Ok(State::Done)
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
