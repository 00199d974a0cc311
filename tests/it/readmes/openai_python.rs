//! README of OpenAI's library for Python.

use super::{BlockPlan, Expected, answers, excluded, run, run_after};

/// Definition of `client`, as in the blocks before.
const CLIENT: &str = "from openai import OpenAI\nclient = OpenAI()\n";
/// The same for blocks that wait for it.
const ASYNC_CLIENT: &str = "from openai import AsyncOpenAI\nclient = AsyncOpenAI()\n";
/// `client` and a recording, which the README takes as given.
const RECORDING: &str =
    "from openai import OpenAI\nclient = OpenAI()\naudio_bytes = b'RIFF' + bytes(32_000)\n";

const WORKLOAD_IDENTITY: &str = "exchanges its own token at OpenAI's identity service";
const FINE_TUNING: &str = "lists fine-tuning jobs, which the gateway does not serve";
const WEBHOOKS: &str = "receives webhooks with the package flask";
const CERTIFICATES: &str = "needs certificates in files";
const NO_REQUEST: &str = "sends no request";
const BEDROCK: &str = "calls Amazon Bedrock with the package boto3";

/// Block that prints the id of a request.
const WITH_ID: Expected = Expected { output: &["-"], no_output: &["None"], answers: 1 };

pub const PLANS: &[BlockPlan] = &[
    run("## Usage", 1, answers(1, &["check_if_python_object_instance_class"])),
    run("## Usage", 2, answers(1, &["check_if_python_object_instance_class"])),
    excluded("#### Kubernetes (service account tokens)", 1, WORKLOAD_IDENTITY),
    excluded("#### Azure (managed identity)", 1, WORKLOAD_IDENTITY),
    excluded("#### Google Cloud Platform (compute engine metadata)", 1, WORKLOAD_IDENTITY),
    excluded("#### Custom subject token provider", 1, WORKLOAD_IDENTITY),
    excluded("#### Custom subject token provider", 2, WORKLOAD_IDENTITY),
    excluded("#### X.509 workload identity (mutual TLS)", 1, WORKLOAD_IDENTITY),
    run_after("### Vision", 1, CLIENT, answers(1, &[])),
    run("### Vision", 2, answers(1, &[])),
    run("## Async usage", 1, answers(1, &["disestablishmentarianism"])),
    excluded("### With aiohttp", 1, "needs the package aiohttp"),
    run("## Streaming responses", 1, answers(1, &STREAM_EVENTS)),
    run("## Streaming responses", 2, answers(1, &STREAM_EVENTS)),
    excluded("## Realtime API", 1, "opens a realtime connection"),
    excluded("### Realtime error handling", 1, "opens a realtime connection"),
    excluded("## Pagination", 1, FINE_TUNING),
    excluded("## Pagination", 2, FINE_TUNING),
    excluded("## Pagination", 3, FINE_TUNING),
    excluded("## Pagination", 4, FINE_TUNING),
    run("## Nested params", 1, answers(1, &[])),
    excluded("## File uploads", 1, "uploads to the files API, which the gateway does not serve"),
    run_after("## File uploads", 2, RECORDING, answers(1, &[])),
    excluded("### Parsing webhook payloads", 1, WEBHOOKS),
    excluded("### Verifying webhook payloads directly", 1, WEBHOOKS),
    // The path does not exist, which is the error that the block handles.
    run("## Handling errors", 1, answers(0, &["Another non-200-range status code was received", "404"])),
    run_after("## Request IDs", 1, ASYNC_CLIENT, WITH_ID),
    run_after("## Request IDs", 2, ASYNC_CLIENT, answers(1, &[])),
    run("## Retries", 1, answers(1, &[])),
    run("## Timeouts", 1, answers(1, &[])),
    excluded("### How to tell whether `None` means `null` or missing", 1, NO_REQUEST),
    run("### Accessing raw response data (e.g. headers)", 1, answers(1, &["ChatCompletion(id='chatcmpl-"])),
    run_after("#### `.with_streaming_response`", 1, CLIENT, answers(1, &["\"chat.completion\""])),
    excluded("#### Undocumented endpoints", 1, "requests a path that is an example"),
    excluded("### Configuring the HTTP client", 1, NO_REQUEST),
    excluded("### Configuring the HTTP client", 2, NO_REQUEST),
    excluded("#### Mutual TLS", 1, CERTIFICATES),
    excluded("#### Mutual TLS", 2, CERTIFICATES),
    excluded("### Managing HTTP resources", 1, NO_REQUEST),
    run("### Managing HTTP resources", 2, answers(1, &["test"])),
    excluded("## Microsoft Azure OpenAI", 1, "calls Azure with its own client"),
    excluded("## Amazon Bedrock", 1, BEDROCK),
    excluded("## Amazon Bedrock", 2, BEDROCK),
    excluded("## Amazon Bedrock", 3, BEDROCK),
    excluded("### Legacy `BedrockOpenAI` client", 1, BEDROCK),
    excluded("### Determining the installed version", 1, NO_REQUEST),
];

/// Events of a stream, as Python prints them.
const STREAM_EVENTS: [&str; 3] =
    ["ResponseCreatedEvent(", "ResponseTextDeltaEvent(", "ResponseCompletedEvent("];
