//! Compilation of WebAssembly to native code.
//!
//! A compiler is a large program, and its input comes from strangers: some inputs crash it, others
//! keep it busy or make it allocate all memory. So it runs in a process of its own, within limits,
//! and its output is kept for the next start. See [`Compiler`].

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::binary::checked_component;
use crate::blocking_semaphore::BlockingSemaphore;
use crate::code::Code;
use crate::engine::{FuelCounting, code_settings};
use crate::load_error::LoadError;

mod cache;
mod child;
mod message;
mod process;
mod shared;

pub use cache::CacheConfig;
pub(crate) use cache::CodeCache;
pub use child::ChildCompiler;
pub use process::{FUEL_ARGUMENT, compiler_process};
use shared::SharedComponents;

/// Process in which code is compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Compiler {
    /// This process, without limits. For trusted code and for tests.
    #[default]
    InProcess,
    /// A child process for each component, within limits. [`Code::embedded`] is trusted and
    /// compiled in this process all the same.
    Child(ChildCompiler),
}

/// Native code that our own compiler made: in this process, in a child, at an earlier start, or when this
/// program was built. It is run without any further check, so nothing else may become one.
pub(crate) struct NativeCode(Cow<'static, [u8]>);

impl NativeCode {
    /// Vouches for bytes that our compiler returned, that the cache has verified, or that are part of this
    /// program.
    fn vouched(bytes: impl Into<Cow<'static, [u8]>>) -> Self {
        Self(bytes.into())
    }

    /// Loads the component. Fails if an engine with other settings made it.
    fn load(&self, engine: &Engine) -> wasmtime::Result<Component> {
        #[expect(
            unsafe_code,
            reason = "native code only ever holds the output of `Component::serialize` or \
                      `precompile_component` of this program: it came from memory, through a pipe from our \
                      own child, which exited with success, from a file of our own directory whose \
                      checksum matches, or from this program itself"
        )]
        // SAFETY: see the reason above; settings and version are checked by wasmtime.
        unsafe {
            Component::deserialize(engine, &self.0)
        }
    }
}

/// Compiles a policy for every processor of a target, so that the result can become part of a program for it:
/// see [`Code::with_native`].
///
/// # Errors
/// Fails if the bytes are no component, do not compile, or the target is unknown.
pub fn precompile(bytes: &[u8], target: &str) -> Result<Vec<u8>, LoadError> {
    let mut settings = code_settings(FuelCounting::Off);
    // With a named target, the features of this machine's processor are not used.
    settings.target(target).map_err(LoadError::compile)?;
    let engine = Engine::new(&settings).map_err(LoadError::compile)?;
    engine.precompile_component(&checked_component(bytes)?).map_err(LoadError::compile)
}

/// Turns code into components, compiling each only once.
pub(crate) struct CompileService {
    engine: Engine,
    compiler: Compiler,
    shared: SharedComponents,
    cache: Option<CodeCache>,
    fuel: FuelCounting,
    /// One permit for each compiler process.
    processes: BlockingSemaphore,
    compilations: AtomicU64,
}

impl CompileService {
    pub(crate) fn new(
        engine: Engine,
        compiler: Compiler,
        cache: Option<CodeCache>,
        fuel: FuelCounting,
    ) -> Self {
        let processes = match &compiler {
            Compiler::InProcess => 1,
            Compiler::Child(child) => child.processes,
        };
        Self {
            engine,
            compiler,
            shared: SharedComponents::default(),
            cache,
            fuel,
            processes: BlockingSemaphore::new(processes),
            compilations: AtomicU64::new(0),
        }
    }

    /// Returns the number of compiler runs.
    pub(crate) fn compilations(&self) -> u64 {
        self.compilations.load(Ordering::Relaxed)
    }

    /// Returns the component of some code: one that a policy holds, one from the cache, or a
    /// newly compiled one. Blocks while it compiles.
    ///
    /// # Errors
    /// Fails when the code is no component or does not compile within the limits.
    pub(crate) fn component(&self, code: &Code) -> Result<Arc<Component>, LoadError> {
        if let Some(component) = self.existing(code) {
            return Ok(component);
        }
        let child = match &self.compiler {
            Compiler::Child(child) if !code.is_trusted() => Some(child),
            Compiler::InProcess | Compiler::Child(_) => None,
        };
        let _permit = child.map(|_| self.processes.acquire());
        // Another policy may have compiled the same code while this one waited for the permit.
        if let Some(component) = self.existing(code) {
            return Ok(component);
        }
        let component = match child {
            Some(child) => self.compile_in_child(child, code)?,
            None => self.compile_here(code)?,
        };
        self.compilations.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(digest = %code.digest().short(), "compiled a policy");
        let component = Arc::new(component);
        self.shared.insert(code.digest(), &component);
        Ok(component)
    }

    fn compile_in_child(&self, child: &ChildCompiler, code: &Code) -> Result<Component, LoadError> {
        let native = child.compile(code.bytes(), self.fuel)?;
        let component = native.load(&self.engine).map_err(LoadError::compile)?;
        if let Some(cache) = &self.cache {
            cache.put(&code.digest(), &native);
        }
        Ok(component)
    }

    fn compile_here(&self, code: &Code) -> Result<Component, LoadError> {
        let component = checked_component(code.bytes())?;
        let component = Component::new(&self.engine, &component).map_err(LoadError::compile)?;
        if let Some(cache) = &self.cache
            && let Ok(bytes) = component.serialize()
        {
            cache.put(&code.digest(), &NativeCode::vouched(bytes));
        }
        Ok(component)
    }

    /// Finds a component that need not be compiled.
    fn existing(&self, code: &Code) -> Option<Arc<Component>> {
        if let Some(component) = self.shared.get(&code.digest()) {
            return Some(component);
        }
        if let Some(component) = self.embedded(code) {
            return Some(component);
        }
        let cache = self.cache.as_ref()?;
        let native = cache.get(&code.digest())?;
        match native.load(&self.engine) {
            Ok(component) => {
                tracing::debug!(digest = %code.digest().short(), "loaded a policy that was compiled at an earlier start");
                let component = Arc::new(component);
                self.shared.insert(code.digest(), &component);
                Some(component)
            }
            Err(error) => {
                tracing::warn!(
                    digest = %code.digest().short(),
                    "compiled code in the cache cannot be loaded, compiling it again: {error:#}"
                );
                cache.remove(&code.digest());
                None
            }
        }
    }

    /// Loads the native code that is part of this program.
    fn embedded(&self, code: &Code) -> Option<Arc<Component>> {
        let native = NativeCode::vouched(code.native()?);
        match native.load(&self.engine) {
            Ok(component) => {
                tracing::debug!(digest = %code.digest().short(), "loaded a policy that was compiled with this program");
                let component = Arc::new(component);
                self.shared.insert(code.digest(), &component);
                Some(component)
            }
            Err(error) => {
                tracing::debug!(
                    digest = %code.digest().short(),
                    "native code in this program does not fit the engine, compiling the policy: {error:#}"
                );
                None
            }
        }
    }
}
