use leptos::prelude::server;
use leptos::server_fn::codec::Json;
use protocol::runner::RunnerView;

use super::Snapshot;
use crate::AppError;
#[cfg(feature = "ssr")]
use crate::backend::backend;

#[server(input = Json, endpoint = "runners/list")]
pub async fn list_runners() -> Result<Snapshot<Vec<RunnerView>>, AppError> {
    Ok(backend()?.runners().await?)
}
