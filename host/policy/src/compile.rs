//! How code becomes native code.
//!
//! A compiler is a large program, and a stranger's policy is its input: some
//! inputs crash it, others keep it busy or make it take all memory. So it runs
//! in a process of its own, within limits, and what it made is kept for the next
//! start. See [`Compiler`].

use std::sync::Arc;
use std::sync::atomic::Ordering;

use wasmtime::component::Component;

use crate::code::Code;
use crate::load::{LoadError, component_of};
use crate::runtime::Runtime;

pub(crate) mod cache;
mod child;
mod message;
mod process;
mod turns;

pub use cache::CacheConfig;
pub use child::ChildCompiler;
pub use process::compiler_process;
pub(crate) use turns::Turns;

/// Where code is compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Compiler {
    /// In this process, without limits. For code that is trusted, and for tests.
    #[default]
    InProcess,
    /// In a process of its own for each, within limits; [`Code::embedded`] is
    /// trusted and compiled in this process all the same.
    Child(ChildCompiler),
}

/// Native code that our own compiler made, in this process, in a child or at an
/// earlier start. Nothing else may become one: it is run as it is.
pub(crate) struct Artefact(Vec<u8>);

impl Artefact {
    /// Vouches for bytes. Only for what our compiler said, or the cache checked.
    fn vouched(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The component of it. Fails if an engine of other settings made it.
    fn load(&self, runtime: &Runtime) -> wasmtime::Result<Component> {
        #[expect(
            unsafe_code,
            reason = "an artefact only ever holds what `Component::serialize` or `precompile_component` of \
                      this program gave: it came from memory, through a pipe from our own child, which \
                      ended well, or from a file of our own directory with a checksum that fits"
        )]
        // SAFETY: see the reason above; settings and version are checked by wasmtime.
        unsafe {
            Component::deserialize(runtime.engine(), &self.0)
        }
    }
}

impl Runtime {
    /// The component of some code: one that a policy holds already, one that was
    /// compiled at an earlier start, or a new one.
    pub(crate) fn component(&self, code: &Code) -> Result<Arc<Component>, LoadError> {
        if let Some(component) = self.compiled_before(code) {
            return Ok(component);
        }
        let child = match self.compiler() {
            Compiler::Child(child) if !code.is_trusted() => Some(child),
            Compiler::InProcess | Compiler::Child(_) => None,
        };
        let _turn = child.map(|_| self.turns().take());
        // Another policy of the same code may have had the turn before.
        if let Some(component) = self.compiled_before(code) {
            return Ok(component);
        }
        let component = match child {
            Some(child) => self.compile_in(child, code)?,
            None => self.compile_here(code)?,
        };
        self.compilations_counter().fetch_add(1, Ordering::Relaxed);
        tracing::debug!(digest = %code.digest().short(), "compiled a policy");
        let component = Arc::new(component);
        self.compiled().remember(code.digest(), &component);
        Ok(component)
    }

    fn compile_in(&self, child: &ChildCompiler, code: &Code) -> Result<Component, LoadError> {
        let artefact = child.compile(code.bytes())?;
        let component = artefact.load(self).map_err(LoadError::compile)?;
        self.keep(code, &artefact);
        Ok(component)
    }

    fn compile_here(&self, code: &Code) -> Result<Component, LoadError> {
        let component = component_of(code.bytes())?;
        let component = Component::new(self.engine(), &component).map_err(LoadError::compile)?;
        if self.cache().is_some()
            && let Ok(bytes) = component.serialize()
        {
            self.keep(code, &Artefact::vouched(bytes));
        }
        Ok(component)
    }

    fn compiled_before(&self, code: &Code) -> Option<Arc<Component>> {
        if let Some(component) = self.compiled().get(&code.digest()) {
            return Some(component);
        }
        let cache = self.cache()?;
        let artefact = cache.get(&code.digest())?;
        match artefact.load(self) {
            Ok(component) => {
                tracing::debug!(digest = %code.digest().short(), "a policy was compiled at an earlier start");
                let component = Arc::new(component);
                self.compiled().remember(code.digest(), &component);
                Some(component)
            }
            Err(error) => {
                tracing::warn!(
                    digest = %code.digest().short(),
                    "code that was compiled earlier cannot be used and is compiled anew: {error:#}"
                );
                cache.remove(&code.digest());
                None
            }
        }
    }

    fn keep(&self, code: &Code, artefact: &Artefact) {
        if let Some(cache) = self.cache() {
            cache.put(&code.digest(), artefact);
        }
    }
}
