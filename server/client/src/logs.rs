//! Logs: the raw bytes of an attempt, whole or a range, and its numbered chunks as JSON.

use protocol::id::TaskId;
use protocol::log::{LogPage, LogStream};
use reqwest::{Response, Url};

use crate::{Client, ClientError};

/// Which bytes of which attempt.
#[derive(Debug, Clone, Default)]
pub struct LogQuery {
    /// The attempt; the current one when absent.
    pub epoch: Option<u64>,
    /// Only what came by this stream.
    pub stream: Option<LogStream>,
    /// Bytes to skip.
    pub offset: u64,
    /// The most bytes to send.
    pub limit: Option<u64>,
    /// Go on until the attempt ends.
    pub follow: bool,
}

impl LogQuery {
    fn apply(&self, url: &mut Url) {
        let stream = self.stream.map(|stream| match stream {
            LogStream::Stdout => "stdout",
            LogStream::Stderr => "stderr",
            LogStream::Runner => "runner",
        });
        let pairs = [
            ("epoch", self.epoch.map(|epoch| epoch.to_string())),
            ("stream", stream.map(str::to_owned)),
            ("offset", (self.offset > 0).then(|| self.offset.to_string())),
            ("limit", self.limit.map(|limit| limit.to_string())),
            ("follow", self.follow.then(|| "true".to_owned())),
        ];
        for (name, value) in pairs {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, &value);
            }
        }
    }
}

impl Client {
    /// The raw bytes as a body to be read piece by piece, because a log may be larger than the memory at hand.
    pub async fn log(&self, id: TaskId, query: &LogQuery) -> Result<Response, ClientError> {
        let mut url = self.url(&format!("tasks/{id}/logs"));
        query.apply(&mut url);
        self.send(self.get_url(url)).await
    }

    /// The chunks from `from_seq` on, as many as one answer holds.
    pub async fn log_page(
        &self,
        id: TaskId,
        epoch: Option<u64>,
        from_seq: u64,
    ) -> Result<LogPage, ClientError> {
        let mut url = self.url(&format!("tasks/{id}/logs"));
        url.query_pairs_mut()
            .append_pair("format", "json")
            .append_pair("from_seq", &from_seq.to_string());
        LogQuery {
            epoch,
            ..LogQuery::default()
        }
        .apply(&mut url);
        self.json(self.get_url(url)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query_of(query: &LogQuery) -> Option<String> {
        let mut url: Url = "http://x/logs".parse().unwrap();
        query.apply(&mut url);
        url.query().map(str::to_owned)
    }

    #[test]
    fn only_what_was_asked_for_is_in_the_query() {
        assert_eq!(query_of(&LogQuery::default()), None);
        let all = LogQuery {
            epoch: Some(2),
            stream: Some(LogStream::Stderr),
            offset: 10,
            limit: Some(5),
            follow: true,
        };
        assert_eq!(
            query_of(&all).as_deref(),
            Some("epoch=2&stream=stderr&offset=10&limit=5&follow=true")
        );
    }
}
