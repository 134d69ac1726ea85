//! A custom model once more, in another Region. The request goes to that Region, with the same credentials.

use whetstone_contract::{ActivityId, AppError, CopyRequest, ErrorCode};

use super::bringing::{UnderWay, Wish};
use crate::Workbench;
use crate::errors::{from_cloud, passes_by_itself};
use crate::names::check_model_name;

impl Workbench {
    pub(crate) async fn begin_copy(&self, request: CopyRequest) -> Result<ActivityId, AppError> {
        let link = self.link_for_long_work(&self.connections.shown().id).await?;
        if request.region == link.region {
            return Err(AppError::new(ErrorCode::InvalidInput, "The model is in this Region already.")
                .hint("Choose another Region."));
        }
        if let Some(problem) = check_model_name("name", &request.name) {
            return Err(AppError::new(ErrorCode::InvalidInput, problem.message));
        }
        let CopyRequest { model, region, name } = request;
        let mut under_way = UnderWay::new(&link.connection, Wish::Copy { model, region, name });
        self.note_bringing(&under_way)?;
        // A refusal is told where it was asked for; whatever else happens is the activity's.
        match self.create_bringing(&link, &under_way).await {
            Ok(job) => {
                under_way.job = Some(job);
                self.note_bringing(&under_way)?;
            }
            Err(error) if passes_by_itself(&error) => {}
            Err(error) => {
                self.forget_bringing(&under_way);
                return Err(from_cloud(&error));
            }
        }
        self.bring(link, under_way)
    }
}
