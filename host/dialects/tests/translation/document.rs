//! The document.

use std::fmt::Write as _;

use crate::answers::{self, ERROR_KINDS, error_text};
use crate::requests::{self, ClientApi, Provider};
use crate::rows::answers::ROWS;
use crate::{COMMAND, streams};

const INTRODUCTION: &str = "\
Clients use one API, and the chosen model may be at a provider with another. Pointsman then translates
the request, and the answer on its way back. This page lists what happens to each member.

Where both ends speak the same protocol, nothing is translated: the bytes are forwarded, the model's
name is replaced, and unknown members survive. The tables call this *unchanged*. Responses and legacy
completions pass through in the same way to backends that list them in `apis`; the tables have the others.

| cell | meaning |
|---|---|
| unchanged | The request or answer passes through. |
| kept | The translation has the member. Members of it that are left out are named. |
| dropped | The member is a hint, a label or for accounting. It is left out, and the response header `x-pointsman-dropped` names it. |
| **rejected** | The answer would be of another kind without the member. The request is answered with status 400 and names the member, unless the route has `on_untranslatable = \"drop\"`. |
| by default | The member requests what the provider does by default. |
| by the gateway | The body of the call need not have the member: the gateway acts on it. |
| left out | The client's API has no place for it. |

Names in the cells are those of the client's request, or of OpenAI's chat API where members of
different APIs mean the same.

Each row is a test case. Its request and what each provider dialect makes of it are in the golden file
that the heading names, under the name in the first column.
";

/// Renders the document.
pub fn render() -> String {
    let mut text =
        format!("<!-- Written from the code: {COMMAND} -->\n# Translation between APIs\n\n{INTRODUCTION}");
    text.push_str("\n## Requests\n");
    for api in ClientApi::ALL {
        let name = api.name();
        let file = api.file();
        let _ = write!(
            text,
            "\n### {name}: `{}`\n\nCases: `host/dialects/tests/translation/golden/{file}`.\n\n",
            api.path()
        );
        text.push_str("| member | to OpenAI chat | to Anthropic | to Gemini |\n|---|---|---|---|\n");
        for row in api.rows() {
            let cells = Provider::ALL.map(|provider| requests::translate(api, row, provider).text());
            let _ = writeln!(text, "| {} | {} |", row.member, cells.join(" | "));
        }
    }
    answer_tables(&mut text, "Answers", "answers.json", answers::translate);
    answer_tables(&mut text, "Streams", "streams.json", streams::translate);
    text.push_str(
        "\n## Errors\n\nStatus, type and code of an error of a provider in each client API. Failures of the gateway's own\ncredentials or account are never the client's fault.\n\n",
    );
    text.push_str(
        "| error | chat completions | completions | Responses | Messages |\n|---|---|---|---|---|\n",
    );
    for (kind, meaning) in ERROR_KINDS {
        let cells = ClientApi::ALL.map(|api| error_text(kind, api));
        let _ = writeln!(text, "| {meaning} | {} |", cells.join(" | "));
    }
    text
}

fn answer_tables(
    text: &mut String,
    title: &str,
    file: &str,
    translate: impl Fn(&answers::AnswerRow, Provider, ClientApi) -> answers::AnswerCell,
) {
    let _ = write!(text, "\n## {title}\n\nCases: `host/dialects/tests/translation/golden/{file}`.\n");
    for provider in Provider::ALL {
        let _ = write!(text, "\n### From `{}`\n\n", provider.name());
        text.push_str("| content | to chat completions | to completions | to Responses | to Messages |\n|---|---|---|---|---|\n");
        for row in ROWS.iter().filter(|row| row.members(provider).is_some()) {
            let cells = ClientApi::ALL.map(|api| translate(row, provider, api).text());
            let _ = writeln!(text, "| {} | {} |", row.feature, cells.join(" | "));
        }
    }
}
