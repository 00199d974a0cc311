// Short requests go to the cheapest model, long ones to the best. Settings and labels: README.md.

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h" // The world's types and functions: build/policy.h.

typedef pointsman_policy_types_request_t request_t;
typedef pointsman_policy_types_candidate_t candidate_t;
typedef pointsman_policy_types_target_t target_t;
typedef exports_pointsman_policy_router_list_candidate_t candidates_t;
typedef exports_pointsman_policy_router_decision_t decision_t;
typedef exports_pointsman_policy_router_refusal_t refusal_t;

// Tokens that an answer is assumed to have, unless the client allows fewer.
#define TYPICAL_OUTPUT_TOKENS 256

// Input tokens from which a request is long: the setting `long_tokens`, 0 until it is read.
static uint32_t long_tokens;

// A model with its rank: the lowest is tried first.
typedef struct {
    uint32_t candidate;
    double rank;
} choice_t;

static const char *skip_space(const char *text) {
    return text + strspn(text, " \t\r\n");
}

// Reads `{}` or `{"long_tokens": NUMBER}` into `long_tokens`. Returns NULL, or the reason why it is wrong.
static const char *parse_settings(const char *text) {
    static const char KEY[] = "\"long_tokens\"";
    static char reason[128];
    uint32_t value = 2000;
    text = skip_space(text + 1); // The text is a JSON object.
    if (*text != '}') {
        if (strncmp(text, KEY, sizeof KEY - 1) != 0)
            return "the only setting is `long_tokens`";
        text = skip_space(text + sizeof KEY - 1);
        text = skip_space(text + 1); // A colon.
        char *end;
        double number = strtod(text, &end);
        size_t length = strcspn(text, ",}");
        if (*skip_space(end) == ',')
            return "the only setting is `long_tokens`";
        if (end == text || *skip_space(end) != '}' || number < 1 || number > UINT32_MAX ||
            number != (uint32_t)number) {
            snprintf(reason, sizeof reason, "setting `long_tokens`: %.*s is not a whole number of at least 1",
                     length < 40 ? (int)length : 40, text);
            return reason;
        }
        value = (uint32_t)number;
    }
    long_tokens = value;
    return NULL;
}

// Reads the settings, once for each instance. Returns NULL, or the reason why they are wrong.
static const char *read_settings(void) {
    if (long_tokens != 0)
        return NULL;
    policy_string_t json;
    pointsman_policy_settings_json(&json);
    char *text = malloc(json.len + 1);
    if (text == NULL)
        abort();
    memcpy(text, json.ptr, json.len);
    text[json.len] = '\0';
    policy_string_free(&json);
    const char *reason = parse_settings(text);
    free(text);
    return reason;
}

// What a request will probably cost, in millionths of a US dollar.
static double cost(const request_t *request, const candidate_t *model) {
    uint32_t output = TYPICAL_OUTPUT_TOKENS;
    if (request->max_output_tokens.is_some && request->max_output_tokens.val < output)
        output = request->max_output_tokens.val;
    return request->input_tokens * model->input_price + output * model->output_price;
}

// By rank, then as the models were listed.
static int compare(const void *left, const void *right) {
    const choice_t *a = left, *b = right;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return a->candidate < b->candidate ? -1 : 1;
}

// Orders the models for a request. The first is called, the others are its fallbacks. The caller frees what is
// returned; it owns the request and the candidates.
bool exports_pointsman_policy_router_route(request_t *request, candidates_t *candidates, decision_t *decision,
                                           refusal_t *refusal) {
    (void)refusal;
    size_t count = candidates->len;
    choice_t *choices = calloc(count, sizeof *choices);
    target_t *targets = calloc(count, sizeof *targets);
    if (choices == NULL || targets == NULL || read_settings() != NULL)
        abort();
    bool is_long = request->input_tokens >= long_tokens;
    for (size_t index = 0; index < count; index++) {
        const candidate_t *model = &candidates->ptr[index];
        double quality = model->quality.is_some ? model->quality.val : 0;
        choices[index] = (choice_t){(uint32_t)index, is_long ? -quality : cost(request, model)};
    }
    qsort(choices, count, sizeof *choices, compare);
    for (size_t place = 0; place < count; place++)
        targets[place].candidate = choices[place].candidate;
    free(choices);

    char reason[80];
    snprintf(reason, sizeof reason, "%" PRIu32 " input tokens, long from %" PRIu32, request->input_tokens, long_tokens);
    *decision = (decision_t){0};
    decision->targets.ptr = targets;
    decision->targets.len = count;
    policy_string_dup(&decision->label, is_long ? "best" : "cheapest");
    decision->reason.is_some = true;
    policy_string_dup(&decision->reason.val, reason);
    return true;
}

// Checks the settings when the policy is loaded. An error keeps the previous version serving.
bool exports_pointsman_policy_configuration_validate(policy_string_t *error) {
    const char *reason = read_settings();
    if (reason == NULL)
        return true;
    policy_string_dup(error, reason);
    return false;
}
