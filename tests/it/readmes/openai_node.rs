//! README of OpenAI's library for Node.

use super::{BlockPlan, Expected, answers, excluded, run, run_after};

/// Import for blocks that make their own client.
const IMPORT: &str = "import OpenAI from 'openai';\n";
/// Definition of `client`, as in the blocks before.
const CLIENT: &str = "import OpenAI from 'openai';\nconst client = new OpenAI();\n";
/// The same under the name of a block.
const OPENAI: &str = "import OpenAI from 'openai';\nconst openai = new OpenAI();\n";

const DENO: &str = "needs Deno";
const WORKLOAD_IDENTITY: &str = "exchanges its own token at OpenAI's identity service";
const WEBHOOKS: &str = "receives webhooks with the package next";
const FINE_TUNING: &str = "lists fine-tuning jobs, which the gateway does not serve";
const EXAMPLE_PACKAGE: &str = "imports a package that is an example";
const NO_REQUEST: &str = "sends no request";

pub const PLANS: &[BlockPlan] = &[
    excluded("### Installation with Deno", 1, DENO),
    run("## Usage", 1, answers(1, &["semicolons"])),
    run("### Multi-turn conversations", 1, answers(1, &["semicolons"])),
    run("## Vision", 1, answers(1, &["image"])),
    excluded("### Kubernetes (service account tokens)", 1, WORKLOAD_IDENTITY),
    excluded("### Azure (managed identity)", 1, WORKLOAD_IDENTITY),
    excluded("### GCP (compute engine metadata)", 1, WORKLOAD_IDENTITY),
    excluded("### Custom subject token provider", 1, WORKLOAD_IDENTITY),
    excluded("### Custom subject token provider", 2, WORKLOAD_IDENTITY),
    excluded("### X.509 client certificates", 1, WORKLOAD_IDENTITY),
    run(
        "## Streaming responses",
        1,
        answers(1, &["response.created", "output_text.delta", "response.completed"]),
    ),
    excluded("## File uploads", 1, "uploads to the files API, which the gateway does not serve"),
    excluded("### Parsing webhook payloads", 1, WEBHOOKS),
    excluded("### Verifying webhook payloads directly", 1, WEBHOOKS),
    // The path does not exist, which is the error that the block handles.
    run_after("## Handling errors", 1, CLIENT, answers(0, &["404", "Headers {"])),
    run_after("### Retries", 1, IMPORT, answers(1, &[])),
    run_after("### Timeouts", 1, IMPORT, answers(1, &[])),
    run_after("## Request IDs", 1, CLIENT, WITH_ID),
    run_after("## Request IDs", 2, OPENAI, answers(1, &[])),
    excluded("## Auto-pagination", 1, FINE_TUNING),
    excluded("## Auto-pagination", 2, FINE_TUNING),
    excluded("## Realtime API", 1, "opens a realtime connection"),
    excluded("## Microsoft Azure OpenAI", 1, "calls Azure with its own client"),
    excluded("## Amazon Bedrock", 1, "calls Amazon Bedrock"),
    run_after(
        "### Accessing raw Response data (e.g., headers)",
        1,
        IMPORT,
        answers(2, &["OK", "object: 'response'"]),
    ),
    excluded("#### Log levels", 1, NO_REQUEST),
    excluded("#### Custom logger", 1, "needs the package pino"),
    excluded("#### Undocumented endpoints", 1, "requests a path that is an example"),
    excluded("#### Undocumented request params", 1, "leaves out the members that a request needs"),
    excluded("### Customizing the fetch client", 1, EXAMPLE_PACKAGE),
    excluded("### Customizing the fetch client", 2, EXAMPLE_PACKAGE),
    excluded("### Fetch options", 1, NO_REQUEST),
    excluded("#### Configuring proxies", 1, NO_REQUEST),
    excluded("#### Configuring proxies", 2, NO_REQUEST),
    excluded("#### Configuring proxies", 3, DENO),
    excluded("### Mutual TLS", 1, "needs certificates in files"),
];

/// Block that prints the id of a request.
const WITH_ID: Expected = Expected { output: &["-"], no_output: &["undefined", "null"], answers: 1 };
