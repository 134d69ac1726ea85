// Generated from src-tauri/contract. Do not edit: change the Rust and run `UPDATE_CONTRACT=1 cargo test -p whetstone-contract`.

export type AbandonedRequest = { bucket: string, key: string, id: string, };

/**
 * Parts of an upload that nobody completed: invisible in a listing, and paid for.
 */
export type AbandonedUpload = { bucket: string, key: string, id: string, begunAt: number | null, parts: number, bytes: number, };

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

export type Advice = { kind: AdviceKind, 
/**
 * What was seen.
 */
finding: string, 
/**
 * What to change.
 */
change: string, 
/**
 * The wizard with the change made; null where no setting would help.
 */
route: string | null, };

export type AdviceKind = "divergence" | "rateTooHigh" | "tooLittleData" | "memorised" | "overfitting" | "plateau";

export type Agreement = { records: number, 
/**
 * How often two of them say the same.
 */
share: number, 
/**
 * Beyond chance; null where it is not defined.
 */
kappa: number | null, 
/**
 * "Cohen's κ" of two, "Fleiss' κ" of more.
 */
measure: string, };

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
export type AppEvent = { "event": "connectionChanged", connection: Connection, } | { "event": "connectionsChanged" } | { "event": "signInCode", connection: string, code: string, address: string, } | { "event": "doctorChecked", request: string, check: Check, } | { "event": "datasetsChanged", dataset: string | null, } | { "event": "datasetProgress", dataset: string, part: DatasetPart, } | { "event": "modelsChanged" } | { "event": "runningCostsChanged" } | { "event": "jobsChanged", job: string | null, } | { "event": "evaluationsChanged", evaluation: string | null, } | { "event": "activityChanged", activity: Activity, } | { "event": "filesDropped", files: Array<PickedFile>, } | { "event": "replyText", request: string, text: string, } | { "event": "replyWaits", request: string, why: string, until: number, };

export type Approach = "full" | "peft" | "instruction";

/**
 * An object below the job's folder in the output location.
 */
export type Artifact = { uri: string, 
/**
 * Below the job's folder.
 */
name: string, bytes: number, modified: number | null, };

/**
 * A file that the person chose or dropped, to be attached.
 */
export type AttachRequest = { token: string, };

/**
 * What is attached to a prompt. The app keeps a copy of it; the window knows that by its id, never by a path.
 */
export type Attachment = { 
/**
 * Of the copy: the same content is the same copy.
 */
id: string, 
/**
 * As the person knows it.
 */
name: string, kind: AttachmentKind, 
/**
 * As Converse spells it: `png`, `pdf` and so on.
 */
format: string, bytes: number, };

export type AttachmentId = { id: string, };

export type AttachmentKind = "image" | "document";

export type BaseModel = { id: string, name: string, provider: string, family: string, summary: string, 
/**
 * This connection trains the bundled small model in its place.
 */
standIn: boolean, lifecycle: Lifecycle, 
/**
 * For example "end of life since 2026-09-10".
 */
lifecycleNote: string | null, 
/**
 * The first is fine-tuning.
 */
customizationTypes: Array<CustomizationType>, 
/**
 * The first is the usual one.
 */
approaches: Array<Approach>, tuningRegions: Array<string>, serving: Array<Serving>, 
/**
 * Ids that may teach it in a distillation.
 */
teachers: Array<string>, 
/**
 * In words: "prompt and completion", "conversation".
 */
dataFormat: string, minRecords: number, 
/**
 * Training and validation together; null where no limit is documented.
 */
maxRecords: number | null, validationAccepted: boolean, hyperparameters: Array<Hyperparameter>, 
/**
 * What other kinds of training ask, where it is not what fine-tuning asks.
 */
otherTrainings: Array<Training>, prices: Array<Price>, 
/**
 * What the sources do not settle about this model.
 */
unverified: Array<string>, sources: Array<string>, };

export type BatchPiece = { text: string, learned: boolean, };

export type BatchRecord = { 
/**
 * From 0, in the dataset.
 */
position: number, 
/**
 * The line as it is uploaded.
 */
line: string, 
/**
 * The record as the model reads it, cut where learning begins and ends.
 */
pieces: Array<BatchPiece>, tokens: number, };

/**
 * The validation that was best so far.
 */
export type BestStep = { 
/**
 * From 0, as in the files.
 */
step: number, loss: number, };

export type Block = { kind: BlockKind, 
/**
 * The text of a text or reasoning block; the JSON of any other.
 */
text: string, 
/**
 * What to call it on a chip: "PNG, s3://pictures/1.png", "calls get_weather". Null for texts; not read in edits.
 */
label: string | null, };

export type BlockKind = "text" | "reasoning" | "image" | "video" | "document" | "toolUse" | "toolResult" | "other";

export type Bucket = { name: string, createdAt: number | null, };

export type BucketWish = { connection: string, name: string, };

export type BulkEdit = { "kind": "setSystem", text: string, } | { "kind": "appendSystem", text: string, } | { "kind": "removeSystem" } | { "kind": "trim" };

/**
 * A model under a prompt setting.
 */
export type Candidate = { 
/**
 * What is passed at inference: a model id, an inference profile, or an ARN.
 */
modelId: string, name: string, 
/**
 * The base model it is or comes from, where that is known; for prices and tokens.
 */
baseModel: string | null, tuned: boolean, standIn: boolean, 
/**
 * Examples from the training part that stand before each prompt.
 */
examples: number, 
/**
 * Takes the place of the records' own system text; null leaves that.
 */
system: string | null, };

export type Catalog = { goals: Array<Goal>, methods: Array<Method>, families: Array<ModelFamily>, listed: Array<ListedModel>, 
/**
 * Why the endpoint's own list is not merged in; null when it is.
 */
endpointProblem: string | null, };

/**
 * What became of the dataset by an edit. Every edit, undo and redo answers with one.
 */
export type Change = { summary: DatasetSummary, 
/**
 * What was done, as Undo names it; after an undo, what was taken back.
 */
label: string, 
/**
 * Records that are different now, new, or gone.
 */
records: number, 
/**
 * Records that were asked for and left as they were, because the edit had no effect or no place there.
 */
untouched: number, 
/**
 * Where to look: the first record that changed, as positions are now. Null when none is left to look at.
 */
position: number | null, 
/**
 * Records were added, taken away or moved, so that positions after the first change are others now.
 */
moved: boolean, };

export type Charged = "once" | "monthly" | "hourly" | "byTheToken";

export type Chart = { 
/**
 * A picture, drawn by the app itself; null while there is no point to draw.
 */
svg: string | null, 
/**
 * The plot inside the picture, in pixels.
 */
plot: ChartPlot, shown: ChartRange | null, lines: Array<ChartLine>, trainingPoints: number, validationPoints: number, };

export type ChartAxis = "step" | "epoch" | "time";

export type ChartFile = "svg" | "png" | "csv";

/**
 * What a cursor reads along one line: a few hundred places.
 */
export type ChartLine = { job: string, validation: boolean, points: Array<ChartPoint>, };

/**
 * Colours as `#rrggbb`, taken from the window's tokens.
 */
export type ChartPalette = { ink: string, 
/**
 * Axis labels.
 */
faintInk: string, grid: string, training: string, validation: string, };

export type ChartPlot = { left: number, top: number, right: number, bottom: number, };

/**
 * One place of a line, which stands for the points of its bucket.
 */
export type ChartPoint = { at: number, 
/**
 * What the line says there: smoothed, where it is.
 */
value: number, 
/**
 * The lowest and highest raw value of the bucket.
 */
low: number, high: number, 
/**
 * Pixels.
 */
x: number, y: number, };

/**
 * Steps, epochs or seconds, as the axis is.
 */
export type ChartRange = { from: number, to: number, };

export type ChartRequest = { 
/**
 * One job, or up to eight over each other.
 */
jobs: Array<string>, width: number, height: number, 
/**
 * Pixels of the screen for each pixel, across: 2 on a dense screen.
 */
density: number, 
/**
 * Weight of the past in the running mean, 0 to 0.99.
 */
smoothing: number, logScale: boolean, 
/**
 * Leaves the lowest and highest hundredth out of the loss axis.
 */
clipOutliers: boolean, axis: ChartAxis, series: ChartSeries, 
/**
 * The stretch to show; null shows all of the run.
 */
range: ChartRange | null, palette: ChartPalette, 
/**
 * The colours of runs over each other, in their order, as `#rrggbb`.
 */
runColours: Array<string>, };

export type ChartSeries = "both" | "training" | "validation";

export type Check = { id: CheckId, title: string, state: CheckState, 
/**
 * The calls that were made, as AWS names them.
 */
asked: string, answered: string, 
/**
 * Set where something can be done about it.
 */
mend: Mend | null, };

export type CheckId = "credentials" | "identity" | "clock" | "region" | "bedrock" | "model" | "modelAccess" | "callerPermissions" | "roleTrust" | "rolePermissions" | "passRole" | "bucketRegion" | "bucketList" | "bucketWrite" | "key" | "quotas";

export type CheckRequest = { dataset: string, 
/**
 * The record that is edited; null for a new one.
 */
position: number | null, baseModel: string, body: RecordBody, 
/**
 * The record itself is wanted too, from every side. Else turns and JSON come empty, and so does what the model is
 * given: whoever types has them, and a long record would cross twice with every key.
 */
whole: boolean, };

export type CheckState = "ok" | "warning" | "failed" | "skipped" | "unknown";

/**
 * Something to choose from.
 */
export type Choice = { id: string, label: string, 
/**
 * What it means, for someone who meets it for the first time.
 */
note: string | null, };

/**
 * A column that the table can show.
 */
export type ColumnChoice = { 
/**
 * `prompt`, `completion`, `system`, `turns`, `characters`, or the name of a member beside the turns.
 */
id: string, label: string, 
/**
 * Numbers stand at the right.
 */
number: boolean, 
/**
 * Shown before the person chose any.
 */
preset: boolean, sortable: boolean, };

/**
 * Which column becomes what.
 */
export type ColumnMapping = { prompt: string, completion: string, system: string | null, };

export type Commitment = "oneMonth" | "sixMonths";

export type CompareRequest = { 
/**
 * Two to eight.
 */
jobs: Array<string>, };

export type ComparedRow = { name: string, cells: Array<string>, 
/**
 * Whether the jobs differ in it.
 */
differs: boolean, };

export type Completion = { label: string, note: string, 
/**
 * Takes the place of the text from `start` to `end`.
 */
insert: string, start: number, end: number, };

/**
 * Where calls go: this computer, or one account in one Region.
 */
export type Connection = { id: string, 
/**
 * "This computer", or a name that the person knows it by.
 */
name: string, kind: ConnectionKind, 
/**
 * New work goes here. Exactly one is current.
 */
current: boolean, region: string, 
/**
 * Set where calls do not go to AWS itself.
 */
endpoint: string | null, 
/**
 * Of this computer: the folder that holds the sandbox's state.
 */
dataFolder: string | null, 
/**
 * The profile of the AWS configuration files that it uses.
 */
profile: string | null, 
/**
 * Of typed-in keys of either kind only.
 */
keeping: SecretKeeping | null, 
/**
 * The app can sign in by itself, through the browser.
 */
signsIn: boolean, state: ConnectionState, 
/**
 * Set when it cannot be used.
 */
error: AppError | null, 
/**
 * Whose credentials they are; known once it answered, and never of an API key.
 */
identity: Identity | null, 
/**
 * When the credentials at hand end, in milliseconds since 1970; null where they do not, or it is not known.
 */
expiresAt: number | null, 
/**
 * Where uploads and the jobs' output are kept; null until it was chosen.
 */
bucket: string | null, 
/**
 * In front of every key: empty, or ending with a slash.
 */
prefix: string, 
/**
 * The role that customization jobs take on; null until it was chosen.
 */
roleArn: string | null, };

/**
 * What is null stays as it is; an empty text takes the choice back.
 */
export type ConnectionChange = { connection: string, name: string | null, bucket: string | null, prefix: string | null, roleArn: string | null, };

export type ConnectionId = { connection: string, };

export type ConnectionKind = "thisComputer" | "profile" | "keys" | "apiKey" | "environment";

export type ConnectionSource = { "kind": "profile", profile: string, } | { "kind": "keys", keys: TypedKeys, } | { "kind": "environment" } | { "kind": "same", connection: string, };

export type ConnectionState = "idle" | "starting" | "ready" | "failed";

/**
 * A conversation as it is kept on disk.
 */
export type Conversation = { id: string, title: string, 
/**
 * Set by the workbench.
 */
changedAt: number, 
/**
 * The window's own document.
 */
document: string, };

export type ConversationId = { conversation: string, };

export type ConversationSearch = { text: string | null, };

export type ConversionChoices = { 
/**
 * What records can become: "Converse conversations", "OpenAI chat" ...
 */
schemas: Array<Choice>, 
/**
 * What file they can stand in: JSON Lines, CSV ...
 */
formats: Array<Choice>, 
/**
 * The formats that take a schema. Records of the others have one form only.
 */
formatsOfSchema: Array<string>, 
/**
 * None, gzip, zstd.
 */
compressions: Array<Choice>, 
/**
 * The schema that keeps everything.
 */
ownSchema: string, };

export type ConversionOutcome = { 
/**
 * Null when the person closed the dialog.
 */
file: string | null, bytes: number, report: LossReport, };

export type ConversionRequest = { dataset: string, 
/**
 * Null for all records.
 */
selection: Selection | null, schema: string, format: string, compression: string, };

export type CopyRequest = { model: string, region: string, name: string, };

/**
 * What the price of training grows from. Tokens of the training split, or of all records without one.
 */
export type CostBasis = { tokens: number, records: number, 
/**
 * True when there is no split yet.
 */
ofAllRecords: boolean, };

/**
 * What tuning a base model on a dataset costs, and what the tuned model costs afterwards.
 */
export type CostEstimate = { baseModel: string, baseModelName: string, 
/**
 * Whose prices these are.
 */
region: string, trainingTokens: number, tokenSource: TokenSource, epochs: number, 
/**
 * Tokens times epochs.
 */
billedTokens: number, 
/**
 * False where nothing is billed: on this computer. The lines then say what AWS would charge.
 */
billed: boolean, 
/**
 * What starting the job costs: 0 where nothing is billed, null where it is not known.
 */
startUsd: number | null, 
/**
 * `start_usd` in two or three words: "Free", "About 0.52 USD", "Price unknown".
 */
headline: string, 
/**
 * What stands behind the headline, in a sentence or two.
 */
note: string, 
/**
 * Whether a price list was asked, in a sentence.
 */
pricesFrom: string, 
/**
 * Set when this would go over the month's budget.
 */
budgetWarning: string | null, lines: Array<CostLine>, };

export type CostItem = "training" | "storage" | "inputTokens" | "outputTokens" | "baseInputTokens" | "baseOutputTokens" | "provisionedHour";

export type CostLine = { item: CostItem, 
/**
 * "Training", "Storage of the custom model".
 */
label: string, charged: Charged, 
/**
 * Null: not known.
 */
rate: Price | null, 
/**
 * Training once; storage and hours a month. Null by the token, and where it is not known.
 */
usd: number | null, 
/**
 * How `usd` came about, or why there is none.
 */
note: string, };

/**
 * How much of the records something computed in the background has seen.
 */
export type Coverage = { complete: boolean, 
/**
 * Between 0 and 1; null while it cannot be told.
 */
fraction: number | null, 
/**
 * The activity that is at it, which can be cancelled; null when none is.
 */
activity: string | null, };

export type CustomizationType = "fineTuning" | "continuedPreTraining" | "distillation" | "reinforcementFineTuning";

/**
 * A base model whose rules for data are known.
 */
export type DataModel = { id: string, name: string, provider: string, 
/**
 * Whether the wizard can tune it.
 */
tuned: boolean, };

export type DatasetId = { dataset: string, };

export type DatasetOrigin = "inPlace" | "imported" | "sample";

export type DatasetPart = "index" | "view" | "find" | "findings" | "statistics" | "snapshots" | "conversion";

export type DatasetSummary = { id: string, name: string, 
/**
 * The name of the file it came from.
 */
source: string, origin: DatasetOrigin, 
/**
 * In words: "Converse conversations", "prompt and completion".
 */
schema: string, 
/**
 * Size of its lines as they stand now, where it is known.
 */
bytes: number | null, 
/**
 * Those that are known; all of them once `index` is complete.
 */
records: number, 
/**
 * How far the lines of the file have been counted.
 */
index: Coverage, 
/**
 * Milliseconds since 1970, as every time in the contract.
 */
createdAt: number, 
/**
 * When the last edit was written to the journal.
 */
editedAt: number | null, split: SplitCounts | null, 
/**
 * What Undo would take back: "Delete 3 records". Null when there is nothing.
 */
undo: string | null, redo: string | null, 
/**
 * Edits are in the journal that the file does not have yet.
 */
unsaved: boolean, file: FileBeneath, };

export type Deployment = { arn: string, name: string, status: DeploymentStatus, failure: string | null, };

export type DeploymentStatus = "creating" | "active" | "failed" | "deleted";

export type DeviceCode = { connection: string, code: Secret, };

export type DiffEntry = { kind: DiffKind, 
/**
 * Position in the snapshot; null for one that was added since.
 */
before: number | null, 
/**
 * Position now; null for one that is gone.
 */
after: number | null, turns: Array<DiffTurn>, };

export type DiffKind = "added" | "removed" | "changed";

export type DiffPart = { kind: DiffPartKind, text: string, };

export type DiffPartKind = "same" | "added" | "removed";

export type DiffRequest = { dataset: string, 
/**
 * The state to compare with the present one.
 */
snapshot: string, 
/**
 * Null for every kind.
 */
kind: DiffKind | null, offset: number, 
/**
 * At most 100.
 */
count: number, };

export type DiffTurn = { role: string, parts: Array<DiffPart>, };

/**
 * What is different now from what it was in the snapshot.
 */
export type DiffWindow = { added: number, removed: number, changed: number, 
/**
 * Records that are in both stand in another order now.
 */
reordered: boolean, coverage: Coverage, 
/**
 * Of the kind asked for.
 */
total: number, offset: number, entries: Array<DiffEntry>, };

export type Direction = "forward" | "back";

export type DoctorReport = { 
/**
 * The connection's name.
 */
name: string, region: string, account: string | null, 
/**
 * In the order in which they were asked.
 */
checks: Array<Check>, 
/**
 * The gravest of the checks: failed, warning, else ok.
 */
verdict: CheckState, };

/**
 * What to look at. Nothing is changed by it, unless a probe is asked for.
 */
export type DoctorRequest = { 
/**
 * Chosen by the caller; each check is told under it as soon as it is done.
 */
request: string, 
/**
 * Null is the current one.
 */
connection: string | null, 
/**
 * A base model's id; without one, its checks are skipped.
 */
model: string | null, 
/**
 * In place of the connection's own.
 */
roleArn: string | null, 
/**
 * In place of the connection's own.
 */
bucket: string | null, 
/**
 * Writes an object of a few bytes into the bucket, reads it and deletes it.
 */
probe: boolean, };

export type DraftId = { draft: string, };

export type Duel = { 
/**
 * What to vote on next; null where everything has a vote of this person's.
 */
turn: DuelTurn | null, voted: number, total: number, 
/**
 * Records on which both said the same; they are left out.
 */
same: number, };

/**
 * A person who compares a candidate with the first, not knowing which is which.
 */
export type DuelRequest = { evaluation: string, candidate: number, 
/**
 * The person's name.
 */
rater: string, };

/**
 * Two answers, shuffled; nothing here tells whose they are.
 */
export type DuelTurn = { 
/**
 * Of the record in the dataset, from 0.
 */
position: number, system: string | null, 
/**
 * The user's first, then taken in turns.
 */
turns: Array<string>, reference: string, left: string, right: string, };

export type Duplicates = { 
/**
 * Records that say what an earlier one says, to the letter.
 */
exact: number, 
/**
 * Records that nearly do; null while it was not looked for.
 */
near: number | null, 
/**
 * Prompts that are answered in more than one way.
 */
conflicting: number, };

export type EditManyRequest = { dataset: string, selection: Selection, edit: BulkEdit, };

export type EditRequest = { dataset: string, position: number, baseModel: string, 
/**
 * JSON that is no JSON is refused with `InvalidInput`; JSON that is no record of the schema is kept, with findings.
 */
body: RecordBody, };

export type EndTimeRequest = { arn: string, 
/**
 * Null: it is not ended by the app.
 */
endsAt: number | null, };

/**
 * Says what kind of trouble it is. A code exists while some part of the UI acts on it.
 */
export type ErrorCode = "invalidInput" | "fileBroken" | "fileUnavailable" | "notFound" | "refused" | "storage" | "unreachable" | "accessDenied" | "signIn" | "codeNeeded" | "keysNeeded" | "accountChanged" | "throttled" | "validation" | "cancelled" | "bug";

export type EstimateRequest = { dataset: string, baseModel: string, 
/**
 * Null for the base model's default.
 */
epochs: number | null, 
/**
 * Null for the Region of the connection, or where the model is tuned when that is another.
 */
region: string | null, };

/**
 * What the answers show. Over the records that every model has answered, while it is not complete.
 */
export type Evaluation = { summary: EvaluationSummary, draft: EvaluationDraft, 
/**
 * Records that the numbers are over.
 */
compared: number, 
/**
 * Answers that the endpoint refused to give; they count as wrong.
 */
refusedByEndpoint: number, metric: string, metricLabel: string, 
/**
 * One for each model but the first.
 */
verdicts: Array<Verdict>, 
/**
 * The one that the page is about.
 */
headlineVerdict: number | null, metrics: Array<MetricRow>, slices: Array<SliceTable>, 
/**
 * What a judge found; null where none was asked.
 */
judged: Judged | null, 
/**
 * What people said, of each model that has a vote.
 */
people: Array<People>, 
/**
 * Whether the references are labels.
 */
hasLabels: boolean, 
/**
 * What to try next.
 */
next: Array<string>, 
/**
 * How the numbers were made, a sentence each.
 */
methods: Array<string>, };

export type EvaluationChart = { 
/**
 * Drawn by the app itself; null where there is nothing to draw.
 */
svg: string | null, description: string, };

export type EvaluationChartRequest = { evaluation: string, candidate: number, width: number, palette: ChartPalette, };

export type EvaluationCost = { 
/**
 * False on this computer.
 */
billed: boolean, 
/**
 * Null where some of it is not known.
 */
usd: number | null, 
/**
 * In two or three words: "Free", "About 0.52 USD", "Price unknown".
 */
headline: string, 
/**
 * How it came about, one sentence a model.
 */
notes: Array<string>, };

/**
 * An evaluation as its form holds it.
 */
export type EvaluationDraft = { name: string, dataset: string, part: EvaluationPart, 
/**
 * How many records are drawn; null for all of the part.
 */
records: number | null, 
/**
 * Decides which records and which examples are drawn, and the draws of intervals.
 */
seed: number, 
/**
 * The first is the one that the others are compared with.
 */
candidates: Array<Candidate>, maxTokens: number, 
/**
 * 0 to 1; 0 always takes the likeliest token.
 */
temperature: number, 
/**
 * The metric of the verdict, by its id; null for the one that suits the references.
 */
metric: string | null, 
/**
 * Judges the answers once they are there; null for none.
 */
judge: Judge | null, 
/**
 * Metrics of one's own, beside those that fit the references.
 */
measures: Array<Measure>, };

export type EvaluationFile = "html" | "csv" | "json" | "preferences";

export type EvaluationId = { evaluation: string, };

export type EvaluationPart = "holdOut" | "validation" | "training" | "all";

/**
 * The draft checked, and what it would cost. Asks no model.
 */
export type EvaluationPlan = { problems: Array<FieldProblem>, 
/**
 * What does not stand in the way and should be known.
 */
warnings: Array<string>, available: number, records: number, 
/**
 * Records times models, and what a judge is asked at most.
 */
prompts: number, 
/**
 * Of those, how many are answered already and are not asked again.
 */
answered: number, 
/**
 * What so many records mean for the interval, in a sentence.
 */
precision: string, cost: EvaluationCost, 
/**
 * Metrics that fit the references, the suggested one first.
 */
metrics: Array<MetricChoice>, };

export type EvaluationRow = { 
/**
 * In the dataset, from 0, when the evaluation was started.
 */
position: number, prompt: string, reference: string, 
/**
 * One for each candidate.
 */
answers: Array<RowAnswer>, };

export type EvaluationRowKind = "won" | "lost" | "best" | "worst" | "random";

export type EvaluationRows = { total: number, rows: Array<EvaluationRow>, };

export type EvaluationRowsRequest = { evaluation: string, 
/**
 * Compared with the first.
 */
candidate: number, which: EvaluationRowKind, offset: number, limit: number, };

export type EvaluationState = "running" | "stopped" | "failed" | "done";

export type EvaluationSummary = { id: string, name: string, state: EvaluationState, createdAt: number, dataset: string, datasetName: string, part: EvaluationPart, connectionName: string, region: string, records: number, prompts: number, answered: number, candidates: Array<string>, standIn: boolean, 
/**
 * The verdict in a few words, once there is one.
 */
headline: string | null, outcome: Outcome | null, 
/**
 * Why it stopped.
 */
error: AppError | null, 
/**
 * The activity that carries it on now.
 */
activity: string | null, };

/**
 * A failure in words for a person.
 */
export type Explanation = { cause: string, fix: string, source: string, 
/**
 * Where the message names a line: the record that stands there.
 */
record: FaultyRecord | null, };

export type ExportEvaluation = { evaluation: string, what: EvaluationFile, };

/**
 * Where an export went; null when the person closed the dialog.
 */
export type ExportOutcome = { folder: string | null, files: Array<string>, };

export type ExportRequest = { dataset: string, baseModel: string, };

export type ExportedModel = { folder: string, files: Array<string>, };

export type FaultyRecord = { dataset: string, 
/**
 * Its place in the dataset, from 0.
 */
position: number, 
/**
 * The line of the file, from 1.
 */
line: number, split: string, 
/**
 * Set when the split has other records now than were uploaded: the place is then a guess.
 */
moved: boolean, };

export type FieldProblem = { 
/**
 * A member of the draft (`jobName`, `dataset`, `teacher` …), or a hyperparameter's key.
 */
field: string, message: string, 
/**
 * A value that would be accepted.
 */
suggestion: string | null, };

/**
 * The file that an in-place dataset reads, compared with what it was when it was opened.
 */
export type FileBeneath = { 
/**
 * For the person to read, never to be sent back. Null for imported datasets and samples.
 */
path: string | null, state: FileState, 
/**
 * What happened to it, one sentence; null while it is as it was.
 */
message: string | null, 
/**
 * What the person can choose now; empty while it is as it was.
 */
choices: Array<FileChoice>, };

export type FileChoice = "reload" | "keep" | "saveAs";

export type FileChoiceRequest = { dataset: string, 
/**
 * `Reload` or `Keep`; `SaveAs` is the call of that name.
 */
choice: FileChoice, };

/**
 * What a file looks like when it is read as `reading` says.
 */
export type FilePreview = { file: PickedFile, 
/**
 * In words: "CSV, comma", "JSON Lines, prompt and completion".
 */
format: string, 
/**
 * The reading in use, with everything that was detected filled in.
 */
reading: Reading, formats: Array<Choice>, schemas: Array<Choice>, encodings: Array<Choice>, 
/**
 * Sheets of a workbook; else empty.
 */
sheets: Array<string>, 
/**
 * It can be edited where it lies. Otherwise its records are copied into a file of the app's own.
 */
inPlace: boolean, 
/**
 * Why it cannot; null where it can.
 */
inPlaceObstacle: string | null, 
/**
 * Column names for a table; empty for formats that know their fields.
 */
columns: Array<string>, 
/**
 * The first rows of a table, a text a column.
 */
sample: Array<Array<string>>, 
/**
 * The first records, as they would become.
 */
records: Array<PreviewRecord>, 
/**
 * What stands in the way of this reading, such as a template that names no column; null when nothing does.
 */
problem: TextProblem | null, 
/**
 * Things worth knowing, such as an encoding that was guessed.
 */
notes: Array<string>, };

export type FileState = "asItWas" | "changed" | "missing";

/**
 * What the filter field shows while one types. Answers at once, without looking at records.
 */
export type FilterHelp = { problem: TextProblem | null, completions: Array<Completion>, };

export type FilterRequest = { dataset: string, baseModel: string, text: string, 
/**
 * Where the person is typing.
 */
cursor: number, };

/**
 * Where a window of hits begins.
 */
export type FindFrom = { "kind": "hit", index: number, } | { "kind": "row", offset: number, };

export type FindQuery = { text: string, regex: boolean, matchCase: boolean, wholeWords: boolean, scope: FindScope, };

export type FindRequest = { 
/**
 * Only these records are searched, in this order.
 */
view: View, query: FindQuery, 
/**
 * Shows what each hit would become; `$1` and `${name}` stand for groups of a regular expression.
 */
replacement: string | null, from: FindFrom, 
/**
 * At most 200.
 */
count: number, };

export type FindScope = "everywhere" | "system" | "prompt" | "completion";

export type FindWindow = { 
/**
 * Hits, and records that have one: so far, while `coverage` is not complete.
 */
hits: number, records: number, coverage: Coverage, 
/**
 * Number of the first hit of this window.
 */
first: number, window: Array<Hit>, 
/**
 * What is wrong with the regular expression or the replacement; then there are no hits.
 */
problem: TextProblem | null, };

/**
 * A rule broken.
 */
export type Finding = { rule: string, severity: Severity, 
/**
 * Position of the record from 0; null when it concerns the dataset as a whole, or a record not saved yet.
 */
position: number | null, 
/**
 * In words: `prompt`, `completion`, `system`, `turn 3`.
 */
field: string | null, message: string, hint: string, 
/**
 * The texts that are meant, to be underlined; may be empty.
 */
marks: Array<TextMark>, 
/**
 * What its fix does; null where a person must decide.
 */
fix: string | null, 
/**
 * Records that it is about besides its own, such as the other of a pair of duplicates.
 */
others: Array<number>, };

export type FindingListRequest = { dataset: string, baseModel: string, 
/**
 * Null for all rules, errors first.
 */
rule: string | null, offset: number, 
/**
 * At most 200.
 */
count: number, };

export type FindingWindow = { total: number, offset: number, findings: Array<Finding>, };

/**
 * What is wrong with a dataset for a base model, counted.
 */
export type FindingsReport = { errors: number, warnings: number, notes: number, 
/**
 * Rules that are broken, errors first, then by number.
 */
rules: Array<RuleCount>, 
/**
 * Counts are of what was checked so far, while this is not complete.
 */
coverage: Coverage, 
/**
 * How far near duplicates were looked for: a pass of its own, null until it is asked for.
 */
near: Coverage | null, };

export type FindingsRequest = { dataset: string, baseModel: string, 
/**
 * Null for fine-tuning.
 */
customizationType: CustomizationType | null, };

/**
 * The records that the first step of the training takes.
 */
export type FirstBatch = { 
/**
 * What they are, in a sentence: the order, and who lays them out.
 */
about: string, records: Array<BatchRecord>, 
/**
 * The lines of the uploaded file that they come from.
 */
tokens: number, 
/**
 * Tokens of these records that are learned.
 */
learned: number, };

/**
 * A fix on a record that is being typed; nothing is written.
 */
export type FixDraftRequest = { dataset: string, position: number | null, baseModel: string, rule: string, body: RecordBody, };

export type FixRequest = { dataset: string, baseModel: string, 
/**
 * Null for every rule that has a fix.
 */
rule: string | null, 
/**
 * Null for all records.
 */
selection: Selection | null, };

export type FolderRequest = { bucket: string, prefix: string, };

export type Goal = { id: string, title: string, example: string, customizationType: CustomizationType, why: string, data: string, 
/**
 * In order of preference, the ones that this connection can tune first.
 */
models: Array<SuitedModel>, };

export type Hit = { position: number, 
/**
 * Place of its row within the view.
 */
offset: number, 
/**
 * The turn and block it stands in, and where in the block's text.
 */
turn: number, block: number, start: number, end: number, 
/**
 * The text around it; `before` and `after` are cut at a few dozen characters.
 */
before: string, text: string, after: string, replacement: string | null, };

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
why: string, advanced: boolean, unverified: boolean, 
/**
 * What the value counts: "steps".
 */
unit: string | null, 
/**
 * Not sent where a validation set is.
 */
withoutValidation: boolean, };

export type HyperparameterKind = { "kind": "integer", min: number, max: number, } | { "kind": "float", min: number, max: number, } | { "kind": "choice", options: Array<string>, };

/**
 * Whose credentials they are, as STS says.
 */
export type Identity = { account: string, arn: string, };

export type ImportModelRequest = { name: string, };

/**
 * Either a dataset, or the lines that stand in the way.
 */
export type ImportOutcome = { dataset: DatasetSummary | null, problems: Array<ReadProblem>, 
/**
 * All of them; `problems` holds the first hundred.
 */
problemCount: number, readableRecords: number, };

export type ImportRequest = { token: string, name: string, 
/**
 * As `FilePreview::reading` gave it, or changed.
 */
reading: Reading | null, 
/**
 * Edit the file where it lies. Only where the preview says that it can be.
 */
inPlace: boolean, 
/**
 * Leave lines out that cannot be read. Without it such a file is reported and not imported.
 * A file opened in place keeps them, and shows them as findings.
 */
skipBroken: boolean, };

export type InsertRequest = { dataset: string, 
/**
 * The new records stand from this position on.
 */
position: number, records: Array<RecordBody>, };

export type InvocationLogs = { uri: string, 
/**
 * The logged answers are learnt too, and no teacher is asked again.
 */
withAnswers: boolean, };

/**
 * Several jobs side by side; each row has a cell a job, in their order.
 */
export type JobComparison = { jobs: Array<JobSummary>, settings: Array<ComparedRow>, data: Array<ComparedRow>, results: Array<ComparedRow>, };

export type JobDetail = { summary: JobSummary, dataset: string, phases: Array<Phase>, failure: string | null, failureHint: string | null, 
/**
 * What is known of a failure with such words; null where none is known.
 */
explanation: Explanation | null, hyperparameters: { [key in string]: string }, trainingRecords: number, validationRecords: number, holdOutRecords: number, trainingUri: string, outputUri: string, outputModelArn: string | null, modelName: string, progress: Progress | null, deployment: Deployment | null, best: BestStep | null, 
/**
 * In words, when the training ended before its last step because nothing was gained any more.
 */
stoppedEarly: string | null, 
/**
 * What was seen of jobs at this point, with its source; never a promise.
 */
usual: string | null, 
/**
 * What the curves say, the gravest first; empty where they are well.
 */
advice: Array<Advice>, 
/**
 * What this app saw and did, oldest first.
 */
events: Array<JobEvent>, notes: string, 
/**
 * Set where the job was started to try another one first.
 */
rehearsal: Rehearsal | null, 
/**
 * The job that this one was tried with first.
 */
rehearsedBy: JobSummary | null, 
/**
 * The address of the wizard with this job's settings in it.
 */
cloneRoute: string, };

/**
 * A job as the wizard holds it. What is null is left to the connection, or not sent.
 */
export type JobDraft = { customizationType: CustomizationType, baseModel: string, 
/**
 * Empty where the data are invocation logs.
 */
dataset: string, 
/**
 * Calls that Bedrock logged, instead of a dataset.
 */
invocationLogs: InvocationLogs | null, hyperparameters: { [key in string]: string }, jobName: string, modelName: string, 
/**
 * Whose answers a distillation learns.
 */
teacher: Teacher | null, 
/**
 * ARN of the Lambda function that grades a reinforcement's answers.
 */
grader: string | null, 
/**
 * Which weights a stand-in trains; sent as a tag, since the service has no such choice.
 */
approach: Approach | null, 
/**
 * `s3://bucket/folder/`
 */
outputUri: string | null, roleArn: string | null, kmsKey: string | null, vpc: Vpc | null, jobTags: Array<Tag>, modelTags: Array<Tag>, };

export type JobEvent = { at: number, text: string, };

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
trainingTokens: number, tokensNote: string, bucket: string, trainingUri: string, outputUri: string, roleArn: string, cost: CostEstimate, standIn: boolean, 
/**
 * What suits this data, for hyperparameters where that can be said.
 */
recommended: Array<Recommendation>, };

/**
 * What the endpoint keeps of a job beside its record.
 */
export type JobRemains = { artifacts: Array<Artifact>, tags: Array<JobTag>, };

export type JobStatus = "uploading" | "inProgress" | "completed" | "failed" | "stopping" | "stopped";

export type JobSummary = { 
/**
 * The app's own id; the ARN is there once the job was accepted.
 */
id: string, name: string, arn: string | null, baseModel: string, baseModelName: string, standIn: boolean, datasetName: string, 
/**
 * The connection it was started with, by id and by name. It is watched there, whichever is current.
 */
connection: string, connectionName: string, region: string, account: string | null, status: JobStatus, createdAt: number, endedAt: number | null, trainingLoss: number | null, validationLoss: number | null, 
/**
 * Not started by this app on this computer: found at the endpoint, and only what that tells is known.
 */
elsewhere: boolean, };

export type JobTag = { key: string, value: string, };

/**
 * A model that judges the answers of others.
 */
export type Judge = { 
/**
 * As it is invoked: a model id, an inference profile, or an ARN.
 */
modelId: string, name: string, 
/**
 * For prices and tokens, where it is known.
 */
baseModel: string | null, tuned: boolean, kind: JudgeKind, 
/**
 * With names in braces: {prompt}, {reference}, and {a} and {b}, or {answer}.
 */
prompt: string, maxTokens: number, };

export type JudgeComparison = { winRate: WinRate, 
/**
 * Records left out since a verdict could not be read.
 */
unreadable: number, 
/**
 * Share of the verdicts for a side that were for the answer shown first; near one half without a bias.
 */
firstShown: number | null, 
/**
 * Share of the records on which both orders led to the same verdict.
 */
ordersAgree: number | null, 
/**
 * With what most people said of the same records.
 */
people: Agreement | null, };

export type JudgeKind = "pairwise" | "rubric";

/**
 * What a judge would be asked, and what that would cost. Asks no model.
 */
export type JudgePlan = { problems: Array<FieldProblem>, prompts: number, 
/**
 * Of those, how many are answered already and are not asked again.
 */
answered: number, 
/**
 * Pairs of answers that are word for word the same, which no judge is asked about.
 */
same: number, cost: EvaluationCost, 
/**
 * The prompts to begin with.
 */
pairwisePrompt: string, rubricPrompt: string, 
/**
 * The first prompt as it would be sent.
 */
example: string | null, };

export type JudgeRequest = { evaluation: string, judge: Judge, };

/**
 * One prompt and what the judge said.
 */
export type JudgeRow = { 
/**
 * In the dataset, from 0.
 */
position: number, candidate: number, prompt: string, answer: string, 
/**
 * Why there is none.
 */
error: string | null, 
/**
 * The verdict as it was read, with the names of the models; null where it could not be.
 */
verdict: string | null, };

export type JudgeRowKind = "all" | "unreadable" | "divided";

export type JudgeRows = { total: number, rows: Array<JudgeRow>, };

export type JudgeRowsRequest = { evaluation: string, which: JudgeRowKind, offset: number, limit: number, };

/**
 * What a judge found.
 */
export type Judged = { judge: Judge, 
/**
 * Prompts that the judge was put.
 */
asked: number, 
/**
 * Of those, how many it has answered.
 */
answered: number, 
/**
 * Of those, how many do not end with a verdict; they count for nobody.
 */
unreadable: number, 
/**
 * Records of which each candidate's verdict could be read.
 */
comparisons: Array<JudgeComparison>, 
/**
 * Mean scores over the records whose scores could all be read; of a rubric only.
 */
scores: MetricRow | null, 
/**
 * Records that those are over.
 */
scored: number, };

export type KeysAgain = { connection: string, keys: TypedKeys, };

/**
 * A prompt as its newest version says it.
 */
export type LibraryPrompt = { id: string, name: string, 
/**
 * What is to be filled in stands as `{{name}}`.
 */
text: string, 
/**
 * Goes with it as the system prompt.
 */
system: string | null, 
/**
 * Counted from 1.
 */
version: number, changedAt: number, };

export type Lifecycle = "active" | "legacy" | "endOfLife";

/**
 * Where a model comes from, as far as this app knows.
 */
export type Lineage = { job: string, jobName: string, 
/**
 * Null where the data were invocation logs, or the dataset is gone.
 */
dataset: string | null, datasetName: string, records: number, 
/**
 * Where its files were uploaded: the data as it was then.
 */
trainingUri: string, };

/**
 * A model that is known by name, and that the wizard cannot tune.
 */
export type ListedModel = { id: string, name: string, provider: string, customizationTypes: Array<CustomizationType>, tuningRegions: Array<string>, lifecycle: Lifecycle | null, lifecycleNote: string | null, 
/**
 * A sentence.
 */
why: string, 
/**
 * Limits and hyperparameters, in words.
 */
known: Array<string>, 
/**
 * Told by the endpoint, and not in the app's catalog.
 */
fromEndpoint: boolean, };

export type LocateRequest = { view: View, 
/**
 * Position in the dataset.
 */
position: number, };

/**
 * Null when the record is not in the view.
 */
export type Located = { offset: number | null, };

export type Loss = { 
/**
 * "System texts", "Tools".
 */
what: string, 
/**
 * A sentence about the first record it concerns.
 */
detail: string, records: number, 
/**
 * The first record it concerns.
 */
position: number, 
/**
 * So many of these records are left out because of it, not only the piece.
 */
leftOut: number, };

/**
 * What would not carry over.
 */
export type LossReport = { records: number, 
/**
 * Records that come through whole.
 */
whole: number, 
/**
 * Records that cannot be written at all and would be left out.
 */
leftOut: number, losses: Array<Loss>, coverage: Coverage, 
/**
 * The beginning of the file as it would be written.
 */
sample: string, };

/**
 * A metric of one's own.
 */
export type Measure = { name: string, 
/**
 * In the Common Expression Language, over the texts prompt, reference and answer.
 */
expression: string, };

export type Mend = { 
/**
 * What to do, in a sentence.
 */
words: string, 
/**
 * The very policy statement or document that is missing, as JSON.
 */
policy: string | null, 
/**
 * A page to open in the browser.
 */
page: string | null, };

export type Method = { id: Approach, name: string, what: string, gains: Array<string>, costs: Array<string>, };

export type MetricCell = { value: number, low: number, high: number, 
/**
 * From the first candidate; null for that one.
 */
difference: MetricDifference | null, };

export type MetricChoice = { id: string, label: string, };

export type MetricDifference = { value: number, low: number, high: number, 
/**
 * Corrected for the number of models (Holm).
 */
p: number, outcome: Outcome, };

/**
 * A cell for each candidate.
 */
export type MetricRow = { id: string, label: string, 
/**
 * What the values count; null for a share between 0 and 1.
 */
unit: string | null, 
/**
 * Null where neither is better.
 */
moreIsBetter: boolean | null, cells: Array<MetricCell | null>, };

export type ModelArn = { arn: string, };

export type ModelFamily = { name: string, approaches: Array<Approach>, note: string, 
/**
 * Ids of the models that can be chosen.
 */
models: Array<string>, };

/**
 * This calendar month (UTC), as far as this app knows: jobs it started, and what is there now.
 */
export type MonthCosts = { soFarUsd: number, 
/**
 * With what is there now until the end of the month.
 */
expectedUsd: number, budgetUsd: number | null, 
/**
 * Set when the budget is nearly or wholly used up, or will be.
 */
warning: string | null, };

export type MoveRequest = { dataset: string, selection: Selection, 
/**
 * The records stand, in their order, before the one that is at this position now; the number of records for the end.
 */
before: number, };

/**
 * A connection to be made. It is tried at once and becomes the current one.
 */
export type NewConnection = { 
/**
 * Left empty, it is named after what it uses.
 */
name: string | null, source: ConnectionSource, region: string, 
/**
 * For something else than AWS that speaks its protocols.
 */
endpoint: string | null, };

export type NewSnapshot = { dataset: string, name: string, };

/**
 * The nearest row with such a finding, going round at the end; null where the view has none.
 */
export type NextFinding = { position: number | null, offset: number | null, };

export type NextFindingRequest = { 
/**
 * Only rows of this view are gone to.
 */
view: View, 
/**
 * Null for any rule.
 */
rule: string | null, 
/**
 * Place within the view to go on from; null to begin at the end that the direction comes from.
 */
from: number | null, direction: Direction, };

export type NotesRequest = { job: string, notes: string, };

/**
 * A call without an argument takes this.
 */
export type Nothing = Record<symbol, never>;

/**
 * The head of an object and the beginning of what is in it.
 */
export type ObjectPreview = { bytes: number, modifiedAt: number | null, contentType: string | null, 
/**
 * Null where it is not text.
 */
text: string | null, 
/**
 * There is more than `text`.
 */
cut: boolean, };

export type ObjectRequest = { bucket: string, key: string, };

/**
 * A recipe that was opened.
 */
export type OpenedRecipe = { name: string, goal: string | null, job: JobDraft, 
/**
 * What the recipe names and this computer does not have.
 */
missing: Array<string>, };

export type Outcome = "better" | "noClearDifference" | "worse";

export type OwnKind = "custom" | "imported";

/**
 * A custom or imported model at the current connection.
 */
export type OwnModel = { arn: string, name: string, kind: OwnKind, 
/**
 * The catalog's id; null where the base model is not known, and for an imported model.
 */
baseModel: string | null, baseModelName: string | null, 
/**
 * Of an imported model, as its `config.json` names it.
 */
architecture: string | null, 
/**
 * AWS's own word, such as "Active".
 */
status: string, createdAt: number | null, 
/**
 * The bundled small model was trained in the base model's place.
 */
standIn: boolean, 
/**
 * It was trained on this computer as itself, so its files can be had.
 */
local: boolean, lineage: Lineage | null, servedBy: Array<ServedBy>, 
/**
 * Of keeping it, a month; null where it is not known or nothing is billed.
 */
storage: Price | null, };

/**
 * A picture from the clipboard: it has content and no file.
 */
export type PastedPicture = { 
/**
 * In Base64.
 */
data: string, };

/**
 * What people said of a candidate beside the first.
 */
export type People = { winRate: WinRate, votes: number, 
/**
 * Votes that neither answer is any good.
 */
bothBad: number, raters: Array<Rater>, agreement: Agreement | null, };

export type Phase = { name: PhaseName, status: PhaseStatus, startedAt: number | null, changedAt: number | null, };

export type PhaseName = "validation" | "dataProcessing" | "training";

export type PhaseStatus = "notStarted" | "inProgress" | "completed" | "stopping" | "stopped" | "failed";

/**
 * A file that the person chose. The window knows it by a token, never by a path of its own making.
 */
export type PickedFile = { token: string, name: string, bytes: number, 
/**
 * What it would be beside a prompt, by its name; null where it cannot be attached to one.
 */
attachesAs: AttachmentKind | null, };

export type PlaceChange = { connection: Connection, 
/**
 * What was done, a sentence each.
 */
done: Array<string>, };

/**
 * What an account has to choose from.
 */
export type PlaceChoices = { buckets: Array<string>, 
/**
 * Those that Bedrock may take on for jobs here.
 */
roles: Array<RoleChoice>, 
/**
 * Why buckets cannot be listed.
 */
bucketTrouble: string | null, 
/**
 * Why roles cannot be listed.
 */
rolesTrouble: string | null, };

export type PlaceFolder = { name: string, prefix: string, };

export type PlaceListing = { folders: Array<PlaceFolder>, objects: Array<PlaceObject>, 
/**
 * There is more: ask with it as `after`.
 */
next: string | null, };

export type PlaceObject = { name: string, key: string, bytes: number, modifiedAt: number | null, };

/**
 * What is directly below a place, a page at a time.
 */
export type PlaceRequest = { bucket: string, 
/**
 * Empty, or the folder's key with the slash at its end.
 */
prefix: string, 
/**
 * `next` of the page before.
 */
after: string | null, };

export type PlayableKind = "base" | "tuned" | "imported";

/**
 * A model that can be asked now, or soon.
 */
export type PlayableModel = { 
/**
 * What is passed as the model id at inference: a base model's id, or the ARN of what answers.
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
dataset: string | null, 
/**
 * Says which of several that answer for one model this is: the name of the deployment or throughput.
 */
servedAs: string | null, takes: Takes, };

export type PositionsRequest = { view: View, 
/**
 * Places within the view.
 */
places: Span, };

export type PreviewRecord = { 
/**
 * From 1, of the file or the table.
 */
line: number | null, turns: Array<Turn>, 
/**
 * Why this one could not be read; then there are no turns.
 */
problem: string | null, };

export type PreviewRequest = { token: string, 
/**
 * Null asks for the app's own reading; else what the person chose instead.
 */
reading: Reading | null, };

export type Price = { what: string, usd: number, unit: string, 
/**
 * Null where the source names none.
 */
region: string | null, source: string, date: string, };

export type Profile = { name: string, file: string, line: number, region: string | null, endpoint: string | null, 
/**
 * Where its credentials come from, in a few words: the beginning of the chain, then each role.
 */
source: string, 
/**
 * By single sign-on: the app can sign in.
 */
signIn: boolean, 
/**
 * The device whose code it asks for.
 */
mfaSerial: string | null, 
/**
 * The last four characters of the key it gave, where that was asked for.
 */
keyTail: string | null, 
/**
 * Set when it gives no credentials.
 */
problem: ProfileProblem | null, };

export type ProfileProblem = { message: string, file: string | null, line: number | null, };

/**
 * The AWS configuration files, and what stands in them.
 */
export type Profiles = { configFile: string, credentialsFile: string, 
/**
 * Whether either is there.
 */
found: boolean, profiles: Array<Profile>, 
/**
 * Why the files cannot be read, or sections that mean nothing.
 */
problems: Array<ProfileProblem>, 
/**
 * What the environment gives without a profile, in a few words; null where it gives nothing.
 */
environment: string | null, 
/**
 * `AWS_REGION` or `AWS_DEFAULT_REGION`.
 */
environmentRegion: string | null, };

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
totalSteps: number | null, trainingLoss: number, validationLoss: number | null, perplexity: number, secondsLeft: number | null, 
/**
 * As the looks of this app at the job give it; null where there were too few, or the tokens are not counted.
 */
tokensPerSecond: number | null, };

/**
 * The same request as programs make it.
 */
export type PromptCode = { cli: string, python: string, javascript: string, rust: string, 
/**
 * What must be there for them to run.
 */
needs: string, };

/**
 * What the training prompts of a dataset have in common: the template they were made with, as far as it shows.
 */
export type PromptFrame = { system: string | null, before: string, after: string, 
/**
 * How many records were looked at.
 */
records: number, };

export type PromptId = { id: string, };

export type PromptMode = "chat" | "completion";

export type PromptRequest = { 
/**
 * Chosen by the window; text events carry it, and cancel names it.
 */
request: string, modelId: string, mode: PromptMode, system: string | null, 
/**
 * The conversation so far, the last turn is the user's.
 */
turns: Array<PromptTurn>, 
/**
 * 0 to 1; 0 always takes the likeliest token.
 */
temperature: number, topP: number, 
/**
 * Null: not sent.
 */
topK: number | null, maxTokens: number, stopSequences: Array<string>, };

export type PromptRole = "user" | "assistant";

export type PromptSearch = { 
/**
 * In names, texts and system prompts of the newest versions.
 */
text: string | null, };

/**
 * Texts with columns in double braces, such as `Translate: {{english}}`.
 */
export type PromptTemplate = { prompt: string, completion: string, system: string | null, };

/**
 * A turn of a conversation in the playground.
 */
export type PromptTurn = { role: PromptRole, text: string, 
/**
 * Of the user's turns only, in a chat.
 */
attachments: Array<Attachment>, };

export type PromptVersionId = { id: string, version: number, };

export type Rater = { name: string, votes: number, };

/**
 * A place in a file that cannot be read.
 */
export type ReadProblem = { line: number, column: number | null, message: string, hint: string, excerpt: string, };

/**
 * How a file is to be read. What is null is detected.
 */
export type Reading = { 
/**
 * An id of `FilePreview::formats`.
 */
format: string | null, 
/**
 * An id of `FilePreview::schemas`.
 */
schema: string | null, 
/**
 * An id of `FilePreview::encodings`.
 */
encoding: string | null, 
/**
 * One character, for tables of text.
 */
delimiter: string | null, 
/**
 * Whether the first row of a table holds the names of its columns.
 */
header: boolean | null, 
/**
 * The sheet of a workbook.
 */
sheet: string | null, mapping: ColumnMapping | null, 
/**
 * Takes the place of `mapping` where it is set.
 */
template: PromptTemplate | null, };

export type RecipeRequest = { job: JobDraft, goal: string | null, };

export type Recommendation = { 
/**
 * The hyperparameter's key.
 */
key: string, value: string, why: string, };

/**
 * A record as the person writes it.
 */
export type RecordBody = { "kind": "turns", turns: Array<Turn>, } | { "kind": "json", json: string, };

export type RecordChange = { change: Change, record: RecordDetail, };

/**
 * What is in a record, looked at from every side. The same for one that is still being typed.
 */
export type RecordContent = { 
/**
 * Empty when `problem` is set.
 */
turns: Array<Turn>, 
/**
 * The line as it is, or would be written.
 */
json: string, 
/**
 * Why the line cannot be read as turns; places are within `json`.
 */
problem: TextProblem | null, 
/**
 * What the base model is given of it, in its own format; null where it cannot be said.
 */
asModel: string | null, tokens: TokenCount, findings: Array<Finding>, };

export type RecordDetail = { position: number, split: SplitKind | null, 
/**
 * Line of the file, from 1, on which it stood when it was opened; null for one made here.
 */
line: number | null, edited: boolean, content: RecordContent, };

export type RecordRequest = { dataset: string, position: number, 
/**
 * Findings and tokens are this base model's.
 */
baseModel: string, };

/**
 * A Region, and what the app knows of base models there.
 */
export type RegionChoice = { region: string, 
/**
 * Names of base models that can be tuned there today.
 */
tunable: Array<string>, };

/**
 * What a job is the rehearsal of: its draft as it was meant, for another connection.
 */
export type Rehearsal = { 
/**
 * False once that connection was removed.
 */
known: boolean, connectionName: string, region: string, 
/**
 * The job that was started there.
 */
carried: JobSummary | null, };

export type ReminderRequest = { arn: string, };

/**
 * What deleting a model takes with it, in the order in which it is done.
 */
export type Removal = { steps: Array<RemovalStep>, 
/**
 * Why it cannot be done now.
 */
refused: string | null, };

export type RemovalStep = { arn: string, name: string, 
/**
 * "Deployment", "Provisioned throughput", "Custom model".
 */
what: string, 
/**
 * What stops working.
 */
consequence: string, };

export type RenameRequest = { dataset: string, name: string, };

export type ReplaceRequest = { dataset: string, selection: Selection, query: FindQuery, replacement: string, 
/**
 * Only this hit of the one record that `selection` then names, counted within it from 0; null for all.
 */
only: number | null, };

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
inputTokens: number | null, outputTokens: number | null, firstTokenMs: number | null, totalMs: number, cost: ReplyCost, 
/**
 * The body that was sent, as JSON; in place of what was attached stands its name and size.
 */
rawRequest: string, 
/**
 * What came back, put together from the stream, as JSON.
 */
rawResponse: string, };

/**
 * What an answer cost.
 */
export type ReplyCost = { 
/**
 * Null where it is not known.
 */
usd: number | null, 
/**
 * How it came about, or why it is not known.
 */
note: string, };

export type RequestId = { request: string, };

export type RoleChoice = { name: string, arn: string, };

/**
 * What would be created, word for word.
 */
export type RoleDraft = { name: string, arn: string, 
/**
 * Who may take it on, as JSON.
 */
trust: string, 
/**
 * What it may do, as JSON.
 */
permissions: string, 
/**
 * There is a role of this name; it would be given the permissions.
 */
exists: boolean, 
/**
 * For someone who may create it, when the person may not.
 */
letter: string, };

/**
 * A role for customization jobs that is to be created.
 */
export type RoleWish = { connection: string, 
/**
 * Left empty, the app names it.
 */
name: string | null, bucket: string, prefix: string, 
/**
 * The ARN of a key of the customer's own.
 */
kmsKey: string | null, 
/**
 * Jobs run inside a network of the customer's own.
 */
vpc: boolean, };

/**
 * A record as the table shows it; long texts are cut.
 */
export type Row = { 
/**
 * Position in the dataset, from 0.
 */
position: number, 
/**
 * A text for each of the columns asked for.
 */
cells: Array<string>, tokens: number, split: SplitKind | null, 
/**
 * The gravest of its findings; null when it has none.
 */
worst: Severity | null, findings: number, 
/**
 * Edited since the last save.
 */
edited: boolean, };

export type RowAnswer = { text: string, 
/**
 * Why there is none.
 */
error: string | null, score: number, totalMs: number, };

export type RowWindow = { 
/**
 * Rows in the view: so far, while `coverage` is not complete.
 */
total: number, 
/**
 * Records in the dataset: so far, while its index is not complete.
 */
records: number, 
/**
 * The slower of index and filter. A window asked for before the end holds what is there already;
 * `AppEvent::DatasetProgress` says when to ask again.
 */
coverage: Coverage, offset: number, rows: Array<Row>, tokenSource: TokenSource, 
/**
 * What is wrong with the filter; then there are no rows.
 */
problem: TextProblem | null, };

export type RowsRequest = { view: View, 
/**
 * Ids of `columns`; the cells come in this order.
 */
columns: Array<string>, 
/**
 * Place of the first row wanted within the view, from 0.
 */
offset: number, 
/**
 * At most 1000.
 */
count: number, };

export type RuleCount = { rule: string, severity: Severity, 
/**
 * What it asks for, in a few words: "Reserved words".
 */
title: string, 
/**
 * Why it matters and where it is from.
 */
about: string, source: string, findings: number, 
/**
 * What its fix does: "Remove the word". Null where a person must decide.
 */
fix: string | null, };

export type RunningCost = { arn: string, name: string, kind: RunningKind, baseModelName: string | null, units: number, 
/**
 * AWS's own word, such as "InService".
 */
status: string, since: number | null, 
/**
 * Until when it cannot be ended.
 */
committedUntil: number | null, rate: Price | null, hourlyUsd: number | null, 
/**
 * Since it was created.
 */
soFarUsd: number | null, 
/**
 * When the app will end it.
 */
endsAt: number | null, 
/**
 * Why it could not be ended when it was due.
 */
endProblem: string | null, };

/**
 * What costs money as long as it is there, at this connection.
 */
export type RunningCosts = { 
/**
 * False on this computer; the figures are then what AWS would charge.
 */
billed: boolean, items: Array<RunningCost>, 
/**
 * Of those whose price is known.
 */
hourlyUsd: number, 
/**
 * Items whose price is not known.
 */
unknown: number, month: MonthCosts, };

export type RunningKind = "provisioned" | "storage";

/**
 * A dataset written for this project and bundled with the app.
 */
export type Sample = { id: string, name: string, summary: string, records: number, };

export type SampleId = { sample: string, };

export type SaveChartRequest = { chart: ChartRequest, what: ChartFile, 
/**
 * For a PNG: the picture as the window drew it, in Base64.
 */
png: string | null, };

export type SaveOutcome = { summary: DatasetSummary, 
/**
 * Where it was written; null when it was not (the dialog was closed, or the file changed beneath).
 */
file: string | null, records: number, };

export type SavePrompt = { 
/**
 * Null for a new one.
 */
id: string | null, name: string, text: string, system: string | null, };

export type SaveRequest = { dataset: string, 
/**
 * Replace the file even though something else changed it. Without it nothing is written then.
 */
replaceChanged: boolean, };

export type SavedChart = { 
/**
 * The name of the file; null when the person closed the dialog.
 */
name: string | null, };

/**
 * A job that is being put together, as the wizard keeps it.
 */
export type SavedDraft = { id: string, 
/**
 * Milliseconds since 1970; set by the workbench.
 */
changedAt: number, 
/**
 * The id of a goal of the catalog.
 */
goal: string | null, 
/**
 * Where the wizard was.
 */
step: string, 
/**
 * Names that are empty are suggested.
 */
job: JobDraft, 
/**
 * What differs from the defaults, by base model and kind of training, so that trying another loses nothing.
 */
changed: { [key in string]: { [key in string]: string } }, advanced: boolean, 
/**
 * Several values of one hyperparameter are to be tried.
 */
sweep: SweepChoice | null, };

export type SavedRecipe = { 
/**
 * Where it was written; null when the person closed the dialog.
 */
file: string | null, };

/**
 * A text that no log and no error may show. It crosses from the window to the workbench, and never back.
 */
export type Secret = string;

/**
 * Where typed-in keys are kept.
 */
export type SecretKeeping = "keyring" | "thisRun" | "gone";

/**
 * Which records an edit is for.
 */
export type Selection = { "kind": "positions", spans: Array<Span>, } | { "kind": "view", view: View, };

export type SelectionRequest = { dataset: string, selection: Selection, };

export type ServeRequest = { model: string, way: ServingWay, name: string, 
/**
 * Of provisioned throughput.
 */
units: number, commitment: Commitment | null, 
/**
 * When the app is to end it.
 */
endsAt: number | null, };

/**
 * Something that answers for a model.
 */
export type ServedBy = { arn: string, name: string, way: ServingWay, 
/**
 * AWS's own word: Creating, Active, InService, Updating, Failed.
 */
status: string, failure: string | null, createdAt: number | null, 
/**
 * The model that it is being turned to.
 */
turningTo: string | null, units: number, 
/**
 * Until when it cannot be ended.
 */
committedUntil: number | null, 
/**
 * Of an hour and unit of provisioned throughput; null where it is not known.
 */
rate: Price | null, hourlyUsd: number | null, 
/**
 * When the app will end it.
 */
endsAt: number | null, endProblem: string | null, 
/**
 * When this app asked it last; null for never.
 */
askedAt: number | null, };

/**
 * How and where a tuned copy answers.
 */
export type Serving = { onDemand: boolean, 
/**
 * Empty: in the Region of the job.
 */
regions: Array<string>, };

/**
 * How a model can be made to answer, before anything is created.
 */
export type ServingPlan = { 
/**
 * The first is the one to take; empty where there is none.
 */
ways: Array<WayToServe>, 
/**
 * Why the first one, or why none.
 */
why: string, suggestedName: string, 
/**
 * False on this computer; prices are then what AWS would charge.
 */
billed: boolean, 
/**
 * Whether a price list was asked, in a sentence.
 */
pricesFrom: string, };

export type ServingWay = "onDemand" | "provisioned";

export type Settings = { theme: Theme, 
/**
 * What a month may cost, in US dollars; null for no budget.
 */
monthlyBudgetUsd: number | null, 
/**
 * What all transfers together may take of the line, in bytes a second; null for no limit.
 */
transferLimit: number | null, };

/**
 * A change of settings; what is null stays as it is.
 */
export type SettingsPatch = { theme: Theme | null, 
/**
 * 0 takes it away.
 */
monthlyBudgetUsd: number | null, 
/**
 * 0 takes it away.
 */
transferLimit: number | null, };

export type Severity = "error" | "warning" | "note";

export type Share = { value: number, low: number, high: number, };

/**
 * The create call of a draft in several languages, each as it would be sent.
 */
export type ShownCall = { cli: string, python: string, rust: string, 
/**
 * The body of the request.
 */
json: string, 
/**
 * What is made up because the draft does not say it yet.
 */
placeholders: Array<string>, };

/**
 * A picture as the window can show it.
 */
export type ShownPicture = { 
/**
 * A `data:` URL, with all of it.
 */
url: string, };

export type Slice = { name: string, records: number, 
/**
 * A cell for each candidate, of the verdict's metric; of a field the share that is right.
 */
cells: Array<MetricCell>, };

export type SliceTable = { 
/**
 * "Prompt length", "Label", "Field".
 */
by: string, slices: Array<Slice>, };

export type Snapshot = { id: string, name: string, createdAt: number, records: number, 
/**
 * Made by the app before something that could be regretted.
 */
automatic: boolean, };

export type SnapshotRequest = { dataset: string, snapshot: string, };

export type Sort = { 
/**
 * An id of `columns`.
 */
column: string, descending: boolean, };

/**
 * Positions from `start` up to, not including, `end`.
 */
export type Span = { start: number, end: number, };

export type SplitCounts = { training: number, validation: number, holdOut: number, seed: number, method: SplitMethod, 
/**
 * The job that used it. From then on it stays as it is, so that nothing held out has been trained on.
 */
frozenBy: string | null, };

/**
 * Something by which records can be stratified or grouped.
 */
export type SplitKey = { id: string, label: string, 
/**
 * Different values it has in the first records.
 */
distinct: number, examples: Array<string>, };

export type SplitKind = "training" | "validation" | "holdOut";

export type SplitMethod = { "kind": "ratio", validationPercent: number, holdOutPercent: number, } | { "kind": "count", validation: number, holdOut: number, } | { "kind": "stratified", key: string, validationPercent: number, holdOutPercent: number, } | { "kind": "grouped", key: string, validationPercent: number, holdOutPercent: number, };

export type SplitPart = { label: string, training: number, validation: number, holdOut: number, };

/**
 * What a split would come to.
 */
export type SplitPreview = { training: number, validation: number, holdOut: number, 
/**
 * The largest strata or groups, as they would be dealt out; empty for the other methods.
 */
parts: Array<SplitPart>, partCount: number, 
/**
 * Worth knowing: a label too rare for all three, groups that miss the ratio.
 */
notes: Array<string>, };

export type SplitRequest = { dataset: string, method: SplitMethod, seed: number, 
/**
 * Split again although a job used the split there is.
 */
replaceFrozen: boolean, };

/**
 * How a number is spread over the records.
 */
export type Spread = { sum: number, least: number, median: number, p90: number, p99: number, most: number, mean: number, };

export type Standing = "notEnough" | "notClear" | "preferred" | "notPreferred";

/**
 * What the window needs to draw its first picture.
 */
export type Start = { version: string, settings: Settings, connection: Connection, 
/**
 * A file the app was opened with, waiting to be imported.
 */
openedFile: PickedFile | null, };

export type Statistics = { 
/**
 * Numbers are of what was read so far, while this is not complete.
 */
coverage: Coverage, records: number, turns: number, tokenSource: TokenSource, whole: Spread, prompt: Spread, completion: Spread, characters: Spread, turnCounts: Array<Tally>, 
/**
 * The commonest completions that are short and repeat; empty where completions are free text.
 */
labels: Array<Tally>, labelCount: number, languages: Array<Tally>, 
/**
 * How languages were told: the name of the method, and what it cannot tell.
 */
languagesNote: string, duplicates: Duplicates, cost: CostBasis, };

export type StatisticsChart = { 
/**
 * Drawn by the app itself; null while there is nothing to draw.
 */
svg: string | null, 
/**
 * What it shows, for those who do not see it.
 */
description: string, };

export type StatisticsChartRequest = { dataset: string, baseModel: string, picture: StatisticsPicture, width: number, height: number, logScale: boolean, palette: ChartPalette, };

export type StatisticsPicture = "wholeTokens" | "promptTokens" | "completionTokens" | "turns" | "labels" | "languages" | "duplicates" | "cost";

export type StatisticsRequest = { dataset: string, baseModel: string, };

export type SuitedModel = { id: string, 
/**
 * As the rest of a sentence.
 */
why: string, };

/**
 * One draft, started once for each value of one hyperparameter.
 */
export type Sweep = { job: JobDraft, key: string, values: Array<string>, };

export type SweepChoice = { key: string, 
/**
 * As typed, with commas between them.
 */
values: string, };

export type Tag = { key: string, value: string, };

/**
 * What a model can be given. What it does not take is not shown, and not sent.
 */
export type Takes = { 
/**
 * Turns of a conversation.
 */
chat: boolean, 
/**
 * A text to go on with, without turns.
 */
completion: boolean, system: boolean, topK: boolean, stopSequences: boolean, 
/**
 * How many pictures a message of a chat may hold; 0: it takes none.
 */
images: number, 
/**
 * How many documents a message of a chat may hold; 0: it takes none.
 */
documents: number, };

export type Tally = { label: string, records: number, };

export type Teacher = { 
/**
 * As it is invoked: a model id, or the ARN or id of an inference profile.
 */
model: string, 
/**
 * Tokens of an answer; null for the service's own limit.
 */
longestAnswer: number | null, };

/**
 * A stretch of a block's text.
 */
export type TextMark = { turn: number, block: number, start: number, end: number, };

/**
 * Something wrong in a text that the person wrote.
 */
export type TextProblem = { message: string, hint: string | null, 
/**
 * What of the text is meant; both 0 where it is all of it.
 */
start: number, end: number, };

export type Theme = "system" | "light" | "dark";

export type TokenCount = { total: number, prompt: number, completion: number, source: TokenSource, };

export type TokenEstimateRequest = { baseModel: string, 
/**
 * Those of the records that would be trained on, once.
 */
tokens: number, };

/**
 * Where a number of tokens comes from.
 */
export type TokenSource = { 
/**
 * Counted with the model's own tokenizer, not estimated.
 */
exact: boolean, 
/**
 * "Tiny v1's tokenizer", "estimate, 6 characters each".
 */
name: string, 
/**
 * Where the estimate is from; null for a count.
 */
note: string | null, };

/**
 * One kind of training of a model.
 */
export type Training = { customizationType: CustomizationType, dataFormat: string, minRecords: number, maxRecords: number | null, validationAccepted: boolean, hyperparameters: Array<Hyperparameter>, };

export type Turn = { 
/**
 * `system`, `user`, `assistant`, `tool`, or whatever the file says.
 */
role: string, content: Array<Block>, };

export type TurnRequest = { 
/**
 * Of the deployment or provisioned throughput.
 */
served: string, 
/**
 * Of the model that it is to answer with.
 */
model: string, };

export type TypedKeys = { "kind": "accessKey", accessKeyId: Secret, secretAccessKey: Secret, 
/**
 * Comes with keys that end.
 */
sessionToken: Secret | null, } | { "kind": "apiKey", apiKey: Secret, };

export type Verdict = { 
/**
 * Its place among the candidates.
 */
candidate: number, outcome: Outcome, 
/**
 * "Yes, it helped."
 */
heading: string, 
/**
 * With the interval, in a sentence or two.
 */
words: string, 
/**
 * Rows on which it does better, and worse, than the first.
 */
won: number, lost: number, };

/**
 * Which records, in which order. The same view asked for twice is evaluated once.
 */
export type View = { dataset: string, 
/**
 * Tokens and findings are this base model's.
 */
baseModel: string, 
/**
 * In the filter language; empty for all records.
 */
filter: string, 
/**
 * Null for the order of the dataset.
 */
sort: Sort | null, };

export type VoteChoice = "left" | "right" | "tie" | "bothBad";

export type VoteRequest = { evaluation: string, candidate: number, rater: string, position: number, choice: VoteChoice, };

export type Vpc = { subnets: Array<string>, securityGroups: Array<string>, };

export type WayToServe = { way: ServingWay, 
/**
 * By the hour without and with a commitment, or by the token; empty where no dated source names one.
 */
rates: Array<Price>, };

/**
 * How often a candidate is preferred to the first, a record counted once.
 */
export type WinRate = { candidate: number, won: number, lost: number, neither: number, 
/**
 * Of the records on which one is preferred, with its interval; null where there is none.
 */
share: Share | null, 
/**
 * Corrected for the number of models (Holm).
 */
p: number, standing: Standing, words: string, };

/** Every call the window can make: its argument and its answer. */
export interface Commands {
  start: { argument: Nothing; answer: Start };
  patch_settings: { argument: SettingsPatch; answer: Settings };
  connection: { argument: Nothing; answer: Connection };
  connections: { argument: Nothing; answer: Array<Connection> };
  profiles: { argument: Nothing; answer: Profiles };
  add_connection: { argument: NewConnection; answer: Connection };
  choose_connection: { argument: ConnectionId; answer: Connection };
  change_connection: { argument: ConnectionChange; answer: Connection };
  accept_account: { argument: ConnectionId; answer: Connection };
  sign_in: { argument: ConnectionId; answer: Connection };
  cancel_sign_in: { argument: ConnectionId; answer: Nothing };
  enter_code: { argument: DeviceCode; answer: Connection };
  renew_keys: { argument: KeysAgain; answer: Connection };
  remove_connection: { argument: ConnectionId; answer: Nothing };
  reconnect: { argument: ConnectionId; answer: Connection };
  place_choices: { argument: ConnectionId; answer: PlaceChoices };
  draft_role: { argument: RoleWish; answer: RoleDraft };
  create_role: { argument: RoleWish; answer: PlaceChange };
  create_bucket: { argument: BucketWish; answer: PlaceChange };
  doctor: { argument: DoctorRequest; answer: DoctorReport };
  regions: { argument: Nothing; answer: Array<RegionChoice> };
  activities: { argument: Nothing; answer: Array<Activity> };
  cancel_activity: { argument: ActivityId; answer: Nothing };
  pick_file: { argument: Nothing; answer: PickedFile | null };
  preview_file: { argument: PreviewRequest; answer: FilePreview };
  import_dataset: { argument: ImportRequest; answer: ImportOutcome };
  samples: { argument: Nothing; answer: Array<Sample> };
  import_sample: { argument: SampleId; answer: DatasetSummary };
  datasets: { argument: Nothing; answer: Array<DatasetSummary> };
  dataset: { argument: DatasetId; answer: DatasetSummary };
  rename_dataset: { argument: RenameRequest; answer: DatasetSummary };
  delete_dataset: { argument: DatasetId; answer: Nothing };
  save_dataset: { argument: SaveRequest; answer: SaveOutcome };
  save_dataset_as: { argument: DatasetId; answer: SaveOutcome };
  choose_file: { argument: FileChoiceRequest; answer: DatasetSummary };
  columns: { argument: DatasetId; answer: Array<ColumnChoice> };
  rows: { argument: RowsRequest; answer: RowWindow };
  positions: { argument: PositionsRequest; answer: Array<Span> };
  locate: { argument: LocateRequest; answer: Located };
  filter_help: { argument: FilterRequest; answer: FilterHelp };
  record: { argument: RecordRequest; answer: RecordDetail };
  check_record: { argument: CheckRequest; answer: RecordContent };
  edit_record: { argument: EditRequest; answer: RecordChange };
  insert_records: { argument: InsertRequest; answer: Change };
  duplicate_records: { argument: SelectionRequest; answer: Change };
  delete_records: { argument: SelectionRequest; answer: Change };
  move_records: { argument: MoveRequest; answer: Change };
  edit_records: { argument: EditManyRequest; answer: Change };
  find: { argument: FindRequest; answer: FindWindow };
  replace: { argument: ReplaceRequest; answer: Change };
  undo: { argument: DatasetId; answer: Change };
  redo: { argument: DatasetId; answer: Change };
  findings: { argument: FindingsRequest; answer: FindingsReport };
  find_near_duplicates: { argument: FindingsRequest; answer: FindingsReport };
  finding_list: { argument: FindingListRequest; answer: FindingWindow };
  next_finding: { argument: NextFindingRequest; answer: NextFinding };
  fix_findings: { argument: FixRequest; answer: Change };
  fix_draft: { argument: FixDraftRequest; answer: RecordContent };
  snapshots: { argument: DatasetId; answer: Array<Snapshot> };
  create_snapshot: { argument: NewSnapshot; answer: Snapshot };
  delete_snapshot: { argument: SnapshotRequest; answer: Nothing };
  diff_snapshot: { argument: DiffRequest; answer: DiffWindow };
  restore_snapshot: { argument: SnapshotRequest; answer: Change };
  statistics: { argument: StatisticsRequest; answer: Statistics };
  statistics_chart: { argument: StatisticsChartRequest; answer: StatisticsChart };
  split_keys: { argument: DatasetId; answer: Array<SplitKey> };
  preview_split: { argument: SplitRequest; answer: SplitPreview };
  split_dataset: { argument: SplitRequest; answer: DatasetSummary };
  export_dataset: { argument: ExportRequest; answer: ExportOutcome };
  conversion_choices: { argument: DatasetId; answer: ConversionChoices };
  preview_conversion: { argument: ConversionRequest; answer: LossReport };
  convert_dataset: { argument: ConversionRequest; answer: ConversionOutcome };
  base_models: { argument: Nothing; answer: Array<BaseModel> };
  data_models: { argument: Nothing; answer: Array<DataModel> };
  catalog: { argument: Nothing; answer: Catalog };
  drafts: { argument: Nothing; answer: Array<SavedDraft> };
  save_draft: { argument: SavedDraft; answer: SavedDraft };
  delete_draft: { argument: DraftId; answer: Nothing };
  clone_job: { argument: JobId; answer: JobDraft };
  show_call: { argument: JobDraft; answer: ShownCall };
  first_batch: { argument: JobDraft; answer: FirstBatch };
  save_recipe: { argument: RecipeRequest; answer: SavedRecipe };
  open_recipe: { argument: Nothing; answer: OpenedRecipe | null };
  plan_job: { argument: JobDraft; answer: JobPlan };
  estimate: { argument: EstimateRequest; answer: CostEstimate };
  estimate_tokens: { argument: TokenEstimateRequest; answer: CostEstimate };
  running_costs: { argument: Nothing; answer: RunningCosts };
  set_end_time: { argument: EndTimeRequest; answer: RunningCosts };
  save_reminder: { argument: ReminderRequest; answer: boolean };
  start_job: { argument: JobDraft; answer: JobSummary };
  start_sweep: { argument: Sweep; answer: Array<JobSummary> };
  rehearse: { argument: JobDraft; answer: JobSummary };
  plan_carried: { argument: JobId; answer: JobPlan };
  carry_over: { argument: JobId; answer: JobSummary };
  jobs: { argument: Nothing; answer: Array<JobSummary> };
  job: { argument: JobId; answer: JobDetail };
  job_chart: { argument: ChartRequest; answer: Chart };
  save_chart: { argument: SaveChartRequest; answer: SavedChart };
  save_notes: { argument: NotesRequest; answer: JobDetail };
  job_remains: { argument: JobId; answer: JobRemains };
  compare_jobs: { argument: CompareRequest; answer: JobComparison };
  find_jobs: { argument: Nothing; answer: number };
  stop_job: { argument: JobId; answer: JobDetail };
  deploy: { argument: JobId; answer: JobDetail };
  own_models: { argument: Nothing; answer: Array<OwnModel> };
  serving_plan: { argument: ModelArn; answer: ServingPlan };
  serve_model: { argument: ServeRequest; answer: ModelArn };
  turn_served: { argument: TurnRequest; answer: Nothing };
  stop_serving: { argument: ModelArn; answer: Nothing };
  removal: { argument: ModelArn; answer: Removal };
  remove_model: { argument: ModelArn; answer: ActivityId };
  copy_model: { argument: CopyRequest; answer: ActivityId };
  export_model: { argument: ModelArn; answer: ExportedModel | null };
  import_model: { argument: ImportModelRequest; answer: ActivityId | null };
  buckets: { argument: Nothing; answer: Array<Bucket> };
  list_place: { argument: PlaceRequest; answer: PlaceListing };
  preview_object: { argument: ObjectRequest; answer: ObjectPreview };
  download_object: { argument: ObjectRequest; answer: ActivityId | null };
  download_folder: { argument: FolderRequest; answer: ActivityId | null };
  fetch_object: { argument: ObjectRequest; answer: PickedFile };
  abandoned_uploads: { argument: Nothing; answer: Array<AbandonedUpload> };
  remove_abandoned_upload: { argument: AbandonedRequest; answer: Nothing };
  playable_models: { argument: Nothing; answer: Array<PlayableModel> };
  send_prompt: { argument: PromptRequest; answer: Reply };
  cancel_prompt: { argument: RequestId; answer: Nothing };
  pick_attachments: { argument: Nothing; answer: Array<PickedFile> };
  attach_file: { argument: AttachRequest; answer: Attachment };
  attach_pasted: { argument: PastedPicture; answer: Attachment };
  attached_picture: { argument: AttachmentId; answer: ShownPicture };
  hold_out_prompt: { argument: HoldOutRequest; answer: HoldOutPrompt | null };
  evaluations: { argument: Nothing; answer: Array<EvaluationSummary> };
  evaluation: { argument: EvaluationId; answer: Evaluation };
  plan_evaluation: { argument: EvaluationDraft; answer: EvaluationPlan };
  start_evaluation: { argument: EvaluationDraft; answer: EvaluationSummary };
  resume_evaluation: { argument: EvaluationId; answer: EvaluationSummary };
  delete_evaluation: { argument: EvaluationId; answer: Nothing };
  evaluation_rows: { argument: EvaluationRowsRequest; answer: EvaluationRows };
  evaluation_chart: { argument: EvaluationChartRequest; answer: EvaluationChart };
  export_evaluation: { argument: ExportEvaluation; answer: SavedChart };
  plan_judge: { argument: JudgeRequest; answer: JudgePlan };
  start_judge: { argument: JudgeRequest; answer: EvaluationSummary };
  judge_rows: { argument: JudgeRowsRequest; answer: JudgeRows };
  duel: { argument: DuelRequest; answer: Duel };
  vote: { argument: VoteRequest; answer: Duel };
  undo_vote: { argument: DuelRequest; answer: Duel };
  prompt_frame: { argument: DatasetId; answer: PromptFrame };
  prompt_code: { argument: PromptRequest; answer: PromptCode };
  conversations: { argument: ConversationSearch; answer: Array<Conversation> };
  save_conversation: { argument: Conversation; answer: Nothing };
  delete_conversation: { argument: ConversationId; answer: Nothing };
  prompts: { argument: PromptSearch; answer: Array<LibraryPrompt> };
  save_prompt: { argument: SavePrompt; answer: LibraryPrompt };
  prompt_versions: { argument: PromptId; answer: Array<LibraryPrompt> };
  restore_prompt: { argument: PromptVersionId; answer: LibraryPrompt };
  delete_prompt: { argument: PromptId; answer: Nothing };
}
