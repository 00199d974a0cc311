//! `pointsman policy push`

mod annotations;
mod report;

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use pointsman_policy::inspect::Format;
use pointsman_policy::{FuelCounting, Isolation, Limits, LoadError};
use pointsman_supply::{
    Artifact, ComponentInterfaces, PushSpec, PushedPolicy, Reference, ReferenceVersion, SupplyError, is_tag,
    push, signature_path,
};
use pointsman_terminal::{CommandError, Progress};

use crate::Toolbox;
use crate::registry::{self, RegistryArgs};
use crate::signing_key::{self, KeyPasswordArgs};
use crate::subject::{LoadOptions, PolicyFile, Sandbox, Subject, not_loadable};
use crate::verb::run::settings_text;
use crate::verb::{sign, source, verify};

/// Variable with the time of a build that is to be the same each time, in seconds since 1970.
const SOURCE_DATE: &str = "SOURCE_DATE_EPOCH";

const MORE: &str = "\
Publishes a policy in the form that `wkg` and gateways read. A policy that the gateway
would not load is not published. What the repository has is not sent again, and the tag
moves only after everything is there.

The user name and password are those of `docker login`, or are given by --username with
--password-env or --password-file. Plain HTTP is used only for a registry on this machine.

Examples:
  pointsman policy push . ghcr.io/acme/router:1.2.0 --also stable --sign router.key
  pointsman policy push router.wasm localhost:5000/router:1.2.0 \\
    --annotation source=https://github.com/acme/router --annotation description='by price'

Exit status: 0 published, 1 the source does not compile or the registry refuses, 2 usage, 3 not loadable.";

/// The arguments of `pointsman policy push`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = MORE)]
pub struct Args {
    /// The policy: a folder, which is built first, or a WebAssembly file
    #[arg(value_name = "POLICY")]
    policy: String,
    /// The place: REGISTRY/REPOSITORY:TAG
    #[arg(value_name = "REFERENCE")]
    reference: String,
    /// A further tag to set, such as `stable`; may be given several times
    #[arg(long, value_name = "TAG")]
    also: Vec<String>,
    /// Sign the policy with this secret key; without it, POLICY.minisig is published if it exists
    #[arg(long, value_name = "KEYFILE")]
    sign: Option<PathBuf>,
    #[command(flatten)]
    key_password: KeyPasswordArgs,
    /// The signature to publish
    #[arg(long, value_name = "FILE", conflicts_with = "sign")]
    signature: Option<PathBuf>,
    /// Publish only if this public key verifies the signature; the key, or the file that has it
    #[arg(long, value_name = "KEY|FILE")]
    public_key: Option<String>,
    /// An annotation, such as description=TEXT; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    annotation: Vec<String>,
    /// The author's name
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
    /// Settings that the policy needs to be loaded: JSON, or the path of a JSON or TOML file
    #[arg(long, value_name = "JSON")]
    settings: Option<String>,
    #[command(flatten)]
    registry: RegistryArgs,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// A signature to publish.
struct SignatureToPush {
    text: String,
    /// Its path, or the key that made it.
    origin: String,
}

/// Runs the command.
///
/// # Errors
/// Fails with exit status 1 if the registry refuses or a signature is invalid, 2 for wrong arguments, 3 if the
/// gateway would not load the policy.
pub fn run(args: &Args, toolbox: &Toolbox) -> Result<(), CommandError> {
    let reference = registry::reference(&args.reference)?;
    let tag = tag_of(&reference, &args.also)?;
    let annotations = annotations::all(&args.annotation, &reference, tag)?;
    let connection = args.registry.connection(&reference, toolbox)?;
    let public_key = args.public_key.as_deref().map(signing_key::public_key).transpose()?;
    let file = source::policy(&args.policy, toolbox)?.without_refusals()?;
    ensure_loadable(&file, args.settings.as_deref(), toolbox)?;
    let signature = signature(args, &file, toolbox)?;
    if let Some(key) = &public_key {
        let missing = SignatureToPush { text: String::new(), origin: "nothing is signed".to_owned() };
        let SignatureToPush { text, origin } = signature.as_ref().unwrap_or(&missing);
        verify::check(file.code.bytes(), text, key, Path::new(origin))?;
    }
    let mut spec = PushSpec::new(reference, artifact(args, &file, annotations, signature.as_ref(), toolbox)?);
    spec.more_tags.clone_from(&args.also);
    spec.access = connection.access.clone();
    let pushed = send(&spec).map_err(|error| connection.error(&error))?;
    let origin = signature.map(|signature| signature.origin);
    report::print_report(&spec, &pushed, &file, origin.as_deref(), public_key.is_some(), args.json)
}

fn send(spec: &PushSpec) -> Result<PushedPolicy, SupplyError> {
    let _progress = Progress::step(&format!("publishing {}", spec.reference));
    registry::wait(push(spec))?
}

/// Returns the tag of the reference, if that and all others are tags.
fn tag_of<'a>(reference: &'a Reference, also: &[String]) -> Result<&'a str, CommandError> {
    if let Some(wrong) = also.iter().find(|tag| !is_tag(tag)) {
        return Err(CommandError::Input(format!(
            "error: --also: {wrong:?} is not a tag, which is up to 128 of a-z A-Z 0-9 . _ -"
        )));
    }
    match reference.version() {
        ReferenceVersion::Tag(tag) => Ok(tag),
        ReferenceVersion::Digest(_) => {
            let error = SupplyError::NoTag { at: reference.to_string() };
            Err(CommandError::Input(format!("error: {error}")))
        }
    }
}

/// Loads the policy as the gateway does, with all grants that it needs. Without settings, it may
/// refuse them.
fn ensure_loadable(file: &PolicyFile, settings: Option<&str>, toolbox: &Toolbox) -> Result<(), CommandError> {
    let _progress = Progress::step(&format!("loading {}", file.source));
    let sandbox = Sandbox::new(toolbox, FuelCounting::Off)?;
    let options = LoadOptions {
        settings: settings.map_or_else(|| Ok("{}".to_owned()), settings_text)?,
        grants: None,
        limits: Limits::default(),
        isolation: Isolation::Fresh,
    };
    match Subject::new(&sandbox, file).load(&options) {
        Ok(_) => Ok(()),
        Err(LoadError::Settings(_) | LoadError::SettingsSchema(_)) if settings.is_none() => Ok(()),
        Err(error) => Err(not_loadable(&file.source, &error)),
    }
}

/// Makes or reads the signature to publish.
fn signature(
    args: &Args,
    file: &PolicyFile,
    toolbox: &Toolbox,
) -> Result<Option<SignatureToPush>, CommandError> {
    if let Some(path) = &args.sign {
        let key = signing_key::read(path, &args.key_password, toolbox)?;
        let text = sign::signature(&key, file)?;
        return Ok(Some(SignatureToPush { text, origin: format!("by {}", key.public_key()) }));
    }
    let beside = signature_path(Path::new(&file.source));
    let path = match &args.signature {
        Some(given) => given,
        None if beside.is_file() => &beside,
        None => return Ok(None),
    };
    let text = verify::read_signature(path)?;
    Ok(Some(SignatureToPush { text, origin: path.display().to_string() }))
}

fn artifact(
    args: &Args,
    file: &PolicyFile,
    annotations: annotations::Annotations,
    signature: Option<&SignatureToPush>,
    toolbox: &Toolbox,
) -> Result<Artifact, CommandError> {
    let inspection = &file.inspection;
    let component = (inspection.format == Format::Component).then(|| ComponentInterfaces {
        exports: inspection.exports.iter().map(|export| export.name.clone()).collect(),
        imports: inspection.imports.iter().map(|import| import.name.clone()).collect(),
        target: None,
    });
    let file_name = Path::new(&file.source).file_name().map(|name| name.to_string_lossy().into_owned());
    let created = match (toolbox.variable)(SOURCE_DATE) {
        None => sign::unix_seconds(),
        Some(text) => text.parse().map_err(|_| {
            CommandError::Input(format!("error: {SOURCE_DATE} is not a number of seconds since 1970"))
        })?,
    };
    Ok(Artifact {
        bytes: file.code.bytes().to_vec().into(),
        file_name,
        component,
        created,
        author: args.author.clone(),
        signature: signature.map(|signature| signature.text.clone()),
        annotations,
    })
}
