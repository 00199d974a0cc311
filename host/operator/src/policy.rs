//! The subcommands of `pointsman policy` that talk to a running gateway.

mod operations;
mod status;

use clap::Subcommand;

use crate::CommandError;

/// A subcommand.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// List policies with their active versions and statistics
    List(status::ListArgs),
    /// List routes with the policy that decides and the policy on trial
    Routes(status::RoutesArgs),
    /// Show the audit log: who changed what, when and why
    Audit(status::AuditArgs),
    /// Start, change or end the trial of a policy at a route
    Trial(operations::TrialArgs),
    /// Let the policy on trial at a route decide there
    Promote(operations::PromoteArgs),
    /// Return to the previous version, or at a route to the configured policy
    Rollback(operations::RollbackArgs),
    /// Pin a policy to one version, whatever its source provides
    Pin(operations::PinArgs),
    /// Let the source of a policy determine its version again
    Unpin(operations::UnpinArgs),
    /// Release a version that was rolled back
    Release(operations::ReleaseArgs),
    /// Upload a version of a policy
    Upload(operations::UploadArgs),
}

impl PolicyCommand {
    /// Runs the subcommand.
    pub fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::List(args) => status::list(args),
            Self::Routes(args) => status::routes(args),
            Self::Audit(args) => status::audit(args),
            Self::Trial(args) => operations::trial(args),
            Self::Promote(args) => operations::promote(args),
            Self::Rollback(args) => operations::rollback(args),
            Self::Pin(args) => operations::pin(args),
            Self::Unpin(args) => operations::unpin(args),
            Self::Release(args) => operations::release(args),
            Self::Upload(args) => operations::upload(args),
        }
    }
}

/// Returns the start of a digest, which distinguishes versions.
fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
