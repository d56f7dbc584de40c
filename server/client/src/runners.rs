//! Runners, as everybody may see them.

use protocol::page::Page;
use protocol::runner::RunnerView;

use crate::{Client, ClientError};

impl Client {
    pub async fn runners(&self) -> Result<Page<RunnerView>, ClientError> {
        self.json(self.get("runners")).await
    }
}
