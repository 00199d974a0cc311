//! Labels of metrics whose values are fixed.

use pointsman_domain::failure::FailureKind;
use pointsman_domain::history::{CallEnd, DecisionAnswer, TaskEnd};
use pointsman_domain::model::Operation;
use pointsman_domain::outcome::{FailureCause, Fault, RequestEnd};

use super::label_map::label_map;
use super::{MetricsState, QueueLabel};

label_map! {
    /// Values by the end of a request.
    ByRequestEnd<V>: RequestEnd {
        answered = "answered": RequestEnd::Answered,
        failed = "failed": RequestEnd::Failed,
        cancelled = "cancelled": RequestEnd::Cancelled,
    }
}

label_map! {
    /// Values by the party at fault for a failed request.
    ByFault<V>: Fault {
        client = "client": Fault::Client,
        policy = "policy": Fault::Policy,
        backend = "backend": Fault::Backend,
        deadline = "deadline": Fault::Deadline,
    }
}

label_map! {
    /// Values by the cause of a failed request.
    ByCause<V>: FailureCause {
        client = "client": FailureCause::Client,
        model = "model": FailureCause::Model,
        policy = "policy": FailureCause::Policy,
        limit = "limit": FailureCause::Limit,
    }
}

label_map! {
    /// Values by the kind of a policy's answer.
    ByAnswer<V>: &DecisionAnswer {
        route = "route": DecisionAnswer::Route(_),
        plan = "plan": DecisionAnswer::Plan { .. },
        finish = "finish": DecisionAnswer::Finish { .. },
        refusal = "refusal": DecisionAnswer::Refusal(_),
        failure = "failure": DecisionAnswer::Failure { .. },
    }
}

label_map! {
    /// Values by the operation that a task calls its model for.
    ByOperation<V>: Operation {
        chat = "chat": Operation::Chat,
        embedding = "embedding": Operation::Embedding,
        transcription = "transcription": Operation::Transcription,
        translation = "translation": Operation::Translation,
        speech = "speech": Operation::Speech,
        image = "image": Operation::Image,
        moderation = "moderation": Operation::Moderation,
    }
}

label_map! {
    /// Values by the end of a task. A task that was only planned never started.
    ByTaskEnd<V>: TaskEnd {
        done = "done": TaskEnd::Done,
        failed = "failed": TaskEnd::Failed,
        cancelled = "cancelled": TaskEnd::Cancelled,
        skipped = "skipped": TaskEnd::Skipped | TaskEnd::Planned,
    }
}

label_map! {
    /// Values by the result of a call of a model. A call that is open when its request ends was not
    /// needed any more.
    ByCallResult<V>: &CallEnd {
        answered = "answered": CallEnd::Answered,
        cancelled = "cancelled": CallEnd::Open | CallEnd::Cancelled,
        connect = "connect": CallEnd::Failed(FailureKind::Connect(_)),
        no_key = "no-key": CallEnd::Failed(FailureKind::NoKey(_)),
        timeout = "timeout": CallEnd::Failed(FailureKind::Timeout { .. }),
        status_429 = "status-429": CallEnd::Failed(FailureKind::Status { status: 429, .. }),
        status_4xx = "status-4xx": CallEnd::Failed(FailureKind::Status { status: 400..=499, .. }),
        status_5xx = "status-5xx": CallEnd::Failed(FailureKind::Status { status: 500..=599, .. }),
        status_other = "status-other": CallEnd::Failed(FailureKind::Status { .. }),
        unusable = "unusable": CallEnd::Failed(FailureKind::Broken(_)),
        broke_off = "broke-off": CallEnd::BrokeOff,
        no_memory = "no-memory": CallEnd::Failed(FailureKind::NoMemory),
        untranslatable = "untranslatable": CallEnd::Failed(FailureKind::Untranslatable(_)),
    }
}

label_map! {
    /// Values by a queue that drops its newest entries when it is full.
    ByQueue<V>: QueueLabel {
        decision_log = "decision-log": QueueLabel::DecisionLog,
        traces = "traces": QueueLabel::Traces,
        events = "events": QueueLabel::Events,
        shadow = "shadow": QueueLabel::Shadow,
        feedback = "feedback": QueueLabel::Feedback,
        log = "log": QueueLabel::Log,
    }
}

impl ByQueue<u64> {
    /// Counts of the writers that count for themselves.
    pub(super) const fn of_writers(state: &MetricsState) -> Self {
        Self {
            decision_log: state.records_dropped,
            traces: state.spans_dropped,
            log: state.log_lines_dropped,
            events: 0,
            shadow: 0,
            feedback: 0,
        }
    }
}
