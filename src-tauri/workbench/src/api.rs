//! The contract's calls. Each is handed to the part that answers it; nothing is decided here.

use async_trait::async_trait;
use whetstone_contract::*;

use crate::errors::from_store;
use crate::{Workbench, connections, models, samples};

#[async_trait]
impl Api for Workbench {
    async fn start(&self, _: Nothing) -> Result<Start, AppError> {
        Ok(Start {
            version: self.version.clone(),
            settings: self.settings()?,
            connection: self.connections.shown(),
            opened_file: self.take_opened_file(),
        })
    }

    async fn patch_settings(&self, patch: SettingsPatch) -> Result<Settings, AppError> {
        let mut settings = self.settings()?;
        settings.theme = patch.theme.unwrap_or(settings.theme);
        if let Some(budget) = patch.monthly_budget_usd {
            settings.monthly_budget_usd = (budget > 0.0 && budget.is_finite()).then_some(budget);
        }
        if let Some(limit) = patch.transfer_limit {
            settings.transfer_limit = (limit > 0).then_some(limit);
            self.transfers.limit(settings.transfer_limit);
        }
        self.store.save_settings(&settings).map_err(|error| from_store(&error))?;
        Ok(settings)
    }

    async fn connection(&self, _: Nothing) -> Result<Connection, AppError> {
        Ok(self.connections.shown())
    }

    async fn connections(&self, _: Nothing) -> Result<Vec<Connection>, AppError> {
        Ok(self.connections.list())
    }

    async fn profiles(&self, _: Nothing) -> Result<Profiles, AppError> {
        connections::profiles().await
    }

    async fn add_connection(&self, new: NewConnection) -> Result<Connection, AppError> {
        let added = self.connections.add(new).await?;
        self.connect(&added.id).await;
        self.connections.get(&added.id)
    }

    async fn choose_connection(&self, which: ConnectionId) -> Result<Connection, AppError> {
        let chosen = self.connections.choose(&which.connection)?;
        if chosen.state != ConnectionState::Ready {
            self.connect(&chosen.id).await;
        }
        self.connections.get(&chosen.id)
    }

    async fn change_connection(&self, change: ConnectionChange) -> Result<Connection, AppError> {
        self.connections.change(change)
    }

    async fn accept_account(&self, which: ConnectionId) -> Result<Connection, AppError> {
        self.connections.accept_account(&which.connection)?;
        self.reconnect(which).await
    }

    async fn sign_in(&self, which: ConnectionId) -> Result<Connection, AppError> {
        Workbench::sign_in(self, &which.connection).await
    }

    async fn cancel_sign_in(&self, which: ConnectionId) -> Result<Nothing, AppError> {
        self.connections.sign_ins.cancel(&which.connection);
        Ok(Nothing {})
    }

    async fn enter_code(&self, code: DeviceCode) -> Result<Connection, AppError> {
        self.connections.give_code(&code);
        self.reconnect(ConnectionId { connection: code.connection }).await
    }

    async fn renew_keys(&self, again: KeysAgain) -> Result<Connection, AppError> {
        let connection = again.connection.clone();
        self.connections.renew_keys(again).await?;
        self.reconnect(ConnectionId { connection }).await
    }

    async fn remove_connection(&self, which: ConnectionId) -> Result<Nothing, AppError> {
        self.forget_connection(&which.connection).await.map(|()| Nothing {})
    }

    async fn reconnect(&self, which: ConnectionId) -> Result<Connection, AppError> {
        self.connect(&which.connection).await;
        self.connections.get(&which.connection)
    }

    async fn place_choices(&self, which: ConnectionId) -> Result<PlaceChoices, AppError> {
        self.connections.place_choices(&which.connection).await
    }

    async fn draft_role(&self, wish: RoleWish) -> Result<RoleDraft, AppError> {
        self.connections.draft_role(&wish).await
    }

    async fn create_role(&self, wish: RoleWish) -> Result<PlaceChange, AppError> {
        self.connections.create_role(wish).await
    }

    async fn create_bucket(&self, wish: BucketWish) -> Result<PlaceChange, AppError> {
        self.connections.create_bucket(wish).await
    }

    async fn doctor(&self, request: DoctorRequest) -> Result<DoctorReport, AppError> {
        self.examine(request).await
    }

    async fn regions(&self, _: Nothing) -> Result<Vec<RegionChoice>, AppError> {
        Ok(connections::regions())
    }

    async fn activities(&self, _: Nothing) -> Result<Vec<Activity>, AppError> {
        Ok(self.activities.list())
    }

    async fn cancel_activity(&self, which: ActivityId) -> Result<Nothing, AppError> {
        self.activities.cancel(&which.activity).map(|()| Nothing {})
    }

    async fn pick_file(&self, _: Nothing) -> Result<Option<PickedFile>, AppError> {
        Ok(self.host.pick_file().await.map(|path| self.picked.remember(&path)))
    }

    async fn preview_file(&self, request: PreviewRequest) -> Result<FilePreview, AppError> {
        self.preview(request).await
    }

    async fn import_dataset(&self, request: ImportRequest) -> Result<ImportOutcome, AppError> {
        self.import(request).await
    }

    async fn samples(&self, _: Nothing) -> Result<Vec<Sample>, AppError> {
        Ok(samples::listed())
    }

    async fn import_sample(&self, sample: SampleId) -> Result<DatasetSummary, AppError> {
        self.import_bundled(sample).await
    }

    async fn datasets(&self, _: Nothing) -> Result<Vec<DatasetSummary>, AppError> {
        self.datasets.list().await
    }

    async fn dataset(&self, which: DatasetId) -> Result<DatasetSummary, AppError> {
        self.datasets.summary(which.dataset).await
    }

    async fn rename_dataset(&self, request: RenameRequest) -> Result<DatasetSummary, AppError> {
        self.datasets.rename(request).await
    }

    async fn delete_dataset(&self, which: DatasetId) -> Result<Nothing, AppError> {
        self.datasets.delete(which.dataset.clone()).await?;
        self.host.emit(AppEvent::DatasetsChanged { dataset: Some(which.dataset) });
        Ok(Nothing {})
    }

    async fn save_dataset(&self, request: SaveRequest) -> Result<SaveOutcome, AppError> {
        self.save(request).await
    }

    async fn save_dataset_as(&self, which: DatasetId) -> Result<SaveOutcome, AppError> {
        self.save_as(which.dataset).await
    }

    async fn choose_file(&self, request: FileChoiceRequest) -> Result<DatasetSummary, AppError> {
        self.datasets.choose_file(request).await
    }

    async fn columns(&self, which: DatasetId) -> Result<Vec<ColumnChoice>, AppError> {
        self.datasets.columns(which.dataset).await
    }

    async fn rows(&self, request: RowsRequest) -> Result<RowWindow, AppError> {
        self.datasets.rows(request).await
    }

    async fn positions(&self, request: PositionsRequest) -> Result<Vec<Span>, AppError> {
        self.datasets.positions(request).await
    }

    async fn locate(&self, request: LocateRequest) -> Result<Located, AppError> {
        self.datasets.locate(request).await
    }

    async fn filter_help(&self, request: FilterRequest) -> Result<FilterHelp, AppError> {
        self.datasets.filter_help(request).await
    }

    async fn record(&self, request: RecordRequest) -> Result<RecordDetail, AppError> {
        self.datasets.record(request).await
    }

    async fn check_record(&self, request: CheckRequest) -> Result<RecordContent, AppError> {
        self.datasets.check_record(request).await
    }

    async fn edit_record(&self, request: EditRequest) -> Result<RecordChange, AppError> {
        self.datasets.edit(request).await
    }

    async fn insert_records(&self, request: InsertRequest) -> Result<Change, AppError> {
        self.datasets.insert(request).await
    }

    async fn duplicate_records(&self, request: SelectionRequest) -> Result<Change, AppError> {
        self.datasets.duplicate(request).await
    }

    async fn delete_records(&self, request: SelectionRequest) -> Result<Change, AppError> {
        self.datasets.delete_records(request).await
    }

    async fn move_records(&self, request: MoveRequest) -> Result<Change, AppError> {
        self.datasets.move_records(request).await
    }

    async fn edit_records(&self, request: EditManyRequest) -> Result<Change, AppError> {
        self.datasets.edit_many(request).await
    }

    async fn find(&self, request: FindRequest) -> Result<FindWindow, AppError> {
        self.datasets.find(request).await
    }

    async fn replace(&self, request: ReplaceRequest) -> Result<Change, AppError> {
        self.datasets.replace(request).await
    }

    async fn undo(&self, which: DatasetId) -> Result<Change, AppError> {
        self.datasets.undo(which.dataset).await
    }

    async fn redo(&self, which: DatasetId) -> Result<Change, AppError> {
        self.datasets.redo(which.dataset).await
    }

    async fn findings(&self, request: FindingsRequest) -> Result<FindingsReport, AppError> {
        self.datasets.findings(request).await
    }

    async fn find_near_duplicates(&self, request: FindingsRequest) -> Result<FindingsReport, AppError> {
        self.datasets.find_near_duplicates(request).await
    }

    async fn finding_list(&self, request: FindingListRequest) -> Result<FindingWindow, AppError> {
        self.datasets.finding_list(request).await
    }

    async fn next_finding(&self, request: NextFindingRequest) -> Result<NextFinding, AppError> {
        self.datasets.next_finding(request).await
    }

    async fn fix_findings(&self, request: FixRequest) -> Result<Change, AppError> {
        self.datasets.fix_findings(request).await
    }

    async fn fix_draft(&self, request: FixDraftRequest) -> Result<RecordContent, AppError> {
        self.datasets.fix_draft(request).await
    }

    async fn snapshots(&self, which: DatasetId) -> Result<Vec<Snapshot>, AppError> {
        self.datasets.snapshots(which.dataset).await
    }

    async fn create_snapshot(&self, request: NewSnapshot) -> Result<Snapshot, AppError> {
        self.datasets.create_snapshot(request, self.host.now_ms()).await
    }

    async fn delete_snapshot(&self, request: SnapshotRequest) -> Result<Nothing, AppError> {
        self.datasets.delete_snapshot(request).await.map(|()| Nothing {})
    }

    async fn diff_snapshot(&self, request: DiffRequest) -> Result<DiffWindow, AppError> {
        self.datasets.diff_snapshot(request).await
    }

    async fn restore_snapshot(&self, request: SnapshotRequest) -> Result<Change, AppError> {
        self.datasets.restore_snapshot(request).await
    }

    async fn statistics(&self, request: StatisticsRequest) -> Result<Statistics, AppError> {
        self.datasets.statistics(request).await
    }

    async fn statistics_chart(&self, request: StatisticsChartRequest) -> Result<StatisticsChart, AppError> {
        self.datasets.statistics_chart(request).await
    }

    async fn split_keys(&self, which: DatasetId) -> Result<Vec<SplitKey>, AppError> {
        self.datasets.split_keys(which.dataset).await
    }

    async fn preview_split(&self, request: SplitRequest) -> Result<SplitPreview, AppError> {
        self.datasets.preview_split(request).await
    }

    async fn split_dataset(&self, request: SplitRequest) -> Result<DatasetSummary, AppError> {
        self.datasets.split(request).await
    }

    async fn export_dataset(&self, request: ExportRequest) -> Result<ExportOutcome, AppError> {
        self.export(request).await
    }

    async fn conversion_choices(&self, which: DatasetId) -> Result<ConversionChoices, AppError> {
        self.datasets.conversion_choices(which.dataset).await
    }

    async fn preview_conversion(&self, request: ConversionRequest) -> Result<LossReport, AppError> {
        self.datasets.preview_conversion(request).await
    }

    async fn convert_dataset(&self, request: ConversionRequest) -> Result<ConversionOutcome, AppError> {
        self.convert(request).await
    }

    async fn base_models(&self, _: Nothing) -> Result<Vec<BaseModel>, AppError> {
        let link = self.connections.link().await?;
        let told = self.endpoint_models.of(&link).await;
        Ok(models::listed(&link, &told))
    }

    async fn data_models(&self, _: Nothing) -> Result<Vec<DataModel>, AppError> {
        Ok(models::for_data())
    }

    async fn catalog(&self, _: Nothing) -> Result<Catalog, AppError> {
        let link = self.connections.link().await?;
        let told = self.endpoint_models.of(&link).await;
        Ok(models::catalog(&link, &told))
    }

    async fn drafts(&self, _: Nothing) -> Result<Vec<SavedDraft>, AppError> {
        self.list_drafts()
    }

    async fn save_draft(&self, draft: SavedDraft) -> Result<SavedDraft, AppError> {
        self.keep_draft(draft)
    }

    async fn delete_draft(&self, which: DraftId) -> Result<Nothing, AppError> {
        self.forget_draft(&which.draft).map(|()| Nothing {})
    }

    async fn clone_job(&self, which: JobId) -> Result<JobDraft, AppError> {
        self.clone_draft(&which.job)
    }

    async fn show_call(&self, draft: JobDraft) -> Result<ShownCall, AppError> {
        self.shown_call(draft).await
    }

    async fn first_batch(&self, draft: JobDraft) -> Result<FirstBatch, AppError> {
        self.batch(&draft).await
    }

    async fn save_recipe(&self, request: RecipeRequest) -> Result<SavedRecipe, AppError> {
        self.write_recipe(request).await
    }

    async fn open_recipe(&self, _: Nothing) -> Result<Option<OpenedRecipe>, AppError> {
        self.read_recipe().await
    }

    async fn plan_job(&self, draft: JobDraft) -> Result<JobPlan, AppError> {
        self.plan(&draft).await
    }

    async fn estimate(&self, request: EstimateRequest) -> Result<CostEstimate, AppError> {
        self.estimate_costs(request).await
    }

    async fn estimate_tokens(&self, request: TokenEstimateRequest) -> Result<CostEstimate, AppError> {
        self.estimate_of_tokens(request).await
    }

    async fn running_costs(&self, _: Nothing) -> Result<RunningCosts, AppError> {
        self.running().await
    }

    async fn set_end_time(&self, request: EndTimeRequest) -> Result<RunningCosts, AppError> {
        self.set_end(request).await
    }

    async fn save_reminder(&self, request: ReminderRequest) -> Result<bool, AppError> {
        self.write_reminder(request).await
    }

    async fn start_job(&self, draft: JobDraft) -> Result<JobSummary, AppError> {
        self.submit(draft).await
    }

    async fn start_sweep(&self, sweep: Sweep) -> Result<Vec<JobSummary>, AppError> {
        self.sweep(sweep).await
    }

    async fn rehearse(&self, draft: JobDraft) -> Result<JobSummary, AppError> {
        self.rehearse(draft).await
    }

    async fn plan_carried(&self, id: JobId) -> Result<JobPlan, AppError> {
        self.plan_carried(&id.job).await
    }

    async fn carry_over(&self, id: JobId) -> Result<JobSummary, AppError> {
        self.carry_over(&id.job).await
    }

    async fn jobs(&self, _: Nothing) -> Result<Vec<JobSummary>, AppError> {
        self.list_jobs()
    }

    async fn job(&self, which: JobId) -> Result<JobDetail, AppError> {
        self.job_detail(&which.job).await
    }

    async fn job_chart(&self, request: ChartRequest) -> Result<Chart, AppError> {
        self.draw_chart(request).await
    }

    async fn save_chart(&self, request: SaveChartRequest) -> Result<SavedChart, AppError> {
        self.save_chart_file(request).await
    }

    async fn save_notes(&self, request: NotesRequest) -> Result<JobDetail, AppError> {
        self.save_notes_of(request).await
    }

    async fn job_remains(&self, which: JobId) -> Result<JobRemains, AppError> {
        self.remains_of(&which.job).await
    }

    async fn compare_jobs(&self, request: CompareRequest) -> Result<JobComparison, AppError> {
        self.compare(request).await
    }

    async fn find_jobs(&self, _: Nothing) -> Result<u64, AppError> {
        self.adopt_jobs(&self.connections.shown().id).await
    }

    async fn stop_job(&self, which: JobId) -> Result<JobDetail, AppError> {
        self.stop(&which.job).await
    }

    async fn deploy(&self, which: JobId) -> Result<JobDetail, AppError> {
        self.serve(&which.job).await
    }

    async fn own_models(&self, _: Nothing) -> Result<Vec<OwnModel>, AppError> {
        self.list_own_models().await
    }

    async fn serving_plan(&self, which: ModelArn) -> Result<ServingPlan, AppError> {
        self.plan_serving(&which.arn).await
    }

    async fn serve_model(&self, request: ServeRequest) -> Result<ModelArn, AppError> {
        self.create_serving(request).await.map(|arn| ModelArn { arn })
    }

    async fn turn_served(&self, request: TurnRequest) -> Result<Nothing, AppError> {
        self.turn_to_model(request).await.map(|()| Nothing {})
    }

    async fn stop_serving(&self, which: ModelArn) -> Result<Nothing, AppError> {
        self.end_serving(&which.arn).await.map(|()| Nothing {})
    }

    async fn removal(&self, which: ModelArn) -> Result<Removal, AppError> {
        self.plan_removal(&which.arn).await
    }

    async fn remove_model(&self, which: ModelArn) -> Result<ActivityId, AppError> {
        self.begin_removal(which.arn).await
    }

    async fn copy_model(&self, request: CopyRequest) -> Result<ActivityId, AppError> {
        self.begin_copy(request).await
    }

    async fn export_model(&self, which: ModelArn) -> Result<Option<ExportedModel>, AppError> {
        self.write_model(&which.arn).await
    }

    async fn import_model(&self, request: ImportModelRequest) -> Result<Option<ActivityId>, AppError> {
        self.begin_import(request).await
    }

    async fn buckets(&self, _: Nothing) -> Result<Vec<Bucket>, AppError> {
        self.list_buckets().await
    }

    async fn list_place(&self, request: PlaceRequest) -> Result<PlaceListing, AppError> {
        self.place(request).await
    }

    async fn preview_object(&self, request: ObjectRequest) -> Result<ObjectPreview, AppError> {
        self.object_start(request).await
    }

    async fn download_object(&self, request: ObjectRequest) -> Result<Option<ActivityId>, AppError> {
        self.bring_object(request).await
    }

    async fn download_folder(&self, request: FolderRequest) -> Result<Option<ActivityId>, AppError> {
        self.bring_folder(request).await
    }

    async fn fetch_object(&self, request: ObjectRequest) -> Result<PickedFile, AppError> {
        self.fetch(request).await
    }

    async fn abandoned_uploads(&self, _: Nothing) -> Result<Vec<AbandonedUpload>, AppError> {
        self.find_abandoned().await
    }

    async fn remove_abandoned_upload(&self, request: AbandonedRequest) -> Result<Nothing, AppError> {
        self.remove_abandoned(request).await.map(|()| Nothing {})
    }

    async fn playable_models(&self, _: Nothing) -> Result<Vec<PlayableModel>, AppError> {
        self.list_playable().await
    }

    async fn send_prompt(&self, prompt: PromptRequest) -> Result<Reply, AppError> {
        self.ask(prompt).await
    }

    async fn cancel_prompt(&self, which: RequestId) -> Result<Nothing, AppError> {
        self.playground.cancel(&which.request);
        Ok(Nothing {})
    }

    async fn pick_attachments(&self, _: Nothing) -> Result<Vec<PickedFile>, AppError> {
        Ok(self.choose_attachments().await)
    }

    async fn attach_file(&self, request: AttachRequest) -> Result<Attachment, AppError> {
        self.attach_picked(&request.token).await
    }

    async fn attach_pasted(&self, pasted: PastedPicture) -> Result<Attachment, AppError> {
        self.attach_clipboard(pasted.data).await
    }

    async fn attached_picture(&self, which: AttachmentId) -> Result<ShownPicture, AppError> {
        self.show_picture(which.id).await
    }

    async fn hold_out_prompt(&self, request: HoldOutRequest) -> Result<Option<HoldOutPrompt>, AppError> {
        self.hold_out(request).await
    }

    async fn evaluations(&self, _: Nothing) -> Result<Vec<EvaluationSummary>, AppError> {
        self.list_evaluations()
    }

    async fn evaluation(&self, which: EvaluationId) -> Result<Evaluation, AppError> {
        self.evaluated(&which.evaluation).await
    }

    async fn plan_evaluation(&self, draft: EvaluationDraft) -> Result<EvaluationPlan, AppError> {
        self.plan_of_evaluation(&draft).await
    }

    async fn start_evaluation(&self, draft: EvaluationDraft) -> Result<EvaluationSummary, AppError> {
        self.begin_evaluation(draft).await
    }

    async fn resume_evaluation(&self, which: EvaluationId) -> Result<EvaluationSummary, AppError> {
        self.go_on_with_evaluation(&which.evaluation)
    }

    async fn delete_evaluation(&self, which: EvaluationId) -> Result<Nothing, AppError> {
        self.forget_evaluation(&which.evaluation).map(|()| Nothing {})
    }

    async fn evaluation_rows(&self, request: EvaluationRowsRequest) -> Result<EvaluationRows, AppError> {
        self.rows_of_evaluation(request).await
    }

    async fn evaluation_chart(&self, request: EvaluationChartRequest) -> Result<EvaluationChart, AppError> {
        self.draw_confusion(request).await
    }

    async fn plan_judge(&self, request: JudgeRequest) -> Result<JudgePlan, AppError> {
        self.plan_of_judge(request).await
    }

    async fn start_judge(&self, request: JudgeRequest) -> Result<EvaluationSummary, AppError> {
        self.begin_judging(request)
    }

    async fn judge_rows(&self, request: JudgeRowsRequest) -> Result<JudgeRows, AppError> {
        self.rows_of_judge(request).await
    }

    async fn duel(&self, request: DuelRequest) -> Result<Duel, AppError> {
        self.duel_of(request).await
    }

    async fn vote(&self, request: VoteRequest) -> Result<Duel, AppError> {
        self.note_vote(request).await
    }

    async fn undo_vote(&self, request: DuelRequest) -> Result<Duel, AppError> {
        self.take_vote_back(request).await
    }

    async fn export_evaluation(&self, request: ExportEvaluation) -> Result<SavedChart, AppError> {
        self.write_report(request).await
    }

    async fn prompt_frame(&self, which: DatasetId) -> Result<PromptFrame, AppError> {
        self.datasets.prompt_frame(which.dataset).await
    }

    async fn prompt_code(&self, request: PromptRequest) -> Result<PromptCode, AppError> {
        self.code_of_prompt(request).await
    }

    async fn conversations(&self, search: ConversationSearch) -> Result<Vec<Conversation>, AppError> {
        self.list_conversations(search.text.as_deref())
    }

    async fn save_conversation(&self, conversation: Conversation) -> Result<Nothing, AppError> {
        self.keep_conversation(conversation).map(|()| Nothing {})
    }

    async fn delete_conversation(&self, which: ConversationId) -> Result<Nothing, AppError> {
        self.forget_conversation(&which.conversation).map(|()| Nothing {})
    }

    async fn prompts(&self, search: PromptSearch) -> Result<Vec<LibraryPrompt>, AppError> {
        self.list_prompts(search.text.as_deref())
    }

    async fn save_prompt(&self, wanted: SavePrompt) -> Result<LibraryPrompt, AppError> {
        self.keep_prompt(wanted)
    }

    async fn prompt_versions(&self, which: PromptId) -> Result<Vec<LibraryPrompt>, AppError> {
        self.versions_of_prompt(&which.id)
    }

    async fn restore_prompt(&self, which: PromptVersionId) -> Result<LibraryPrompt, AppError> {
        self.bring_prompt_back(&which)
    }

    async fn delete_prompt(&self, which: PromptId) -> Result<Nothing, AppError> {
        self.forget_prompt(&which.id).map(|()| Nothing {})
    }
}

impl Workbench {
    pub(crate) fn settings(&self) -> Result<Settings, AppError> {
        let saved = self.store.settings().map_err(|error| from_store(&error))?;
        Ok(saved.unwrap_or(Settings::default()))
    }
}
