//! The summary of a run, as it stands in `run.json`.

use app_core::{Artifact, ToolError, Usd, state::Decision};
use jiff::Timestamp;
use job_manager::RunMode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Value of `format` in a `run.json` this version writes.
pub(crate) const FORMAT: &str = "onejob.campaign_run.v1";

/// `run.json`: the run summary.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Run {
    /// Always `onejob.campaign_run.v1`.
    pub(crate) format: String,
    /// Id of the run; also the name of its folder. Never changes.
    pub(crate) id: String,
    /// Name of the campaign.
    pub(crate) name: String,
    /// What it is for.
    pub(crate) objective: String,
    /// Tells it from every other run, also from one of the same id in another folder.
    #[serde(default)]
    pub(crate) key: String,
    /// Whether its steps act or plan.
    #[serde(default)]
    pub(crate) mode: RunMode,
    /// Where it stands.
    pub(crate) status: RunStatus,
    /// Start.
    pub(crate) started_at: Timestamp,
    /// End of the last attempt.
    pub(crate) finished_at: Option<Timestamp>,
    /// SHA-256 of the campaign file.
    pub(crate) campaign_sha256: String,
    /// Values the steps refer to.
    #[serde(default)]
    pub(crate) vars: Map<String, Value>,
    /// Money spent.
    pub(crate) cost_usd: Usd,
    /// The steps, in the order of the file.
    pub(crate) steps: Vec<StepRun>,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunStatus {
    Running,
    WaitingForApproval,
    Succeeded,
    Failed,
    /// Somebody said no to one of its steps.
    Rejected,
    Cancelled,
}

/// One step of a run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct StepRun {
    /// Id in the campaign file.
    pub(crate) id: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    /// Tool; absent for an approval.
    pub(crate) tool: Option<String>,
    /// Version of the tool.
    #[serde(default)]
    pub(crate) version: Option<String>,
    /// Where it stands.
    pub(crate) status: StepStatus,
    /// Steps that had to come before.
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    /// The job that ran it.
    #[serde(default)]
    pub(crate) job_id: Option<String>,
    /// How often it was started.
    #[serde(default)]
    pub(crate) attempt: u32,
    /// Start.
    #[serde(default)]
    pub(crate) started_at: Option<Timestamp>,
    /// End.
    #[serde(default)]
    pub(crate) finished_at: Option<Timestamp>,
    /// Milliseconds it took.
    #[serde(default)]
    pub(crate) duration_ms: Option<u64>,
    /// Money spent.
    #[serde(default)]
    pub(crate) cost_usd: Usd,
    /// The input as the tool got it; secrets are `***`.
    #[serde(default)]
    pub(crate) input: Value,
    /// What the tool returned.
    #[serde(default)]
    pub(crate) output: Value,
    /// Files it made; paths are relative to the run's folder.
    #[serde(default)]
    pub(crate) artifacts: Vec<Artifact>,
    /// Why it failed.
    #[serde(default)]
    pub(crate) error: Option<Box<ToolError>>,
    /// What a person is asked, for an approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) question: Option<String>,
    /// What was asked and said, for an approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) approval: Option<Approval>,
    /// Who approved it, for an approval.
    #[serde(default)]
    pub(crate) approved_by: Option<String>,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StepStatus {
    Pending,
    Running,
    WaitingForApproval,
    Succeeded,
    Failed,
    /// A step it needs failed.
    Skipped,
}

/// What people were asked for a step, and what they said.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Approval {
    /// The request in the store of approvals.
    pub(crate) request: String,
    /// How many different people must agree.
    pub(crate) needed: u32,
    /// When they were asked.
    pub(crate) asked_at: Timestamp,
    /// What they are shown; a decision counts for exactly this.
    pub(crate) shown: Vec<Shown>,
    /// What was said, in order.
    #[serde(default)]
    pub(crate) said: Vec<Said>,
}

/// One thing that is shown to whoever decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Shown {
    /// `question`, `campaign.yml`, `input of STEP`, or a file of the run.
    pub(crate) what: String,
    /// Its SHA-256.
    pub(crate) sha256: String,
}

/// What somebody said.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Said {
    /// The principal: the face and the user whom it knows.
    pub(crate) by: String,
    /// When.
    pub(crate) at: Timestamp,
    /// Yes or no.
    pub(crate) decision: Decision,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) comment: String,
}

impl StepStatus {
    /// The word for it in files and events.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::WaitingForApproval => "waiting_for_approval",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

impl RunStatus {
    /// The word for it for people.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::WaitingForApproval => "waiting for approval",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
        }
    }
}
