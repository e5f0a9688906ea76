//! Asks a model one question, for the tests of this crate: the three steps of every tool that does.

use app_core::{Context, Definition, Effect, Policy, Tool, ToolError, ToolResult};
use garde::Validate;
use llm::{Call, Chosen, ModelOptions, Needs, Piece, Plan, Typed, Untyped, Usage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn main() -> std::process::ExitCode {
    app_core::main::<Ask>()
}

struct Ask;

#[derive(Serialize, Deserialize, JsonSchema, Validate)]
struct Input {
    /// The question.
    #[garde(skip)]
    question: String,
    /// Most tokens of the answer.
    #[serde(default = "hundred")]
    #[garde(range(min = 1))]
    max_output: u32,
    /// Ask for claims.
    #[serde(default)]
    #[garde(skip)]
    claims: bool,
    /// Print the answer while it is made.
    #[serde(default)]
    #[garde(skip)]
    streamed: bool,
    /// Personal data are the product.
    #[serde(default)]
    #[garde(skip)]
    personal: bool,
    /// How often to ask.
    #[serde(default = "one")]
    #[garde(range(min = 1, max = 100))]
    times: u32,
    #[serde(flatten)]
    #[garde(dive)]
    model: ModelOptions,
}

fn hundred() -> u32 {
    100
}

fn one() -> u32 {
    1
}

#[derive(Debug, Default, Serialize, JsonSchema)]
struct Output {
    text: String,
    pieces: u32,
    claims: Option<Claims>,
    repaired: bool,
    cached: bool,
    usage: Usage,
    cost_usd: f64,
    plan: Option<Plan>,
}

/// What the model is asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema, Validate)]
struct Claims {
    #[garde(dive)]
    claims: Vec<Claim>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema, Validate)]
struct Claim {
    #[garde(length(min = 1, max = 200))]
    text: String,
    #[garde(skip)]
    cites: Vec<String>,
    #[serde(default)]
    #[garde(range(max = 9))]
    weight: u8,
}

impl Tool for Ask {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        Definition::new("ask", "0.1.0", "Asks a model one question", "ai")
            .effects(&[Effect::Reads, Effect::Spends])
            .policy(
                Policy::with_timeout(std::time::Duration::from_secs(60)),
                "the tests wait for it",
            )
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let needs = Needs {
            personal_data: input.personal,
            unending: false,
        };
        let Chosen::Model(model) = llm::choose(ctx, &input.model, &needs).await? else {
            return Ok(Output {
                text: llm::offline::LABEL.to_owned(),
                ..Output::default()
            });
        };
        let mut call = Call::new("ask", input.max_output)
            .system("Answer.")
            .user(&input.question)
            .temperature(0.5);
        if input.claims {
            call = call.asking_for::<Claims>();
        }
        let plan = model.plan(&vec![call.clone(); input.times as usize])?;
        let mut output = Output::default();
        if !model.admit(&plan)? {
            output.plan = Some(plan);
            return Ok(output);
        }
        for _ in 0..input.times {
            if input.claims {
                match model.complete_as::<Claims>(&call).await {
                    Ok(Typed {
                        value,
                        reply,
                        cost,
                        repaired,
                    }) => {
                        output.claims = Some(value);
                        (output.repaired, output.cost_usd) = (repaired, cost.dollars());
                        output.usage = reply.usage;
                    }
                    Err(Untyped::Failed(error)) => return Err(*error),
                    Err(Untyped::Unparsed(unparsed)) => {
                        unparsed.keep(std::path::Path::new("answer.txt"))?;
                        return Err(unparsed.error());
                    }
                }
                continue;
            }
            let reply = if input.streamed {
                let mut pieces = model.stream(call.clone());
                loop {
                    match pieces.next().await {
                        Some(Ok(Piece::Text(_))) => output.pieces += 1,
                        Some(Ok(Piece::End(reply))) => break *reply,
                        Some(Err(error)) => return Err(error),
                        None => return Err(ToolError::internal("a stream without an end")),
                    }
                }
            } else {
                model.complete(&call).await?
            };
            output.text = reply.text;
            (output.cached, output.usage) = (reply.cached, reply.usage);
            output.cost_usd += reply.cost.dollars();
        }
        Ok(output)
    }
}
