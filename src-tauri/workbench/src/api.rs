//! The contract's calls. Each is handed to the part that answers it; nothing is decided here.

use async_trait::async_trait;
use whetstone_contract::*;

use crate::errors::from_store;
use crate::{Workbench, models, samples};

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
        self.store.save_settings(&settings).map_err(|error| from_store(&error))?;
        Ok(settings)
    }

    async fn connection(&self, _: Nothing) -> Result<Connection, AppError> {
        Ok(self.connections.shown())
    }

    async fn reconnect(&self, _: Nothing) -> Result<Connection, AppError> {
        self.connect().await;
        Ok(self.connections.shown())
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

    async fn preview_file(&self, file: FileToken) -> Result<FilePreview, AppError> {
        self.preview(file).await
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

    async fn delete_dataset(&self, which: DatasetId) -> Result<Nothing, AppError> {
        self.datasets.delete(which.dataset.clone()).await?;
        self.host.emit(AppEvent::DatasetsChanged { dataset: Some(which.dataset) });
        Ok(Nothing {})
    }

    async fn rows(&self, request: RowsRequest) -> Result<RowWindow, AppError> {
        self.datasets.rows(request).await
    }

    async fn record(&self, request: RecordRequest) -> Result<RecordDetail, AppError> {
        self.datasets.record(request).await
    }

    async fn edit_record(&self, edit: EditRequest) -> Result<RecordDetail, AppError> {
        let dataset = edit.dataset.clone();
        let detail = self.datasets.edit(edit).await?;
        self.host.emit(AppEvent::DatasetsChanged { dataset: Some(dataset) });
        Ok(detail)
    }

    async fn insert_record(&self, request: InsertRequest) -> Result<DatasetSummary, AppError> {
        self.changed(self.datasets.insert(request).await)
    }

    async fn delete_record(&self, request: DeleteRecordRequest) -> Result<DatasetSummary, AppError> {
        self.changed(self.datasets.delete_record(request).await)
    }

    async fn undo(&self, which: DatasetId) -> Result<DatasetSummary, AppError> {
        self.changed(self.datasets.undo(which.dataset).await)
    }

    async fn redo(&self, which: DatasetId) -> Result<DatasetSummary, AppError> {
        self.changed(self.datasets.redo(which.dataset).await)
    }

    async fn split_dataset(&self, request: SplitRequest) -> Result<DatasetSummary, AppError> {
        self.changed(self.datasets.split(request).await)
    }

    async fn findings(&self, request: FindingsRequest) -> Result<FindingsReport, AppError> {
        self.datasets.findings(request).await
    }

    async fn export_dataset(&self, request: ExportRequest) -> Result<ExportOutcome, AppError> {
        self.export(request).await
    }

    async fn base_models(&self, _: Nothing) -> Result<Vec<BaseModel>, AppError> {
        Ok(models::listed(self.connections.link().await?.on_this_computer))
    }

    async fn plan_job(&self, draft: JobDraft) -> Result<JobPlan, AppError> {
        self.plan(&draft).await
    }

    async fn start_job(&self, draft: JobDraft) -> Result<JobSummary, AppError> {
        self.submit(draft).await
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

    async fn stop_job(&self, which: JobId) -> Result<JobDetail, AppError> {
        self.stop(&which.job).await
    }

    async fn deploy(&self, which: JobId) -> Result<JobDetail, AppError> {
        self.serve(&which.job).await
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

    async fn hold_out_prompt(&self, request: HoldOutRequest) -> Result<Option<HoldOutPrompt>, AppError> {
        self.hold_out(request).await
    }
}

impl Workbench {
    fn settings(&self) -> Result<Settings, AppError> {
        let saved = self.store.settings().map_err(|error| from_store(&error))?;
        Ok(saved.unwrap_or(Settings { theme: Theme::System }))
    }

    /// Tells the window about a dataset that has just changed, and passes the answer on.
    fn changed(&self, result: Result<DatasetSummary, AppError>) -> Result<DatasetSummary, AppError> {
        if let Ok(summary) = &result {
            self.host.emit(AppEvent::DatasetsChanged { dataset: Some(summary.id.clone()) });
        }
        result
    }
}
