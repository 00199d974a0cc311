//! The functions of WASI 0.2 with their signatures in a core module: numbers, and pointers to
//! memory for longer results.
#![expect(unsafe_code, reason = "imported functions are unsafe to call")]

/// A result or an option: a byte with the case, then the value.
type Tagged<const WORDS: usize> = [u32; WORDS];

mod imports {
    use super::Tagged;

    #[link(wasm_import_module = "wasi:cli/environment@0.2.0")]
    unsafe extern "C" {
        #[link_name = "get-environment"]
        pub fn environment(list: *mut [usize; 2]);
        #[link_name = "get-arguments"]
        pub fn arguments(list: *mut [usize; 2]);
        #[link_name = "initial-cwd"]
        pub fn initial_cwd(path: *mut Tagged<3>);
    }
    #[link(wasm_import_module = "wasi:cli/exit@0.2.0")]
    unsafe extern "C" {
        pub fn exit(failed: i32);
    }
    #[link(wasm_import_module = "wasi:cli/stdin@0.2.0")]
    unsafe extern "C" {
        #[link_name = "get-stdin"]
        pub fn stdin() -> i32;
    }
    #[link(wasm_import_module = "wasi:cli/stdout@0.2.0")]
    unsafe extern "C" {
        #[link_name = "get-stdout"]
        pub fn stdout() -> i32;
    }
    #[link(wasm_import_module = "wasi:cli/stderr@0.2.0")]
    unsafe extern "C" {
        #[link_name = "get-stderr"]
        pub fn stderr() -> i32;
    }
    #[link(wasm_import_module = "wasi:io/streams@0.2.0")]
    unsafe extern "C" {
        #[link_name = "[method]input-stream.blocking-read"]
        pub fn read(stream: i32, bytes: i64, read: *mut Tagged<3>);
        #[link_name = "[method]output-stream.blocking-write-and-flush"]
        pub fn write(stream: i32, text: *const u8, length: usize, result: *mut Tagged<3>);
    }
    #[link(wasm_import_module = "wasi:io/poll@0.2.0")]
    unsafe extern "C" {
        #[link_name = "[method]pollable.block"]
        pub fn block(pollable: i32);
    }
    #[link(wasm_import_module = "wasi:clocks/monotonic-clock@0.2.0")]
    unsafe extern "C" {
        #[link_name = "now"]
        pub fn monotonic() -> u64;
        #[link_name = "subscribe-duration"]
        pub fn subscribe_duration(nanoseconds: u64) -> i32;
    }
    #[link(wasm_import_module = "wasi:clocks/wall-clock@0.2.0")]
    unsafe extern "C" {
        #[link_name = "now"]
        pub fn wall(seconds_and_nanoseconds: *mut [u64; 2]);
    }
    #[link(wasm_import_module = "wasi:random/random@0.2.0")]
    unsafe extern "C" {
        #[link_name = "get-random-u64"]
        pub fn random() -> u64;
    }
    #[link(wasm_import_module = "wasi:random/insecure@0.2.0")]
    unsafe extern "C" {
        #[link_name = "get-insecure-random-u64"]
        pub fn insecure_random() -> u64;
    }
    #[link(wasm_import_module = "wasi:random/insecure-seed@0.2.0")]
    unsafe extern "C" {
        #[link_name = "insecure-seed"]
        pub fn seed(halves: *mut [u64; 2]);
    }
    #[link(wasm_import_module = "wasi:filesystem/preopens@0.2.0")]
    unsafe extern "C" {
        #[link_name = "get-directories"]
        pub fn directories(list: *mut [usize; 2]);
    }
    #[link(wasm_import_module = "wasi:sockets/tcp-create-socket@0.2.0")]
    unsafe extern "C" {
        #[link_name = "create-tcp-socket"]
        pub fn tcp(family: i32, socket: *mut Tagged<2>);
    }
    #[link(wasm_import_module = "wasi:sockets/udp-create-socket@0.2.0")]
    unsafe extern "C" {
        #[link_name = "create-udp-socket"]
        pub fn udp(family: i32, socket: *mut Tagged<2>);
    }
    #[link(wasm_import_module = "wasi:sockets/instance-network@0.2.0")]
    unsafe extern "C" {
        #[link_name = "instance-network"]
        pub fn network() -> i32;
    }
    #[link(wasm_import_module = "wasi:sockets/ip-name-lookup@0.2.0")]
    unsafe extern "C" {
        #[link_name = "resolve-addresses"]
        pub fn resolve(network: i32, name: *const u8, length: usize, addresses: *mut Tagged<2>);
    }
}

/// Returns the value that a function writes through its pointer.
///
/// # Safety
/// The function must write a valid `T`.
unsafe fn written<T: Default>(function: unsafe extern "C" fn(*mut T)) -> T {
    let mut result = T::default();
    // SAFETY: the caller guarantees that the function writes a `T`.
    unsafe { function(&raw mut result) };
    result
}

pub fn world() -> String {
    const HOST: &str = "localhost";
    let (mut input, mut tcp, mut udp, mut name) = ([0; 3], [0; 2], [0; 2], [0; 2]);
    // SAFETY: each function writes no more bytes than its type has.
    let (environment, arguments, cwd, directories) = unsafe {
        imports::read(imports::stdin(), 1, &raw mut input);
        imports::tcp(0, &raw mut tcp);
        imports::udp(0, &raw mut udp);
        imports::resolve(imports::network(), HOST.as_ptr(), HOST.len(), &raw mut name);
        (
            written(imports::environment)[1],
            written(imports::arguments)[1],
            written(imports::initial_cwd)[0],
            written(imports::directories)[1],
        )
    };
    format!(
        "environment {environment}, arguments {arguments}, cwd {cwd}, directories {directories}, \
         stdin {}, tcp {}, udp {}, names {}",
        // The second case of a stream's errors: closed.
        if input[..2] == [1, 1] { "closed" } else { "open" },
        denied(tcp, ACCESS_DENIED),
        denied(udp, ACCESS_DENIED),
        denied(name, PERMANENT_RESOLVER_FAILURE),
    )
}

/// Cases of `wasi:sockets/network.error-code`.
const ACCESS_DENIED: u32 = 1;
/// The error of a name lookup that is denied.
const PERMANENT_RESOLVER_FAILURE: u32 = 20;

fn denied(result: Tagged<2>, as_error: u32) -> &'static str {
    match result {
        [1, error] if error == as_error => "denied",
        [1, _] => "failed",
        _ => "had",
    }
}

pub fn print(text: &str) {
    // SAFETY: the function has no parameters.
    write(unsafe { imports::stdout() }, text);
}

pub fn print_error(text: &str) {
    // SAFETY: the function has no parameters.
    write(unsafe { imports::stderr() }, text);
}

/// Writes in chunks of 4096 bytes, the maximum for one call.
fn write(stream: i32, text: &str) {
    for piece in text.as_bytes().chunks(4096) {
        let mut result = [0; 3];
        // SAFETY: pointer and length describe the text, and the result has three words.
        unsafe { imports::write(stream, piece.as_ptr(), piece.len(), &raw mut result) };
    }
}

pub fn monotonic() -> u64 {
    // SAFETY: the function has no parameters and returns a number.
    unsafe { imports::monotonic() }
}

pub fn wall() -> (u64, u32) {
    // SAFETY: the function writes 16 bytes, of which the last four are unused.
    let [seconds, nanoseconds] = unsafe { written(imports::wall) };
    (seconds, nanoseconds as u32)
}

pub fn random() -> [u64; 4] {
    // SAFETY: the functions return numbers; the last one writes two.
    unsafe {
        let [low, high] = written(imports::seed);
        [imports::random(), imports::insecure_random(), low, high]
    }
}

pub fn sleep(nanoseconds: u64) {
    // SAFETY: both functions take and return numbers.
    unsafe { imports::block(imports::subscribe_duration(nanoseconds)) }
}

pub fn exit() -> ! {
    // SAFETY: the function takes a number and does not return.
    unsafe { imports::exit(1) };
    unreachable!()
}
