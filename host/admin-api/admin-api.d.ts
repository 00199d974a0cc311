// Types of the admin API, written from the code:
// UPDATE_EXPECT=1 cargo test -p pointsman-admin-api

export type AccessStatus = {
  role: Role;
};

export type Actor = ("configuration" | {
  admin: string;
} | "gateway" | string);

export type AttentionEntry = {
  detail?: string | null;
  kind: AttentionKind;
  level: AttentionLevel;
  message: string;
  since_ms?: number | null;
  subject?: (AttentionSubject | null);
};

export type AttentionKind = ("failures" | "model-down" | "model-resting" | "configuration-rejected" | "policy-unavailable" | "policy-rejected" | "version-held" | "dropped" | "panic" | string);

export type AttentionLevel = ("red" | "amber");

export type AttentionSubject = ({
  model: string;
  policy?: undefined;
  queue?: undefined;
} | {
  policy: string;
  model?: undefined;
  queue?: undefined;
} | {
  queue: string;
  model?: undefined;
  policy?: undefined;
});

export type AuditEvent = {
  action: string;
  at: number;
  digest?: string | null;
  from?: string | null;
  key?: string | null;
  model?: string | null;
  policy?: string | null;
  role?: (Role | null);
  route?: string | null;
  who: Actor;
  why?: string | null;
};

export type ChangeKeyRequest = {
  disabled?: boolean | null;
  expires_at?: (TimeValue | null);
  expires_in?: string | null;
  routes?: string[] | null;
  why: string;
};

export type ChosenVersion = {
  before?: string | null;
  digest: string;
  how: OverrideKind;
};

export type Comparison = {
  agreement: number | null;
  decisions: number;
  predicted_cost_usd: (ValuePair | null);
  predicted_latency_ms: (ValuePair | null);
  skipped: number;
};

export type ConfigResult = ("applied" | {
  rejected: string;
});

export type CreateKeyRequest = {
  expires_at?: (TimeValue | null);
  expires_in?: string | null;
  name: string;
  routes?: string[] | null;
  why: string;
};

export type DecisionLogCounts = {
  bytes: number;
  dropped_disk: number;
  dropped_queue: number;
  written: number;
};

export type DecisionSummary = {
  at_ms: number;
  attempts: number;
  cause?: string | null;
  cost_usd: number;
  ending: string;
  error: string | null;
  failed_calls?: FailedCall[];
  first_token_ms: number | null;
  id: string;
  input_tokens?: number;
  key?: string | null;
  label: string;
  latency_ms: number;
  model: string | null;
  output_tokens?: number;
  policy: string | null;
  reason: string | null;
  route: string;
  streaming?: boolean;
  tasks: number | null;
};

export type DeclaredAnswer = {
  meaning: string;
  name: string;
};

export type DescriptionStatus = {
  description?: string | null;
  homepage?: string | null;
  labels: DeclaredAnswer[];
  license?: string | null;
  problems: string[];
  refusals: DeclaredAnswer[];
  settings: SettingStatus[];
  title: string;
};

export type ErrorDetail = {
  code: string | null;
  message: string;
  param: string | null;
  type: string;
};

export type ErrorResponse = {
  error: ErrorDetail;
};

export type FailedCall = {
  error: string;
  model: string;
};

export type FailureCauses = {
  client: number;
  limit: number;
  model: number;
  policy: number;
};

export type GatewayStatus = {
  attention?: AttentionEntry[];
  decision_log?: (DecisionLogCounts | null);
  last_reload: (ReloadReport | null);
  models: ModelOverview[];
  now_ms: number;
  policies: PolicyStatus[];
  routes: RouteOverview[];
  started_ms: number;
  totals: RequestTotals;
  traces?: (SpanCounts | null);
  version: string;
};

export type History = {
  by: string;
  folded?: (HistoryTotals | null);
  from: number;
  oldest: number | null;
  other?: (OtherSeries | null);
  series: HistorySeries[];
  step: number;
  storage: HistoryStorage;
  to: number;
  totals: HistoryTotals;
};

export type HistoryPoint = {
  answered: number;
  at: number;
  cost_usd: number;
  failed: number;
  failed_by?: FailureCauses;
  input_tokens: number;
  mean_latency_ms: number | null;
  output_tokens: number;
  requests: number;
};

export type HistorySeries = {
  answered: number;
  baseline_cost_usd: number;
  cached_input_tokens: number;
  cancelled: number;
  compared_cost_usd: number;
  cost_usd: number;
  failed: number;
  failed_by?: FailureCauses;
  input_tokens: number;
  mean_latency_ms: number | null;
  name: string | null;
  output_tokens: number;
  points?: HistoryPoint[];
  reasoning_tokens: number;
  requests: number;
};

export type HistoryStorage = {
  error?: string | null;
  failures: number;
  is_durable: boolean;
  lost_steps: number;
  unreadable_steps: number;
  unstored_steps: number;
};

export type HistoryTotals = {
  answered: number;
  baseline_cost_usd: number;
  cached_input_tokens: number;
  cancelled: number;
  compared_cost_usd: number;
  cost_usd: number;
  failed: number;
  failed_by?: FailureCauses;
  input_tokens: number;
  mean_latency_ms: number | null;
  output_tokens: number;
  reasoning_tokens: number;
  requests: number;
};

export type HoldStatus = {
  digest: string;
  in_force: boolean;
  since: number;
  strikes: number;
  until: number | null;
  why: string;
};

export type IssuedKey = {
  cost_usd: number;
  created?: number | null;
  expires?: number | null;
  grace_until?: number | null;
  key: string;
  name: string;
  requests: number;
  rotated?: number | null;
  routes?: string[] | null;
  source: KeySource;
  state: KeyState;
};

export type KeptEntry = {
  base64?: string | null;
  expires_ms?: number | null;
  key: string;
  text?: string | null;
};

export type KeptState = {
  bytes: number;
  entries: KeptEntry[];
  is_durable: boolean;
  keys: number;
  next?: string | null;
  policy: string;
  rejected_writes: number;
  unstored: number;
};

export type KeyList = {
  can_store: boolean;
  keys: KeyStatus[];
  required: boolean;
};

export type KeySource = ("file" | "store" | string);

export type KeyState = ("active" | "disabled" | "expired" | string);

export type KeyStatus = {
  cost_usd: number;
  created?: number | null;
  expires?: number | null;
  grace_until?: number | null;
  name: string;
  requests: number;
  rotated?: number | null;
  routes?: string[] | null;
  source: KeySource;
  state: KeyState;
};

export type ModelOverview = {
  abilities?: string[];
  context_window: number | null;
  cost_usd: number;
  down_since_ms?: number | null;
  error_rate: number;
  first_token_ms: number | null;
  healthy: boolean;
  id: string;
  in_flight: number;
  input_usd_per_million: number;
  inputs?: string[];
  max_output_tokens?: number | null;
  operations?: string[];
  output_usd_per_million: number;
  quality?: number | null;
  quality_by_task?: { [name: string]: number };
  requests: number;
  resting: boolean;
  resting_since_ms?: number | null;
  tokens_per_second: number | null;
};

export type OperationResult = {
  digest?: string | null;
  done: string;
};

export type OtherSeries = {
  answered: number;
  baseline_cost_usd: number;
  cached_input_tokens: number;
  cancelled: number;
  compared_cost_usd: number;
  cost_usd: number;
  failed: number;
  failed_by?: FailureCauses;
  input_tokens: number;
  mean_latency_ms: number | null;
  names: number;
  output_tokens: number;
  points?: HistoryPoint[];
  reasoning_tokens: number;
  requests: number;
};

export type OverrideKind = ("pinned" | "uploaded" | string);

export type Overview = {
  attention?: AttentionEntry[];
  changes: AuditEvent[];
  decision_log?: (DecisionLogCounts | null);
  last_reload: (ReloadReport | null);
  models: ModelOverview[];
  now_ms: number;
  policies: PolicyStatus[];
  routes: RouteOverview[];
  started_ms: number;
  timeline: Timeline;
  totals: RequestTotals;
  traces?: (SpanCounts | null);
  version: string;
};

export type PlanSummary = {
  at: number;
  cost_usd: number;
  critical_path_ms: number;
  ending: string;
  id: string;
  label: string;
  latency_ms: number;
  policy: string;
  route: string;
  tasks: number;
};

export type PlanTrace = {
  at: number;
  cost_usd: number;
  critical_path: number[];
  critical_path_ms: number;
  ending: string;
  error: string | null;
  id: string;
  input_tokens: number;
  label: string;
  latency_ms: number;
  output_tokens: number;
  policy: string;
  reason: string | null;
  route: string;
  steps: number;
  tasks: TaskTrace[];
};

export type PolicyList = {
  last_reload: (ReloadReport | null);
  policies: PolicyStatus[];
};

export type PolicyReload = {
  change: string;
  error?: string | null;
  from?: string | null;
  name: string;
  to?: string | null;
};

export type PolicyStatus = {
  active: string;
  active_record: VersionStats;
  chosen?: (ChosenVersion | null);
  decisions: number;
  description?: (DescriptionStatus | null);
  failures: [string, number][];
  grants: string[];
  holds?: HoldStatus[];
  isolation: string;
  loaded: boolean;
  loaded_at: number;
  name: string;
  on_trial: string[];
  previous: string | null;
  previous_record: (VersionStats | null);
  rejected: (RejectedVersion | null);
  routes: string[];
  source: string;
  swaps: number;
};

export type Promotion = {
  at: number;
  instead_of: string;
};

export type Reason = {
  why: string;
};

export type RejectedVersion = {
  at: number;
  digest: string | null;
  error: string;
};

export type ReloadReport = {
  at: number;
  cause: string;
  config: ConfigResult;
  policies: PolicyReload[];
};

export type RequestTotals = {
  answered: number;
  baseline_cost_usd: number;
  cached_input_tokens: number;
  cancelled: number;
  compared_cost_usd: number;
  cost_usd: number;
  failed: number;
  failed_by?: FailureCauses;
  input_tokens: number;
  output_tokens: number;
  reasoning_tokens: number;
  requests: number;
};

export type Role = ("operator" | "read-only" | string);

export type RotateKeyRequest = {
  grace?: string | null;
  why: string;
};

export type RouteOverview = {
  aliases?: string[];
  answered: number;
  baseline: string | null;
  baseline_cost_usd: number;
  cached_input_tokens: number;
  cancelled: number;
  compared_cost_usd: number;
  cost_usd: number;
  description?: string | null;
  failed: number;
  failed_by?: FailureCauses;
  holds?: HoldStatus[];
  input_tokens: number;
  models: string[];
  name: string;
  output_tokens: number;
  policy: string;
  promoted?: (Promotion | null);
  reasoning_tokens: number;
  requests: number;
  trial?: (TrialStatus | null);
  version: string;
};

export type RouteTradeOff = {
  answered: number;
  calls: number;
  compared_cost_usd: number | null;
  depth: number;
  largest_depth: number;
  latency_ms_p50: number | null;
  latency_ms_p95: number | null;
  mean_cost_usd: number | null;
  monthly_saving_usd: number | null;
  payback_months?: number | null;
  points: number;
  providers: number;
  rating: string;
  requests: number;
  route: string;
  several_calls: number;
};

export type SettingStatus = {
  default?: string | null;
  description?: string | null;
  expected: string;
  name: string;
  required: boolean;
};

export type SpanCounts = {
  dropped: number;
  exported: number;
};

export type TaskTrace = {
  after: number[];
  attempts: number;
  begun_ms: number | null;
  cost_usd: number;
  ended_ms: number | null;
  error: string | null;
  input_tokens: number;
  model: string | null;
  name: string;
  number: number;
  operation: string;
  output_bytes?: number | null;
  output_tokens: number;
  status: string;
  step: number;
};

export type Tick = {
  attention?: AttentionEntry[];
  decision_log?: (DecisionLogCounts | null);
  last_reload: (ReloadReport | null);
  models: ModelOverview[];
  now_ms: number;
  points: TimelinePoint[];
  policies: PolicyStatus[];
  routes: RouteOverview[];
  started_ms: number;
  totals: RequestTotals;
  traces?: (SpanCounts | null);
  version: string;
};

export type TimeValue = (number | string);

export type Timeline = {
  points: TimelinePoint[];
  step_ms: number;
};

export type TimelinePoint = {
  added_ms_p50: number | null;
  answered: number;
  at_ms: number;
  baseline_cost_usd: number;
  cancelled: number;
  compared_cost_usd: number;
  cost_usd: number;
  failed: number;
  failed_by?: FailureCauses;
  input_tokens: number;
  latency_ms_p50: number | null;
  latency_ms_p95: number | null;
  models: { [name: string]: number };
  output_tokens: number;
  rejected_by?: FailureCauses;
  requests: number;
};

export type TradeOff = {
  against?: string | null;
  monthly_usd: number;
  one_off_usd: number;
  requests_per_month: number;
  routes: RouteTradeOff[];
};

export type TrialRequest = {
  policy: string;
  why: string;
} & ({
  mode: "shadow";
  percent?: undefined;
} | {
  mode: "canary";
  percent: number;
});

export type TrialStatus = {
  active?: VersionStats;
  compared?: (Comparison | null);
  policy: string;
  since?: number;
  suspended: boolean;
  trial?: VersionStats;
  version?: string;
} & ({
  mode: "shadow";
  percent?: undefined;
} | {
  mode: "canary";
  percent: number;
});

export type UsageLine = {
  answered: number;
  baseline_cost_usd: number;
  cached_input_tokens: number;
  cancelled: number;
  compared_cost_usd: number;
  cost_usd: number;
  failed: number;
  failed_by?: FailureCauses;
  input_tokens: number;
  key: string | null;
  model: string | null;
  output_tokens: number;
  reasoning_tokens: number;
  route: string;
};

export type ValuePair = {
  active: number;
  difference: number;
  trial: number;
};

export type VersionRequest = {
  digest: string;
  why: string;
};

export type VersionStats = {
  decision_us_p50: number | null;
  decision_us_p99: number | null;
  decisions: number;
  errors: number;
  failures: [string, number][];
  mean_cost_usd: number | null;
  mean_latency_ms: number | null;
  requests: number;
};

export namespace record {

  export type DecisionRecord = {
    at_ms: number;
    attempts: AttemptRecord[];
    content?: (ContentRecord | null);
    decisions: DecisionEntryRecord[];
    id: string;
    key?: string | null;
    outcome?: (OutcomeRecord | null);
    plan?: (PlanRecord | null);
    request: RequestRecord;
    route: string;
    sampling?: number | null;
    schema: number;
    trace_id?: string | null;
  };

  export type AnswerRecord = ({
    hedge_after_ms?: number | null;
    kind: "route";
    label: string;
    propensity?: number | null;
    reason?: string | null;
    targets: TargetRecord[];
    code?: undefined;
    message?: undefined;
    tasks?: undefined;
  } | {
    kind: "plan";
    label: string;
    reason?: string | null;
    tasks: number;
    code?: undefined;
    hedge_after_ms?: undefined;
    message?: undefined;
    propensity?: undefined;
    targets?: undefined;
  } | {
    kind: "finish";
    label: string;
    reason?: string | null;
    code?: undefined;
    hedge_after_ms?: undefined;
    message?: undefined;
    propensity?: undefined;
    targets?: undefined;
    tasks?: undefined;
  } | {
    code: string;
    kind: "refusal";
    message: string;
    hedge_after_ms?: undefined;
    label?: undefined;
    propensity?: undefined;
    reason?: undefined;
    targets?: undefined;
    tasks?: undefined;
  } | {
    kind: "failure";
    message: string;
    reason: string;
    code?: undefined;
    hedge_after_ms?: undefined;
    label?: undefined;
    propensity?: undefined;
    targets?: undefined;
    tasks?: undefined;
  });

  export type AttemptRecord = {
    audio_input_tokens?: number;
    audio_output_tokens?: number;
    begun_ms: number;
    cache_write_1h_tokens?: number;
    cache_write_tokens?: number;
    cached_input_tokens?: number;
    cost_usd: number;
    ended_ms: number;
    error?: string | null;
    estimated: boolean;
    first_token_ms?: number | null;
    image_input_tokens?: number;
    image_output_tokens?: number;
    input_tokens: number;
    model: string;
    output_tokens: number;
    reasoning_tokens?: number;
    result: string;
    task?: number | null;
  };

  export type CandidateRecord = {
    abilities: string[];
    attributes?: { [name: string]: string };
    context_window?: number | null;
    error_rate: number;
    first_token_ms?: number | null;
    healthy: boolean;
    in_flight: number;
    input_usd_per_million: number;
    inputs: string[];
    max_output_tokens?: number | null;
    model: string;
    operations?: string[];
    output_usd_per_million: number;
    quality?: number | null;
    quality_by_task?: { [name: string]: number };
    tokens_per_second?: number | null;
  };

  export type ContentRecord = {
    left_out_bytes?: number;
    left_out_messages?: number;
    messages: MessageRecord[];
    outputs?: TaskOutputRecord[];
  };

  export type DecisionEntryRecord = {
    answer: AnswerRecord;
    asked_ms: number;
    candidates: CandidateRecord[];
    digest?: string | null;
    policy?: string | null;
    settings_digest?: string | null;
    state?: (StateCountsRecord | null);
    took_us: number;
    whole: number;
  };

  export type MessageRecord = {
    role: string;
    text: string;
  };

  export type OutcomeRecord = {
    added_ms?: number | null;
    audio_input_tokens?: number;
    audio_output_tokens?: number;
    baseline_cost_usd?: number | null;
    baseline_model?: string | null;
    cache_write_1h_tokens?: number;
    cache_write_tokens?: number;
    cached_input_tokens?: number;
    cost_usd: number;
    ending: string;
    error?: string | null;
    estimated: boolean;
    fault?: string | null;
    first_token_ms?: number | null;
    image_input_tokens?: number;
    image_output_tokens?: number;
    input_tokens: number;
    label: string;
    latency_ms: number;
    model?: string | null;
    output_tokens: number;
    reasoning_tokens?: number;
  };

  export type PlanLimitsRecord = {
    assembled_bytes: number;
    cost_usd?: number | null;
    depth: number;
    input_tokens: number;
    output_tokens: number;
    parallel: number;
    steps: number;
    tasks: number;
  };

  export type PlanRecord = {
    critical_path: number[];
    critical_path_ms: number;
    limits?: (PlanLimitsRecord | null);
    steps: number;
    tasks: TaskRecord[];
  };

  export type RequestRecord = {
    attributes: { [name: string]: string };
    budget_left_usd?: number | null;
    deadline_ms?: number | null;
    input_tokens: number;
    inputs: string[];
    max_output_tokens?: number | null;
    model: string;
    needs: string[];
    operation: string;
    session?: string | null;
    streaming: boolean;
    turns: number;
  };

  export type StateCountsRecord = {
    reads: number;
    rejected: number;
    writes: number;
  };

  export type TargetRecord = {
    candidate: number;
    timeout_ms?: number | null;
  };

  export type TaskOutputRecord = {
    finish_reason?: string | null;
    left_out_bytes?: number;
    task: number;
    text: string;
  };

  export type TaskRecord = {
    after: number[];
    attempts: number;
    begun_ms: number | null;
    cost_usd: number;
    ended_ms: number | null;
    error: string | null;
    input_tokens: number;
    model: string | null;
    name: string;
    number: number;
    operation: string;
    output_bytes?: number | null;
    output_tokens: number;
    status: string;
    step: number;
  };
}
