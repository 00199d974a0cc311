//! Policies in files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;

use crate::error::SupplyError;

/// Reads a file of at most `limit` bytes.
pub(crate) async fn read(path: &Path, limit: usize) -> Result<Bytes, SupplyError> {
    read_if_exists(path, limit).await?.ok_or_else(|| {
        let reason = io::Error::from(io::ErrorKind::NotFound).to_string();
        SupplyError::Unreadable { at: path.display().to_string(), reason, code: None }
    })
}

/// Reads a file of at most `limit` bytes; `None` if it does not exist.
pub(crate) async fn read_if_exists(path: &Path, limit: usize) -> Result<Option<Bytes>, SupplyError> {
    let at = path.display().to_string();
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || read_bounded(&path, limit)).await;
    match read.map_err(io::Error::other).flatten() {
        Ok(bytes) if bytes.len() > limit => Err(SupplyError::TooLarge { at, limit }),
        Ok(bytes) => Ok(Some(bytes.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(SupplyError::Unreadable { at, reason: error.to_string(), code: error.raw_os_error() })
        }
    }
}

/// Reads at most one byte more than the limit, by which the caller sees that a file is larger.
fn read_bounded(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    // Opening a named pipe would block until another process writes to it.
    if !path.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}
