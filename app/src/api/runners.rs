use leptos::prelude::server;
use protocol::runner::RunnerView;

use super::Snapshot;
use super::encoding::PostJson;
use crate::AppError;
#[cfg(feature = "ssr")]
use crate::backend::backend;

#[server(input = PostJson, output = PostJson, endpoint = "runners/list")]
pub async fn list_runners() -> Result<Snapshot<Vec<RunnerView>>, AppError> {
    Ok(backend()?.runners().await?)
}
