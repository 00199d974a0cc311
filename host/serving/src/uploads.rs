//! Files that clients upload. A small one stays in memory; the rest of a large one is written to a
//! file without a name, from which each attempt sends it.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use pointsman_config::Uploads;
use pointsman_domain::serving_error::{ErrorKind, ServingError};
use pointsman_wire::{BodyPiece, StoredContent};
use tokio::task::JoinError;

/// Bytes of an upload that are held in memory before it is written to a file.
const IN_MEMORY: usize = 1 << 20;
/// Bytes that are written in one step.
const WRITTEN_AT_ONCE: usize = 256 << 10;
/// `retry-after` when no further upload can be stored: most requests end sooner.
const FULL_PAUSE: Duration = Duration::from_secs(5);

/// Bytes of uploads in files at the moment, over all requests.
#[derive(Debug, Default)]
pub struct StoredUploads(AtomicU64);

/// Bytes of one upload in its file, counted until this is dropped.
#[derive(Debug)]
struct StoredBytes {
    all: Arc<StoredUploads>,
    bytes: u64,
}

/// An upload that is arriving.
#[derive(Debug)]
pub struct UploadWriter {
    limits: Uploads,
    buffered: BytesMut,
    file: Option<Arc<File>>,
    stored: StoredBytes,
}

/// Upload in a file, which ceases to exist when it is closed.
#[derive(Debug)]
struct StoredUpload {
    file: Arc<File>,
    stored: StoredBytes,
}

impl StoredUploads {
    /// Returns the bytes in files.
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns a writer of an upload within limits.
    pub fn writer(self: &Arc<Self>, limits: &Uploads) -> UploadWriter {
        UploadWriter {
            limits: limits.clone(),
            buffered: BytesMut::new(),
            file: None,
            stored: StoredBytes { all: Arc::clone(self), bytes: 0 },
        }
    }
}

impl StoredBytes {
    /// Counts further bytes, unless all uploads together would exceed a limit.
    fn grow(&mut self, bytes: u64, limit: u64) -> Result<(), ServingError> {
        let within = |all: u64| all.checked_add(bytes).filter(|sum| *sum <= limit);
        if self.all.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).is_err() {
            let message = "the gateway stores as many uploads as it may";
            return Err(ServingError::new(ErrorKind::Overloaded, message).with_retry_after(Some(FULL_PAUSE)));
        }
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for StoredBytes {
    fn drop(&mut self) {
        self.all.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl UploadWriter {
    /// Returns the bytes of memory that a chunk takes.
    pub fn memory_for(&self, chunk: &Bytes) -> usize {
        // The buffer is reused once it was written to the file.
        if self.file.is_some() { 0 } else { chunk.len() }
    }

    /// Appends a chunk.
    ///
    /// # Errors
    /// Fails if it cannot be stored.
    pub async fn write(&mut self, chunk: &Bytes) -> Result<(), ServingError> {
        self.buffered.extend_from_slice(chunk);
        let is_full = match self.file {
            Some(_) => self.buffered.len() >= WRITTEN_AT_ONCE,
            None => self.buffered.len() > IN_MEMORY,
        };
        if is_full { self.flush().await } else { Ok(()) }
    }

    /// Ends the upload, and returns its content.
    ///
    /// # Errors
    /// Fails if the rest cannot be stored.
    pub async fn finish(mut self) -> Result<BodyPiece, ServingError> {
        if self.file.is_some() {
            self.flush().await?;
        }
        Ok(match self.file {
            Some(file) => BodyPiece::Stored(Arc::new(StoredUpload { file, stored: self.stored })),
            None => BodyPiece::Bytes(self.buffered.freeze()),
        })
    }

    /// Writes what is buffered to the file.
    async fn flush(&mut self) -> Result<(), ServingError> {
        let bytes = std::mem::take(&mut self.buffered);
        self.stored.grow(bytes.len() as u64, self.limits.limit)?;
        let file = match &self.file {
            Some(file) => Arc::clone(file),
            None => Arc::clone(self.file.insert(Arc::new(self.create().await?))),
        };
        let written = tokio::task::spawn_blocking(move || {
            (&*file).write_all(&bytes)?;
            Ok(bytes)
        });
        self.buffered = stored(written.await)?;
        self.buffered.clear();
        Ok(())
    }

    async fn create(&self) -> Result<File, ServingError> {
        let dir = self.limits.dir.clone();
        let created = tokio::task::spawn_blocking(move || match dir {
            Some(dir) => tempfile::tempfile_in(dir),
            None => tempfile::tempfile(),
        });
        stored(created.await)
    }
}

impl StoredContent for StoredUpload {
    fn size(&self) -> u64 {
        self.stored.bytes
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }
}

/// Returns the result of work on a file. Its error is for the operator; a client learns only that
/// the gateway cannot store its upload.
fn stored<T>(result: Result<io::Result<T>, JoinError>) -> Result<T, ServingError> {
    let failed = match result {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    tracing::warn!(error = failed, "an upload could not be stored: see `uploads.dir`");
    let message = "the gateway cannot store the upload at the moment";
    Err(ServingError::new(ErrorKind::Overloaded, message).with_retry_after(Some(FULL_PAUSE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(limit: u64, dir: Option<&str>) -> Uploads {
        Uploads { dir: dir.map(Into::into), max_bytes: limit, limit }
    }

    async fn store(
        stored: &Arc<StoredUploads>,
        limits: &Uploads,
        bytes: usize,
    ) -> Result<BodyPiece, ServingError> {
        let mut writer = stored.writer(limits);
        let content: Vec<u8> = (0..bytes).map(|at| (at % 251) as u8).collect();
        for chunk in content.chunks(10_007) {
            writer.write(&Bytes::copy_from_slice(chunk)).await?;
        }
        writer.finish().await
    }

    fn check(piece: &BodyPiece, bytes: usize) {
        let mut at = 0;
        while at < piece.size() {
            let read = piece.read(at).unwrap();
            assert!(read.iter().zip(at..).all(|(byte, at)| *byte == (at % 251) as u8));
            at += read.len() as u64;
        }
        assert_eq!(at, bytes as u64);
    }

    #[tokio::test]
    async fn a_small_upload_stays_in_memory_and_a_large_one_does_not() {
        let stored = Arc::new(StoredUploads::default());
        let small = store(&stored, &limits(10 << 20, None), IN_MEMORY).await.unwrap();
        assert!(matches!(small, BodyPiece::Bytes(_)));
        assert_eq!(stored.bytes(), 0);
        check(&small, IN_MEMORY);
        let large = store(&stored, &limits(10 << 20, None), 3 << 20).await.unwrap();
        assert!(matches!(large, BodyPiece::Stored(_)));
        assert_eq!(stored.bytes(), 3 << 20);
        check(&large, 3 << 20);
        let copy = large.clone();
        drop(large);
        assert_eq!(stored.bytes(), 3 << 20);
        drop(copy);
        assert_eq!(stored.bytes(), 0);
    }

    #[tokio::test]
    async fn uploads_together_stay_below_the_limit() {
        let (stored, limits) = (Arc::new(StoredUploads::default()), limits(5 << 20, None));
        let first = store(&stored, &limits, 3 << 20).await.unwrap();
        let error = store(&stored, &limits, 3 << 20).await.unwrap_err();
        assert_eq!((error.kind, error.retry_after), (ErrorKind::Overloaded, Some(FULL_PAUSE)));
        assert_eq!(stored.bytes(), first.size());
    }

    #[tokio::test]
    async fn a_directory_that_is_gone_fails_the_request_alone() {
        let stored = Arc::new(StoredUploads::default());
        let error = store(&stored, &limits(5 << 20, Some("/nowhere/at/all")), 2 << 20).await.unwrap_err();
        assert_eq!(error.message, "the gateway cannot store the upload at the moment");
        assert_eq!(stored.bytes(), 0);
    }
}
