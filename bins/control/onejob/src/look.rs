//! Shows jobs, what they wrote and made, and runs.

use std::time::Duration;

use app_core::{
    Context, ErrorKind, ToolError, ToolResult,
    state::{RunFilter, Runs},
};
use job_manager::{ArtifactState, JobFilter, ListRequest, LogRequest, Role};

use crate::{
    follow,
    input::{Artifact, Input, List},
    open, unknown,
    view::Output,
};

/// Shows jobs and runs.
pub(crate) async fn looking(input: Input, ctx: &Context) -> ToolResult<Output> {
    match input {
        Input::ListTools(it) => {
            let jobs = open(ctx, Role::Client)?;
            Ok(match it.tool {
                Some(name) => Output::Tools {
                    tools: vec![jobs.tool(&name).await?],
                },
                None if it.short => Output::ToolList(jobs.tool_list().await?),
                None => Output::Tools {
                    tools: jobs.list_tools().await?,
                },
            })
        }
        Input::Get(it) => Ok(Output::Job(Box::new(
            open(ctx, Role::Client)?.get(it.id.parse()?).await?,
        ))),
        Input::List(it) => Ok(Output::Page(
            open(ctx, Role::Client)?.list(list_request(it)?).await?,
        )),
        Input::Logs(it) => {
            let jobs = open(ctx, Role::Client)?;
            let request = LogRequest {
                after: it.after,
                tail: it.tail,
                stream: it.stream,
                attempt: it.attempt,
                limit: it.limit,
            };
            let id = it.id.parse()?;
            Ok(Output::Log(if it.follow {
                follow::log(&jobs, id, request, ctx).await?
            } else {
                jobs.logs(id, request).await?
            }))
        }
        Input::Wait(it) => {
            let jobs = open(ctx, Role::Client)?;
            let limit = it
                .timeout
                .map(|s| Duration::try_from_secs_f64(s).unwrap_or(Duration::MAX));
            follow::to_the_end(&jobs, it.id.parse()?, ctx, None, limit).await
        }
        Input::Watch(it) => {
            let jobs = open(ctx, Role::Client)?;
            Ok(Output::Watched {
                position: follow::watch(&jobs, &it, ctx).await?,
            })
        }
        Input::Status(_) => Ok(Output::Status(open(ctx, Role::Client)?.status().await?)),
        Input::Artifact(it) => artifact(it, ctx).await,
        Input::Runs(it) => {
            let filter = RunFilter {
                tool: it.tool,
                failed: it.failed,
                before: it.before,
                limit: it.limit,
            };
            Ok(Output::Runs {
                runs: Runs::open(ctx.state_dir()?)?.list(&filter)?,
            })
        }
        Input::Prune(it) => {
            if ctx.dry_run() {
                return Err(ToolError::invalid(
                    "dry_run",
                    "what pruning would remove is not known before",
                ));
            }
            let jobs = open(ctx, Role::Client)?;
            Ok(Output::Pruned(jobs.prune(it.keep_days, it.keep_count).await?))
        }
        Input::Fallbacks(_) => Ok(Output::Fallbacks {
            fallbacks: open(ctx, Role::Client)?.fallbacks().await?,
        }),
        _ => Err(unknown()),
    }
}

fn list_request(it: List) -> ToolResult<ListRequest> {
    Ok(ListRequest {
        filter: JobFilter {
            states: it.state.iter().map(|s| s.name().to_owned()).collect(),
            tools: it.tool,
            families: it.family,
            requested_by: it.by,
            mode: it.mode,
            effects: it.effect.into_iter().collect(),
            since: it.since,
            until: it.until,
            retry_of: it.retry_of.map(|id| id.parse()).transpose()?,
            has_artifacts: it.has_artifacts,
            text: it.text_in,
        },
        before: it.before.map(|id| id.parse()).transpose()?,
        after: it.after.map(|id| id.parse()).transpose()?,
        counts: it.counts,
        limit: it.limit,
    })
}

/// Says how a file is, and copies it where that is asked for.
async fn artifact(it: Artifact, ctx: &Context) -> ToolResult<Output> {
    let opened = open(ctx, Role::Client)?
        .artifact(it.id.parse()?, it.number)
        .await?;
    let info = opened.info;
    let path = info.path.display().to_string();
    match (opened.file, it.output) {
        (None, _) => {
            let (kind, what) = match info.state {
                ArtifactState::Gone => (ErrorKind::NotFound, "is gone"),
                _ => (ErrorKind::Conflict, "is not the file any more that the job made"),
            };
            Err(ToolError::new(kind, format!("`{path}` {what}"))
                .from_source("file")
                .with_output(&info))
        }
        (Some(mut file), Some(to)) if !ctx.dry_run() => {
            let mut copy = ctx.create(&to, &info.artifact.media_type, &info.artifact.role)?;
            std::io::copy(&mut file, &mut copy).map_err(|e| ToolError::file("copy", &to, &e))?;
            copy.commit()?;
            Ok(Output::Artifact(info))
        }
        (Some(_), _) => Ok(Output::Artifact(info)),
    }
}
