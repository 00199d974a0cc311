//! The decompressors of the libraries behind one interface.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder as ZstdDecoder, Operation};

use super::ContentCoding;

/// Largest window of zstd, as a power of two: 8 MiB, which RFC 9659 sets for HTTP. A larger
/// one would let a short body allocate a lot.
const ZSTD_WINDOW_LOG: u32 = 23;
/// The window of DEFLATE, as a power of two.
const DEFLATE_WINDOW_LOG: u8 = 15;

/// A decompressor.
pub(super) enum Codec {
    Gzip(Decompress),
    /// Zlib or bare DEFLATE; the first byte decides.
    Deflate(Option<Decompress>),
    Brotli(Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>),
    Zstd(std::io::Result<ZstdDecoder<'static>>),
}

/// The result of one step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    /// Bytes of the input that were used.
    pub read: usize,
    /// Bytes of the output that were written.
    pub written: usize,
    /// True once the compressed data have ended.
    pub is_complete: bool,
}

impl Codec {
    pub fn new(coding: ContentCoding) -> Self {
        let allocator = StandardAlloc::default;
        match coding {
            ContentCoding::Gzip => Self::Gzip(Decompress::new_gzip(DEFLATE_WINDOW_LOG)),
            ContentCoding::Deflate => Self::Deflate(None),
            ContentCoding::Brotli => {
                Self::Brotli(Box::new(BrotliState::new_strict(allocator(), allocator(), allocator())))
            }
            ContentCoding::Zstd => Self::Zstd(zstd()),
        }
    }

    /// Decodes from the input into the output as far as both last.
    pub fn run(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, String> {
        match self {
            Self::Gzip(gzip) => inflate(gzip, input, output),
            Self::Deflate(deflate) => {
                let Some(&first) = input.first().or(deflate.is_some().then_some(&0)) else {
                    return Ok(Progress { read: 0, written: 0, is_complete: false });
                };
                let deflate = deflate.get_or_insert_with(|| Decompress::new(is_zlib_header(first)));
                inflate(deflate, input, output)
            }
            Self::Brotli(state) => brotli(state, input, output),
            Self::Zstd(Ok(decoder)) => {
                let step = decoder.run_on_buffers(input, output).map_err(|error| error.to_string())?;
                let is_complete = step.remaining == 0;
                Ok(Progress { read: step.bytes_read, written: step.bytes_written, is_complete })
            }
            Self::Zstd(Err(error)) => Err(error.to_string()),
        }
    }
}

fn zstd() -> std::io::Result<ZstdDecoder<'static>> {
    let mut decoder = ZstdDecoder::new()?;
    decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG))?;
    Ok(decoder)
}

/// Returns whether DEFLATE data begin with the header of zlib: the method 8 and a window of at most
/// 32 KiB. A bare block that begins so would have padding bits that are not zero.
fn is_zlib_header(first: u8) -> bool {
    first & 0x0f == 8 && first >> 4 <= DEFLATE_WINDOW_LOG - 8
}

fn inflate(state: &mut Decompress, input: &[u8], output: &mut [u8]) -> Result<Progress, String> {
    let (read, written) = (state.total_in(), state.total_out());
    let status = state.decompress(input, output, FlushDecompress::None).map_err(|error| error.to_string())?;
    Ok(Progress {
        read: (state.total_in() - read) as usize,
        written: (state.total_out() - written) as usize,
        is_complete: status == Status::StreamEnd,
    })
}

fn brotli(
    state: &mut BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    input: &[u8],
    output: &mut [u8],
) -> Result<Progress, String> {
    let (mut available_in, mut available_out) = (input.len(), output.len());
    let (mut read, mut written, mut total) = (0, 0, 0);
    let result = BrotliDecompressStream(
        &mut available_in,
        &mut read,
        input,
        &mut available_out,
        &mut written,
        output,
        &mut total,
        state,
    );
    match result {
        BrotliResult::ResultFailure => Err(format!("{:?}", state.error_code)),
        result => {
            let is_complete = matches!(result, BrotliResult::ResultSuccess);
            Ok(Progress { read, written, is_complete })
        }
    }
}
