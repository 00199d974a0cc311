//! Places and keys of a request that are read.

use crate::json::keys;

/// Object or array of a request in which members are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Place {
    #[default]
    Root,
    StreamOptions,
    ResponseFormat,
    Messages,
    Message,
    /// Array in a message's `content`.
    Parts,
    Part,
    /// Value of a part's `image_url`, `input_audio`, `file` …
    Media,
    Tools,
    Tool,
    Functions,
    /// Value of a tool's `function` or `custom`, or one of the old `functions`.
    Function,
}

keys! {
    Model = "model",
    Stream = "stream",
    StreamOptions = "stream_options",
    IncludeUsage = "include_usage",
    MaxTokens = "max_tokens",
    MaxCompletionTokens = "max_completion_tokens",
    N = "n",
    Tools = "tools",
    Functions = "functions",
    ResponseFormat = "response_format",
    ReasoningEffort = "reasoning_effort",
    Temperature = "temperature",
    TopP = "top_p",
    Seed = "seed",
    Logprobs = "logprobs",
    Messages = "messages",
    Role = "role",
    Content = "content",
    Type = "type",
    Text = "text",
    Refusal = "refusal",
    ToolCalls = "tool_calls",
    FunctionCall = "function_call",
    ImageUrl = "image_url",
    InputAudio = "input_audio",
    AudioUrl = "audio_url",
    VideoUrl = "video_url",
    InputVideo = "input_video",
    File = "file",
    Url = "url",
    Data = "data",
    FileData = "file_data",
    Format = "format",
    Detail = "detail",
    Function = "function",
    Custom = "custom",
    Name = "name",
}

impl Key {
    /// Returns whether a part has a medium under this key.
    pub fn is_media(self) -> bool {
        matches!(
            self,
            Self::ImageUrl
                | Self::InputAudio
                | Self::AudioUrl
                | Self::VideoUrl
                | Self::InputVideo
                | Self::File
        )
    }
}
