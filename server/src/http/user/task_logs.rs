//! `GET /tasks/{id}/logs`: what the command wrote, byte for byte or as JSON.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::Stream;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use protocol::error::ApiError;
use protocol::log::LogStream;

use super::task_id;
use crate::http::HttpError;
use crate::http::query::QueryReader;
use crate::services::{LogRange, LogReader, LogSelection, Services};

/// Counts in the database are 64-bit with a sign.
const MAX_NUMBER: u64 = 1 << 62;

/// How the log is asked for.
enum Asked {
    Bytes(LogSelection),
    Page { epoch: Option<u64>, from_seq: u64 },
}

/// `text/plain`: the bytes of the newest attempt, or of `epoch`; of one `stream`, or from `offset` for `limit`
/// bytes; with `follow` until the task is over. `format=json`: a page of chunks from `from_seq` on.
pub(super) async fn task_logs(
    State(services): State<Services>,
    path: Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, HttpError> {
    let id = task_id(&path)?;
    match read_query(query.as_deref())? {
        Asked::Page { epoch, from_seq } => {
            Ok(Json(services.log_page(id, epoch, from_seq).await?).into_response())
        }
        Asked::Bytes(selection) => {
            let reader = services.read_log(id, selection).await?;
            let mut response = Response::new(Body::from_stream(bytes_of(reader)));
            let headers = response.headers_mut();
            // Never sniffed and never run, whatever a task writes; see the policy of answers that are no page.
            headers.insert(
                CONTENT_TYPE,
                HeaderValue::from_static("text/plain; charset=utf-8"),
            );
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            Ok(response)
        }
    }
}

fn read_query(query: Option<&str>) -> Result<Asked, ApiError> {
    let mut reader = QueryReader::new(query);
    let epoch = reader.number("epoch", 1, MAX_NUMBER);
    let as_json = reader.parsed("format", |text| match text {
        "json" => Ok(true),
        "text" => Ok(false),
        _ => Err("must be text or json".to_owned()),
    });
    let from_seq = reader.number("from_seq", 0, MAX_NUMBER);
    let stream = reader.parsed("stream", |text| match text {
        "stdout" => Ok(LogStream::Stdout),
        "stderr" => Ok(LogStream::Stderr),
        _ => Err("must be stdout or stderr".to_owned()),
    });
    let offset = reader.number("offset", 0, MAX_NUMBER);
    let limit = reader.number("limit", 1, MAX_NUMBER);
    let follow = reader.flag("follow");
    if as_json == Some(true) {
        if stream.is_some() || offset.is_some() || limit.is_some() || follow {
            reader.refuse("format", "json goes with epoch and from_seq only");
        }
        reader.finish()?;
        return Ok(Asked::Page {
            epoch,
            from_seq: from_seq.unwrap_or(0),
        });
    }
    if from_seq.is_some() {
        reader.refuse("from_seq", "goes with format=json only");
    }
    if stream.is_some() && offset.is_some() {
        reader.refuse(
            "offset",
            "counts bytes of both streams; it does not go with stream",
        );
    }
    reader.finish()?;
    let range = LogRange {
        offset: offset.unwrap_or(0),
        limit,
    };
    Ok(Asked::Bytes(LogSelection {
        epoch,
        stream,
        range,
        follow,
    }))
}

/// The pieces of the log as a body. The reader is pulled only as fast as the client takes.
fn bytes_of(reader: LogReader) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
    futures_util::stream::try_unfold(reader, |mut reader| async move {
        match reader.next().await {
            Ok(Some(piece)) => Ok(Some((Bytes::from(piece), reader))),
            Ok(None) => Ok(None),
            Err(error) => {
                let error = error.into_api();
                Err(std::io::Error::other(error))
            }
        }
    })
}
