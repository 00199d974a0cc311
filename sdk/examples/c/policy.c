// The cheapest model that is good enough. Setting: `min_quality`, 0..1.

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "promptless_policy.h"

typedef pointsman_policy_types_request_t request_t;
typedef pointsman_policy_types_candidate_t candidate_t;
typedef pointsman_policy_types_target_t target_t;
typedef exports_pointsman_policy_router_list_candidate_t candidates_t;
typedef exports_pointsman_policy_router_decision_t decision_t;
typedef exports_pointsman_policy_router_refusal_t refusal_t;

// Tokens that an answer is taken to have, unless the client allows fewer.
#define TYPICAL_OUTPUT_TOKENS 256

// A candidate that is good enough.
typedef struct {
    uint32_t index;
    bool healthy;
    double cost;
} choice_t;

// The settings, read once for each instance.
static struct {
    bool read;
    double min_quality;
} settings;

static const char *skip_space(const char *text) {
    return text + strspn(text, " \t\r\n");
}

// Reads `{}` or `{"min_quality": NUMBER}`; gives false for anything else.
static bool parse_settings(const char *text, double *min_quality) {
    static const char KEY[] = "\"min_quality\"";
    *min_quality = 0;
    text = skip_space(text);
    if (*text++ != '{')
        return false;
    text = skip_space(text);
    if (*text != '}') {
        if (strncmp(text, KEY, sizeof KEY - 1) != 0)
            return false;
        text = skip_space(text + sizeof KEY - 1);
        if (*text++ != ':')
            return false;
        text = skip_space(text);
        char *end;
        *min_quality = strtod(text, &end);
        if (end == text)
            return false;
        text = skip_space(end);
    }
    return *text == '}' && *skip_space(text + 1) == '\0' && *min_quality >= 0 && *min_quality <= 1;
}

static bool read_settings(void) {
    if (settings.read)
        return true;
    promptless_policy_string_t json;
    pointsman_policy_settings_json(&json);
    char *text = malloc(json.len + 1);
    if (text != NULL) {
        memcpy(text, json.ptr, json.len);
        text[json.len] = '\0';
        settings.read = parse_settings(text, &settings.min_quality);
    }
    free(text);
    promptless_policy_string_free(&json);
    return settings.read;
}

// What a request will probably cost, in millionths of a US dollar.
static double cost(const request_t *request, const candidate_t *candidate) {
    uint32_t output = TYPICAL_OUTPUT_TOKENS;
    if (request->max_output_tokens.is_some && request->max_output_tokens.val < output)
        output = request->max_output_tokens.val;
    return request->input_tokens * candidate->input_price + output * candidate->output_price;
}

// Healthy ones first, then the cheaper, then as they were listed.
static int compare(const void *left, const void *right) {
    const choice_t *a = left, *b = right;
    if (a->healthy != b->healthy)
        return a->healthy ? -1 : 1;
    if (a->cost != b->cost)
        return a->cost < b->cost ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

static bool refuse(refusal_t *refusal, const char *text) {
    refusal->tag = POINTSMAN_POLICY_TYPES_REFUSAL_NO_CANDIDATE;
    promptless_policy_string_dup(&refusal->val.no_candidate, text);
    return false;
}

bool exports_pointsman_policy_router_route(request_t *request, candidates_t *candidates, decision_t *decision,
                                           refusal_t *refusal) {
    choice_t *choices = calloc(candidates->len, sizeof *choices);
    if (choices == NULL || !read_settings())
        abort();
    size_t count = 0;
    for (size_t index = 0; index < candidates->len; index++) {
        const candidate_t *candidate = &candidates->ptr[index];
        double quality = candidate->quality.is_some ? candidate->quality.val : 0;
        if (quality >= settings.min_quality)
            choices[count++] = (choice_t){(uint32_t)index, candidate->healthy, cost(request, candidate)};
    }
    if (count == 0) {
        free(choices);
        return refuse(refusal, "no model is known to have the quality that `min_quality` asks for");
    }
    qsort(choices, count, sizeof *choices, compare);

    *decision = (decision_t){0};
    promptless_policy_string_dup(&decision->label, "cheapest");
    decision->targets.ptr = calloc(count, sizeof(target_t));
    if (decision->targets.ptr == NULL)
        abort();
    decision->targets.len = count;
    for (size_t place = 0; place < count; place++)
        decision->targets.ptr[place].candidate = choices[place].index;
    free(choices);
    return true;
}

bool exports_pointsman_policy_configuration_validate(promptless_policy_string_t *error) {
    if (read_settings())
        return true;
    promptless_policy_string_dup(error, "the only setting is `min_quality`, a number in 0..1");
    return false;
}
