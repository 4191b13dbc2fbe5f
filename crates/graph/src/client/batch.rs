//! Writes in batches.

use reqwest::Method;

use super::{Client, body::read_json};
use crate::{
    BATCH_MAX, GraphError, Operation, RequestId, RequestKind, WriteSuccess,
    batch::{Responses, body, split},
    clock,
};

impl Client {
    /// Writes the presence of up to 20 people ([`BATCH_MAX`]) with one HTTP request; one result for each write, in the same
    /// order. Each write counts against Graph's limits like a request of its own, and has its own id.
    ///
    /// # Errors
    /// See [`GraphError`], for the batch as a whole: the fate of its writes is unknown.
    pub async fn write_batch(
        &self,
        writes: &[(&str, Operation, Option<RequestId>)],
    ) -> Result<Vec<Result<WriteSuccess, GraphError>>, GraphError> {
        const CALL: &str = "$batch";
        if writes.len() > BATCH_MAX {
            return Err(GraphError::Refused {
                call: CALL,
                status: 400,
                message: format!(
                    "{} writes in one batch; {BATCH_MAX} is the most",
                    writes.len()
                ),
            });
        }
        if writes.is_empty() {
            return Ok(Vec::new());
        }
        let url = self.url(&["v1.0", "$batch"])?;
        let body = body(writes, &self.config.client_id);
        let response = self
            .send(CALL, Method::POST, url.as_str(), Some(&body))
            .await?;
        let permission = "application permission Presence.ReadWrite.All";
        let kind = RequestKind::Batch;
        let response = self
            .accept(kind, CALL, permission, "$batch", response)
            .await?;
        let answers: Responses = read_json(CALL, response).await?;
        Ok(split(writes, answers, clock::now()))
    }
}
