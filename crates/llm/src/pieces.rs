//! An answer while it is made.

use app_core::ToolResult;
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    call::{Call, Piece, Reply},
    client::Llm,
};

/// The pieces of an answer. Dropping it ends the call; what it has cost by then is still settled.
#[derive(Debug)]
pub struct Pieces {
    texts: mpsc::Receiver<String>,
    call: Option<JoinHandle<ToolResult<Reply>>>,
    stop: CancellationToken,
}

impl Pieces {
    /// Starts the call.
    pub(crate) fn of(llm: Llm, call: Call) -> Self {
        let (send, texts) = mpsc::channel(64);
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            let mut waiting = String::new();
            let mut say = |text: &str| {
                // A reader that lags behind gets the rest in larger pieces; the call never waits for it.
                waiting.push_str(text);
                if let Ok(place) = send.try_reserve() {
                    place.send(std::mem::take(&mut waiting));
                }
            };
            let ended = llm.ask(&call, &stopped, &mut say).await;
            if !waiting.is_empty() {
                // A reader that is gone wants no rest.
                let _ = send.send(waiting).await;
            }
            ended
        });
        Self {
            texts,
            call: Some(task),
            stop,
        }
    }

    /// The next piece; `None` after the last. The last is [`Piece::End`], or the error that an answer which is not
    /// finished is.
    pub async fn next(&mut self) -> Option<ToolResult<Piece>> {
        if let Some(text) = self.texts.recv().await {
            return Some(Ok(Piece::Text(text)));
        }
        let ended = self.call.take()?.await;
        Some(match ended {
            Ok(Ok(reply)) => Ok(Piece::End(Box::new(reply))),
            Ok(Err(error)) => Err(error),
            Err(failed) => match failed.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(app_core::ToolError::cancelled()),
            },
        })
    }

    /// Ends the call now, and waits until its cost is settled.
    pub async fn stop(mut self) {
        self.stop.cancel();
        self.texts.close();
        if let Some(call) = self.call.take() {
            // How it ended was not wanted.
            let _ = call.await;
        }
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
