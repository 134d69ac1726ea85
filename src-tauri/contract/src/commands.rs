//! The calls the window can make, each declared once: name, argument, answer.
//!
//! The list below becomes a trait for the workbench to implement, a dispatcher by name for the shell,
//! and the `Commands` interface of the generated TypeScript.

use async_trait::async_trait;
use serde_json::Value;

#[allow(clippy::wildcard_imports)]
use crate::*;

/// A call without an argument takes this.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize, ts_rs::TS)]
pub struct Nothing {}

macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident($argument:ty) -> $answer:ty;)*) => {
        /// What the workbench can do for a window.
        #[async_trait]
        pub trait Api: Send + Sync {
            $($(#[$doc])* async fn $name(&self, argument: $argument) -> Result<$answer, AppError>;)*
        }

        /// Calls a command by its name with a JSON argument.
        pub async fn dispatch(api: &dyn Api, name: &str, argument: Value) -> Result<Value, AppError> {
            match name {
                $(stringify!($name) => {
                    let argument: $argument = serde_json::from_value(argument).map_err(|error| bad_argument(name, &error))?;
                    let answer = api.$name(argument).await?;
                    serde_json::to_value(answer).map_err(|error| bad_argument(name, &error))
                })*
                _ => Err(AppError::new(ErrorCode::Bug, format!("There is no command named {name}."))),
            }
        }

        /// Shows each command's name, argument and answer to a visitor, in the order of declaration.
        pub(crate) fn visit_commands(visitor: &mut impl CommandVisitor) {
            $(visitor.visit::<$argument, $answer>(stringify!($name));)*
        }
    };
}

pub(crate) trait CommandVisitor {
    fn visit<A: ts_rs::TS + 'static, R: ts_rs::TS + 'static>(&mut self, name: &'static str);
}

fn bad_argument(name: &str, error: &serde_json::Error) -> AppError {
    AppError::new(ErrorCode::Bug, format!("The window and the workbench disagree about {name}."))
        .detail(error.to_string())
        .hint("Restart the app; if it happens again, please report it.")
}

commands! {
    /// The first call of a window.
    start(Nothing) -> Start;
    patch_settings(SettingsPatch) -> Settings;

    /// The current one.
    connection(Nothing) -> Connection;
    /// This computer first, then in the order they were added.
    connections(Nothing) -> Vec<Connection>;
    /// What the AWS configuration files of this computer hold.
    profiles(Nothing) -> Profiles;
    add_connection(NewConnection) -> Connection;
    /// Makes it the current one; the choice outlives the program.
    choose_connection(ConnectionId) -> Connection;
    change_connection(ConnectionChange) -> Connection;
    /// The answer to a changed account: use the one it leads to now.
    accept_account(ConnectionId) -> Connection;
    /// Opens the browser and waits there for the person; answers when the connection was tried again.
    sign_in(ConnectionId) -> Connection;
    cancel_sign_in(ConnectionId) -> Nothing;
    /// The code that a device shows, for a role that wants one.
    enter_code(DeviceCode) -> Connection;
    /// Types the keys of a connection in again.
    renew_keys(KeysAgain) -> Connection;
    /// Forgets it and its keys. Jobs made with it stay listed.
    remove_connection(ConnectionId) -> Nothing;
    /// Tries a connection again: reads the configuration files anew and asks who it is.
    reconnect(ConnectionId) -> Connection;
    place_choices(ConnectionId) -> PlaceChoices;
    /// Shows a role as it would be created; creates nothing.
    draft_role(RoleWish) -> RoleDraft;
    create_role(RoleWish) -> PlaceChange;
    create_bucket(BucketWish) -> PlaceChange;
    /// Asks whether a job would be let in; each check is told as it is done, and all are answered at the end.
    doctor(DoctorRequest) -> DoctorReport;
    /// Regions where something can be tuned, the most first.
    regions(Nothing) -> Vec<RegionChoice>;

    activities(Nothing) -> Vec<Activity>;
    cancel_activity(ActivityId) -> Nothing;

    /// Opens the desktop's own dialog; null when the person closed it.
    pick_file(Nothing) -> Option<PickedFile>;
    /// Reads the beginning of a file, quick at any size.
    preview_file(PreviewRequest) -> FilePreview;
    /// Opens a file in place, or converts it into one of the app's own. In place it answers once the first rows can be
    /// shown; the index goes on as an activity.
    import_dataset(ImportRequest) -> ImportOutcome;
    samples(Nothing) -> Vec<Sample>;
    import_sample(SampleId) -> DatasetSummary;

    datasets(Nothing) -> Vec<DatasetSummary>;
    dataset(DatasetId) -> DatasetSummary;
    rename_dataset(RenameRequest) -> DatasetSummary;
    delete_dataset(DatasetId) -> Nothing;
    /// Writes the edits into the file, whole or not at all.
    save_dataset(SaveRequest) -> SaveOutcome;
    /// Asks for a place and writes the records there; the dataset then belongs to that file.
    save_dataset_as(DatasetId) -> SaveOutcome;
    /// What to do about a file that changed beneath.
    choose_file(FileChoiceRequest) -> DatasetSummary;

    columns(DatasetId) -> Vec<ColumnChoice>;
    rows(RowsRequest) -> RowWindow;
    /// The positions of a stretch of a view, in order, joined where they touch.
    positions(PositionsRequest) -> Vec<Span>;
    locate(LocateRequest) -> Located;
    filter_help(FilterRequest) -> FilterHelp;

    record(RecordRequest) -> RecordDetail;
    /// Checks a record as it is typed; writes nothing.
    check_record(CheckRequest) -> RecordContent;
    edit_record(EditRequest) -> RecordChange;
    insert_records(InsertRequest) -> Change;
    /// Each copy stands after its original.
    duplicate_records(SelectionRequest) -> Change;
    delete_records(SelectionRequest) -> Change;
    move_records(MoveRequest) -> Change;
    edit_records(EditManyRequest) -> Change;
    find(FindRequest) -> FindWindow;
    replace(ReplaceRequest) -> Change;
    undo(DatasetId) -> Change;
    redo(DatasetId) -> Change;

    findings(FindingsRequest) -> FindingsReport;
    /// Begins the pass for records that nearly say the same; its findings join the others when it is through.
    find_near_duplicates(FindingsRequest) -> FindingsReport;
    finding_list(FindingListRequest) -> FindingWindow;
    next_finding(NextFindingRequest) -> NextFinding;
    fix_findings(FixRequest) -> Change;
    /// What a record that is being typed would be after a rule's fix; writes nothing.
    fix_draft(FixDraftRequest) -> RecordContent;

    snapshots(DatasetId) -> Vec<Snapshot>;
    create_snapshot(NewSnapshot) -> Snapshot;
    delete_snapshot(SnapshotRequest) -> Nothing;
    diff_snapshot(DiffRequest) -> DiffWindow;
    /// An edit like any other: Undo brings back what was there before.
    restore_snapshot(SnapshotRequest) -> Change;

    statistics(StatisticsRequest) -> Statistics;
    statistics_chart(StatisticsChartRequest) -> StatisticsChart;

    split_keys(DatasetId) -> Vec<SplitKey>;
    preview_split(SplitRequest) -> SplitPreview;
    split_dataset(SplitRequest) -> DatasetSummary;

    /// Writes the splits as the base model's own JSON Lines into a folder the person chooses.
    export_dataset(ExportRequest) -> ExportOutcome;
    conversion_choices(DatasetId) -> ConversionChoices;
    preview_conversion(ConversionRequest) -> LossReport;
    /// Asks for a place and writes the converted records there; the dataset stays as it is.
    convert_dataset(ConversionRequest) -> ConversionOutcome;

    base_models(Nothing) -> Vec<BaseModel>;
    /// The models that a dataset can be checked for.
    data_models(Nothing) -> Vec<DataModel>;
    catalog(Nothing) -> Catalog;
    /// The one that was changed last stands first.
    drafts(Nothing) -> Vec<SavedDraft>;
    /// On disk when it answers.
    save_draft(SavedDraft) -> SavedDraft;
    delete_draft(DraftId) -> Nothing;
    /// The draft of a job that was started, with names that are free.
    clone_job(JobId) -> JobDraft;
    /// What would be sent for a draft, finished or not. Sends nothing.
    show_call(JobDraft) -> ShownCall;
    first_batch(JobDraft) -> FirstBatch;
    /// Asks for a place and writes the draft there as a recipe.
    save_recipe(RecipeRequest) -> SavedRecipe;
    /// Opens the desktop's own dialog; null when the person closed it.
    open_recipe(Nothing) -> Option<OpenedRecipe>;
    /// Checks a draft: names, hyperparameters, data. Uploads nothing.
    plan_job(JobDraft) -> JobPlan;
    /// What a job would cost, and what its model costs afterwards.
    estimate(EstimateRequest) -> CostEstimate;
    /// The same for tokens that were counted already, with the base model's default epochs.
    estimate_tokens(TokenEstimateRequest) -> CostEstimate;
    /// What costs money as long as it is there, at this connection.
    running_costs(Nothing) -> RunningCosts;
    /// When the app is to end provisioned throughput.
    set_end_time(EndTimeRequest) -> RunningCosts;
    /// Asks for a place and writes a calendar file for an end time; false when the dialog was closed.
    save_reminder(ReminderRequest) -> bool;
    /// Uploads the splits and creates the job; answers as soon as it is written down.
    start_job(JobDraft) -> JobSummary;
    /// Starts a job for each value. All are checked before the first is started.
    start_sweep(Sweep) -> Vec<JobSummary>;
    /// Starts the draft on this computer, to try it before it goes to the current connection.
    rehearse(JobDraft) -> JobSummary;
    /// Checks the draft that a rehearsal was for, where it is to go.
    plan_carried(JobId) -> JobPlan;
    /// Starts the draft that a rehearsal was for at the connection it was meant for.
    carry_over(JobId) -> JobSummary;
    jobs(Nothing) -> Vec<JobSummary>;
    job(JobId) -> JobDetail;
    job_chart(ChartRequest) -> Chart;
    /// Asks for a place and writes the chart, or its numbers, there.
    save_chart(SaveChartRequest) -> SavedChart;
    save_notes(NotesRequest) -> JobDetail;
    /// Asks the endpoint what it keeps of a job.
    job_remains(JobId) -> JobRemains;
    compare_jobs(CompareRequest) -> JobComparison;
    /// Looks for jobs of this connection that were not started here, and lists them from then on. Answers with how many.
    find_jobs(Nothing) -> u64;
    stop_job(JobId) -> JobDetail;
    /// Creates an on-demand deployment of the model that a completed job made.
    deploy(JobId) -> JobDetail;

    /// The account's own models at this connection, with what answers for each.
    own_models(Nothing) -> Vec<OwnModel>;
    serving_plan(ModelArn) -> ServingPlan;
    /// Creates a deployment or provisioned throughput; answers with its ARN while it is still being made.
    serve_model(ServeRequest) -> ModelArn;
    /// Turns a deployment or provisioned throughput to another model.
    turn_served(TurnRequest) -> Nothing;
    /// Deletes a deployment or provisioned throughput; the model stays.
    stop_serving(ModelArn) -> Nothing;
    removal(ModelArn) -> Removal;
    /// Deletes a model after what answers for it, as an activity.
    remove_model(ModelArn) -> ActivityId;
    /// Copies a custom model to another Region, as an activity.
    copy_model(CopyRequest) -> ActivityId;
    /// Asks for a folder and writes a model that was trained here into it, as Hugging Face lays it out; null when the
    /// dialog was closed.
    export_model(ModelArn) -> Option<ExportedModel>;
    /// Asks for a Hugging Face folder, uploads it and imports it, as an activity; null when the dialog was closed.
    import_model(ImportModelRequest) -> Option<ActivityId>;

    buckets(Nothing) -> Vec<Bucket>;
    /// Folders and objects directly below a place in S3, a page at a time.
    list_place(PlaceRequest) -> PlaceListing;
    preview_object(ObjectRequest) -> ObjectPreview;
    /// Asks for a place and brings the object there, as an activity; null when the dialog was closed.
    download_object(ObjectRequest) -> Option<ActivityId>;
    /// Asks for a folder and brings everything below a prefix there, as an activity.
    download_folder(FolderRequest) -> Option<ActivityId>;
    /// Brings an object to this computer, to be imported like a file that was chosen.
    fetch_object(ObjectRequest) -> PickedFile;
    /// Parts of uploads in the app's bucket that nobody will complete.
    abandoned_uploads(Nothing) -> Vec<AbandonedUpload>;
    remove_abandoned_upload(AbandonedRequest) -> Nothing;

    playable_models(Nothing) -> Vec<PlayableModel>;
    send_prompt(PromptRequest) -> Reply;
    cancel_prompt(RequestId) -> Nothing;
    /// Opens the desktop's own dialog for files to attach; none when the person closed it.
    pick_attachments(Nothing) -> Vec<PickedFile>;
    /// Checks a file and keeps a copy of it, which is what is sent.
    attach_file(AttachRequest) -> Attachment;
    attach_pasted(PastedPicture) -> Attachment;
    /// For showing it.
    attached_picture(AttachmentId) -> ShownPicture;
    hold_out_prompt(HoldOutRequest) -> Option<HoldOutPrompt>;

    /// Newest first.
    evaluations(Nothing) -> Vec<EvaluationSummary>;
    evaluation(EvaluationId) -> Evaluation;
    /// Checks a draft and says what it would cost. Asks no model.
    plan_evaluation(EvaluationDraft) -> EvaluationPlan;
    /// Writes down what is asked and begins; answers at once.
    start_evaluation(EvaluationDraft) -> EvaluationSummary;
    /// Goes on where it was; what is answered is not asked again.
    resume_evaluation(EvaluationId) -> EvaluationSummary;
    delete_evaluation(EvaluationId) -> Nothing;
    evaluation_rows(EvaluationRowsRequest) -> EvaluationRows;
    /// Which label was taken for which.
    evaluation_chart(EvaluationChartRequest) -> EvaluationChart;
    /// Asks for a place and writes the report there.
    export_evaluation(ExportEvaluation) -> SavedChart;
    /// Checks a judge and says what it would cost. Asks no model.
    plan_judge(JudgeRequest) -> JudgePlan;
    /// Has the answers judged, as an activity.
    start_judge(JudgeRequest) -> EvaluationSummary;
    judge_rows(JudgeRowsRequest) -> JudgeRows;
    /// What a person votes on next.
    duel(DuelRequest) -> Duel;
    /// On disk when it answers, with what is next.
    vote(VoteRequest) -> Duel;
    /// Takes the person's last vote back.
    undo_vote(DuelRequest) -> Duel;
    /// What the training prompts of a dataset have in common.
    prompt_frame(DatasetId) -> PromptFrame;
    /// The same request as programs make it; each runs as it is shown.
    prompt_code(PromptRequest) -> PromptCode;
    /// Newest first; those that hold the text, where one is given.
    conversations(ConversationSearch) -> Vec<Conversation>;
    /// On disk when it answers.
    save_conversation(Conversation) -> Nothing;
    delete_conversation(ConversationId) -> Nothing;

    /// The prompt library, the one that was changed last first.
    prompts(PromptSearch) -> Vec<LibraryPrompt>;
    /// Makes a new version of it, or a new prompt. On disk when it answers.
    save_prompt(SavePrompt) -> LibraryPrompt;
    /// Newest first.
    prompt_versions(PromptId) -> Vec<LibraryPrompt>;
    /// Makes what an older version said the newest one.
    restore_prompt(PromptVersionId) -> LibraryPrompt;
    /// With all its versions.
    delete_prompt(PromptId) -> Nothing;
}
