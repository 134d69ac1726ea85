// Generated from src-tauri/contract. Do not edit: change the Rust and run `UPDATE_CONTRACT=1 cargo test -p whetstone-contract`.

/**
 * Long work in the background.
 */
export type Activity = { id: string, title: string, 
/**
 * What is being done right now, in a few words.
 */
phase: string, 
/**
 * Between 0 and 1; null while it cannot be told.
 */
fraction: number | null, secondsLeft: number | null, state: ActivityState, error: AppError | null, cancellable: boolean, };

export type ActivityId = { activity: string, };

export type ActivityState = "running" | "done" | "failed" | "cancelled";

/**
 * An error as the window shows it: what happened, and what to do next.
 */
export type AppError = { code: ErrorCode, 
/**
 * What happened, one sentence.
 */
message: string, 
/**
 * The cause as it was reported, for those who want it.
 */
detail: string | null, 
/**
 * What to do next.
 */
hint: string | null, };

/**
 * What the workbench tells the window without being asked.
 */
export type AppEvent = { "event": "connectionChanged", connection: Connection, } | { "event": "datasetsChanged", dataset: string | null, } | { "event": "jobsChanged", job: string | null, } | { "event": "activityChanged", activity: Activity, } | { "event": "fileOpened", file: PickedFile, } | { "event": "replyText", request: string, text: string, };

export type BaseModel = { id: string, name: string, provider: string, family: string, summary: string, 
/**
 * This connection trains the bundled small model in its place.
 */
standIn: boolean, lifecycle: Lifecycle, 
/**
 * For example "end of life since 2026-09-10".
 */
lifecycleNote: string | null, tuningRegions: Array<string>, 
/**
 * In words: "prompt and completion", "conversation".
 */
dataFormat: string, minRecords: number, 
/**
 * Training and validation together; null where no limit is documented.
 */
maxRecords: number | null, validationAccepted: boolean, hyperparameters: Array<Hyperparameter>, prices: Array<Price>, 
/**
 * What the sources do not settle about this model.
 */
unverified: Array<string>, sources: Array<string>, };

export type Chart = { 
/**
 * A picture, drawn by the app itself; null while there is no point to draw.
 */
svg: string | null, trainingPoints: number, validationPoints: number, };

/**
 * Colours as `#rrggbb`, taken from the window's tokens.
 */
export type ChartPalette = { ink: string, 
/**
 * Axis labels.
 */
faintInk: string, grid: string, training: string, validation: string, };

export type ChartRequest = { job: string, width: number, height: number, 
/**
 * Weight of the past in the running mean, 0 to 0.99.
 */
smoothing: number, logScale: boolean, palette: ChartPalette, };

/**
 * Which column becomes what.
 */
export type ColumnMapping = { prompt: string, completion: string, system: string | null, };

/**
 * Where calls go.
 */
export type Connection = { 
/**
 * "This computer".
 */
name: string, region: string, endpoint: string | null, 
/**
 * The folder that holds the sandbox's state.
 */
dataFolder: string, state: ConnectionState, 
/**
 * Set when the state is Failed.
 */
error: AppError | null, };

export type ConnectionState = "starting" | "ready" | "failed";

export type DatasetId = { dataset: string, };

export type DatasetSummary = { id: string, name: string, 
/**
 * The name of the file it came from.
 */
source: string, records: number, 
/**
 * Milliseconds since 1970, as every time in the contract.
 */
createdAt: number, split: SplitCounts | null, canUndo: boolean, canRedo: boolean, };

export type DeleteRecordRequest = { dataset: string, position: number, };

export type Deployment = { arn: string, name: string, status: DeploymentStatus, failure: string | null, };

export type DeploymentStatus = "creating" | "active" | "failed";

export type EditRequest = { dataset: string, position: number, turns: Array<Turn>, baseModel: string, };

/**
 * Says what kind of trouble it is. A code exists while some part of the UI acts on it.
 */
export type ErrorCode = "invalidInput" | "fileBroken" | "fileUnavailable" | "notFound" | "refused" | "storage" | "unreachable" | "accessDenied" | "throttled" | "validation" | "cancelled" | "bug";

/**
 * Where an export went; null when the person closed the dialog.
 */
export type ExportOutcome = { folder: string | null, files: Array<string>, };

export type ExportRequest = { dataset: string, baseModel: string, };

export type FieldProblem = { 
/**
 * `jobName`, `modelName`, `dataset`, `baseModel`, or a hyperparameter's key.
 */
field: string, message: string, 
/**
 * A value that would be accepted.
 */
suggestion: string | null, };

/**
 * What a file looks like before it is imported.
 */
export type FilePreview = { file: PickedFile, 
/**
 * In words: "CSV, comma", "JSON Lines, prompt and completion".
 */
format: string, 
/**
 * Column names for a table; empty for formats that know their fields.
 */
columns: Array<string>, 
/**
 * The first rows, a text a column (or prompt and completion where there are no columns).
 */
sample: Array<Array<string>>, 
/**
 * The mapping the app would choose; null where none is needed.
 */
mapping: ColumnMapping | null, 
/**
 * Things worth knowing, such as an encoding that was guessed.
 */
notes: Array<string>, };

export type FileToken = { token: string, };

/**
 * A rule broken.
 */
export type Finding = { rule: string, severity: Severity, 
/**
 * Position of the record from 0; null when it concerns the dataset as a whole.
 */
position: number | null, field: string | null, message: string, hint: string, };

export type FindingsReport = { errors: number, warnings: number, 
/**
 * The first thousand, errors first.
 */
findings: Array<Finding>, };

export type FindingsRequest = { dataset: string, baseModel: string, };

/**
 * A prompt from the hold-out split, and what the record answers.
 */
export type HoldOutPrompt = { position: number, prompt: string, completion: string, };

export type HoldOutRequest = { dataset: string, 
/**
 * Which of the hold-out records, counted round.
 */
index: number, };

export type Hyperparameter = { key: string, label: string, kind: HyperparameterKind, default: string, 
/**
 * What it does, for someone who is not an engineer.
 */
why: string, advanced: boolean, unverified: boolean, };

export type HyperparameterKind = { "kind": "integer", min: number, max: number, } | { "kind": "float", min: number, max: number, } | { "kind": "choice", options: Array<string>, };

/**
 * Either a dataset, or the lines that stand in the way.
 */
export type ImportOutcome = { dataset: DatasetSummary | null, problems: Array<ReadProblem>, 
/**
 * All of them; `problems` holds the first hundred.
 */
problemCount: number, readableRecords: number, };

export type ImportRequest = { token: string, name: string, mapping: ColumnMapping | null, 
/**
 * Leave lines out that cannot be read. Without it such a file is reported and not imported.
 */
skipBroken: boolean, };

export type InsertRequest = { dataset: string, 
/**
 * The new record stands at this position.
 */
position: number, turns: Array<Turn>, };

export type JobDetail = { summary: JobSummary, dataset: string, phases: Array<Phase>, failure: string | null, failureHint: string | null, hyperparameters: { [key in string]: string }, trainingRecords: number, validationRecords: number, holdOutRecords: number, trainingUri: string, outputUri: string, outputModelArn: string | null, modelName: string, progress: Progress | null, deployment: Deployment | null, };

/**
 * A job as the wizard holds it.
 */
export type JobDraft = { baseModel: string, dataset: string, hyperparameters: { [key in string]: string }, jobName: string, modelName: string, };

export type JobId = { job: string, };

/**
 * The draft checked, before anything is uploaded.
 */
export type JobPlan = { 
/**
 * What stands in the way; the job may start when this is empty.
 */
problems: Array<FieldProblem>, errors: number, warnings: number, trainingRecords: number, validationRecords: number, holdOutRecords: number, 
/**
 * Tokens of the training split, counted or estimated as `tokens_note` says.
 */
trainingTokens: number, tokensNote: string, bucket: string, trainingUri: string, outputUri: string, roleArn: string, 
/**
 * In words, with source and date where there is a price: "Free: it runs on this computer."
 */
price: string, priceNote: string, standIn: boolean, };

export type JobStatus = "uploading" | "inProgress" | "completed" | "failed" | "stopping" | "stopped";

export type JobSummary = { 
/**
 * The app's own id; the ARN is there once the job was accepted.
 */
id: string, name: string, arn: string | null, baseModel: string, baseModelName: string, standIn: boolean, datasetName: string, status: JobStatus, createdAt: number, endedAt: number | null, trainingLoss: number | null, validationLoss: number | null, };

export type Lifecycle = "active" | "legacy" | "endOfLife";

/**
 * A call without an argument takes this.
 */
export type Nothing = Record<symbol, never>;

export type Phase = { name: PhaseName, status: PhaseStatus, startedAt: number | null, changedAt: number | null, };

export type PhaseName = "validation" | "dataProcessing" | "training";

export type PhaseStatus = "notStarted" | "inProgress" | "completed" | "stopping" | "stopped" | "failed";

/**
 * A file that the person chose. The window knows it by a token, never by a path of its own making.
 */
export type PickedFile = { token: string, name: string, bytes: number, };

export type PlayableKind = "base" | "tuned";

/**
 * A model that can be asked now, or soon.
 */
export type PlayableModel = { 
/**
 * What is passed as the model id at inference: a base model id or a deployment ARN.
 */
modelId: string, name: string, kind: PlayableKind, standIn: boolean, 
/**
 * The job it came from.
 */
job: string | null, 
/**
 * The base model it was tuned from, or itself.
 */
baseModel: string, 
/**
 * For a tuned model: the dataset whose hold-out records nobody trained on.
 */
dataset: string | null, };

export type Price = { what: string, usd: number, unit: string, source: string, date: string, };

/**
 * What the metrics files say so far.
 */
export type Progress = { 
/**
 * From 0, as in the files.
 */
step: number, 
/**
 * From 0.
 */
epoch: number, 
/**
 * Null where it cannot be told before the end.
 */
totalSteps: number | null, trainingLoss: number, validationLoss: number | null, perplexity: number, secondsLeft: number | null, };

export type PromptRequest = { 
/**
 * Chosen by the window; text events carry it, and cancel names it.
 */
request: string, modelId: string, system: string | null, 
/**
 * The conversation so far, the last turn is the user's.
 */
turns: Array<Turn>, 
/**
 * 0 to 1; 0 always takes the likeliest token.
 */
temperature: number, topP: number, maxTokens: number, stopSequences: Array<string>, };

/**
 * A place in a file that cannot be read.
 */
export type ReadProblem = { line: number, column: number | null, message: string, hint: string, excerpt: string, };

export type RecordDetail = { position: number, turns: Array<Turn>, tokens: number, split: SplitKind | null, findings: Array<Finding>, };

export type RecordRequest = { dataset: string, position: number, 
/**
 * Findings are for this base model.
 */
baseModel: string, };

/**
 * The whole answer, after the last piece was sent as an event.
 */
export type Reply = { text: string, 
/**
 * As the endpoint spells it: `end_turn`, `max_tokens`, `stop_sequence`; `cancelled` when the person stopped it.
 */
stopReason: string, 
/**
 * Null where the endpoint did not tell.
 */
inputTokens: number | null, outputTokens: number | null, firstTokenMs: number | null, totalMs: number, };

export type RequestId = { request: string, };

export type Role = "system" | "user" | "assistant";

/**
 * A record as the table shows it; long texts are cut.
 */
export type Row = { 
/**
 * Position in the dataset, from 0.
 */
position: number, prompt: string, completion: string, 
/**
 * An estimate by the base model's own ratio of characters to tokens.
 */
tokens: number, split: SplitKind | null, };

export type RowWindow = { total: number, offset: number, rows: Array<Row>, };

export type RowsRequest = { dataset: string, 
/**
 * Position of the first row wanted, from 0.
 */
offset: number, count: number, 
/**
 * Tokens are estimated as this base model counts them.
 */
baseModel: string, };

/**
 * A dataset written for this project and bundled with the app.
 */
export type Sample = { id: string, name: string, summary: string, records: number, };

export type SampleId = { sample: string, };

export type Settings = { theme: Theme, };

/**
 * A change of settings; what is null stays as it is.
 */
export type SettingsPatch = { theme: Theme | null, };

export type Severity = "error" | "warning" | "note";

export type SplitCounts = { training: number, validation: number, holdOut: number, seed: number, };

export type SplitKind = "training" | "validation" | "holdOut";

export type SplitRequest = { dataset: string, validationPercent: number, holdOutPercent: number, seed: number, };

/**
 * What the window needs to draw its first picture.
 */
export type Start = { version: string, settings: Settings, connection: Connection, 
/**
 * A file the app was opened with, waiting to be imported.
 */
openedFile: PickedFile | null, };

export type Theme = "system" | "light" | "dark";

export type Turn = { role: Role, text: string, };

/** Every call the window can make: its argument and its answer. */
export interface Commands {
  start: { argument: Nothing; answer: Start };
  patch_settings: { argument: SettingsPatch; answer: Settings };
  connection: { argument: Nothing; answer: Connection };
  reconnect: { argument: Nothing; answer: Connection };
  activities: { argument: Nothing; answer: Array<Activity> };
  cancel_activity: { argument: ActivityId; answer: Nothing };
  pick_file: { argument: Nothing; answer: PickedFile | null };
  preview_file: { argument: FileToken; answer: FilePreview };
  import_dataset: { argument: ImportRequest; answer: ImportOutcome };
  samples: { argument: Nothing; answer: Array<Sample> };
  import_sample: { argument: SampleId; answer: DatasetSummary };
  datasets: { argument: Nothing; answer: Array<DatasetSummary> };
  dataset: { argument: DatasetId; answer: DatasetSummary };
  delete_dataset: { argument: DatasetId; answer: Nothing };
  rows: { argument: RowsRequest; answer: RowWindow };
  record: { argument: RecordRequest; answer: RecordDetail };
  edit_record: { argument: EditRequest; answer: RecordDetail };
  insert_record: { argument: InsertRequest; answer: DatasetSummary };
  delete_record: { argument: DeleteRecordRequest; answer: DatasetSummary };
  undo: { argument: DatasetId; answer: DatasetSummary };
  redo: { argument: DatasetId; answer: DatasetSummary };
  split_dataset: { argument: SplitRequest; answer: DatasetSummary };
  findings: { argument: FindingsRequest; answer: FindingsReport };
  export_dataset: { argument: ExportRequest; answer: ExportOutcome };
  base_models: { argument: Nothing; answer: Array<BaseModel> };
  plan_job: { argument: JobDraft; answer: JobPlan };
  start_job: { argument: JobDraft; answer: JobSummary };
  jobs: { argument: Nothing; answer: Array<JobSummary> };
  job: { argument: JobId; answer: JobDetail };
  job_chart: { argument: ChartRequest; answer: Chart };
  stop_job: { argument: JobId; answer: JobDetail };
  deploy: { argument: JobId; answer: JobDetail };
  playable_models: { argument: Nothing; answer: Array<PlayableModel> };
  send_prompt: { argument: PromptRequest; answer: Reply };
  cancel_prompt: { argument: RequestId; answer: Nothing };
  hold_out_prompt: { argument: HoldOutRequest; answer: HoldOutPrompt | null };
}
