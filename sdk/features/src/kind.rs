//! The names of tasks.

/// The kind of task that a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Task {
    /// Writing, explaining or mending programs.
    Code,
    /// Calculating and proving.
    Maths,
    /// Drawing conclusions from what is given.
    Reasoning,
    /// Facts about the world.
    Knowledge,
    /// From one language into another.
    Translation,
    /// Making a text shorter.
    Summarising,
    /// Picking data out of a text.
    Extraction,
    /// Choosing and calling tools.
    ToolUse,
    /// Writing for its own sake or to please.
    Creative,
    /// Conversation, and whatever else.
    Chat,
    /// With pictures.
    Vision,
    /// With sound.
    Audio,
}

impl Task {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Code,
        Self::Maths,
        Self::Reasoning,
        Self::Knowledge,
        Self::Translation,
        Self::Summarising,
        Self::Extraction,
        Self::ToolUse,
        Self::Creative,
        Self::Chat,
        Self::Vision,
        Self::Audio,
    ];

    /// The name in configurations and labels.
    pub const fn name(self) -> &'static str {
        self.names().0
    }

    /// The name of the task and of its hard kind.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Code => ("code", "code/hard"),
            Self::Maths => ("maths", "maths/hard"),
            Self::Reasoning => ("reasoning", "reasoning/hard"),
            Self::Knowledge => ("knowledge", "knowledge/hard"),
            Self::Translation => ("translation", "translation/hard"),
            Self::Summarising => ("summarising", "summarising/hard"),
            Self::Extraction => ("extraction", "extraction/hard"),
            Self::ToolUse => ("tool_use", "tool_use/hard"),
            Self::Creative => ("creative", "creative/hard"),
            Self::Chat => ("chat", "chat/hard"),
            Self::Vision => ("vision", "vision/hard"),
            Self::Audio => ("audio", "audio/hard"),
        }
    }
}

/// A task, and whether the request looks hard for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind {
    /// The task.
    pub task: Task,
    /// True if weaker models are likely to fail.
    pub hard: bool,
}

impl Kind {
    /// `code` or `code/hard`: the key under which quality is stated.
    pub const fn name(self) -> &'static str {
        let (easy, hard) = self.task.names();
        if self.hard { hard } else { easy }
    }

    /// Returns true for the name of a kind.
    pub fn is_name(name: &str) -> bool {
        Task::ALL.iter().any(|task| task.names().0 == name || task.names().1 == name)
    }
}
