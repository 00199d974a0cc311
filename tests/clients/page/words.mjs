// Text and data that the page derives from API responses: explanations, numbers, and series of charts.

import assert from "node:assert/strict";

/** Calls a function of one of the page's modules, in the page. */
const call = (page, module, name, ...given) =>
  page.evaluate(([from, what, list]) => import(`/page/${from}.js`).then((all) => all[what](...list)), [module, name, given]);

const CHEAP = { model: "a/small", input_usd_per_million: 1, output_usd_per_million: 2, tokens_per_second: 90, quality: 0.5 };
const DEAR = { model: "b/large", input_usd_per_million: 5, output_usd_per_million: 9, tokens_per_second: 40, quality: 0.9 };
const REQUEST = { operation: "chat", model: "main", input_tokens: 12, inputs: ["text"], needs: [], turns: 1, streaming: true };
const ROUTED = { policy: "cost", candidates: [CHEAP, DEAR], answer: { kind: "route", label: "cheapest", targets: [{ candidate: 0 }, { candidate: 1 }] } };
const CALLED = { model: "a/small", result: "answered", begun_ms: 1, ended_ms: 180 };
const ANSWERED = { ending: "answered", label: "cheapest", model: "a/small", latency_ms: 184, first_token_ms: 20, input_tokens: 12, output_tokens: 30, cost_usd: 0.001 };

const record = (more) => ({ route: "main", request: REQUEST, decisions: [ROUTED], attempts: [CALLED], outcome: ANSWERED, ...more });

export const words = {
  async a_decision_is_explained_in_english(browser) {
    const page = await browser.openLive();
    const explained = async (more) => (await call(page, "explain", "explain", record(more))).join(" ");
    assert.equal(
      await explained({ outcome: { ...ANSWERED, baseline_model: "b/large", baseline_cost_usd: 0.004 } }),
      "A chat request of about 12 tokens arrived at the route main. The policy cost chose a/small of 2 candidates, "
      + "with b/large as fallback, as “cheapest”. Among them it is the cheapest and the fastest. a/small answered after "
      + "184 ms, its first token after 20 ms. It cost $0.00100 (12 tokens in, 30 tokens out), $0.00300 (75 %) less than at b/large.",
    );
    const twin = { ...CHEAP, model: "c/small" };
    assert.match(await explained({ decisions: [{ ...ROUTED, candidates: [CHEAP, DEAR, twin] }] }), /Among them it is one of the cheapest and one of the fastest\./);
    const many = { ...ROUTED, candidates: Array(5).fill(CHEAP), answer: { ...ROUTED.answer, targets: [0, 1, 2, 3, 4].map((candidate) => ({ candidate })) } };
    assert.match(await explained({ decisions: [many] }), /of 5 candidates, with a\/small, a\/small and 2 others as fallback/);
    const fell = { policy: "ours", candidates: [CHEAP], answer: { kind: "failure", reason: "deadline", message: "it took longer than 20 ms" } };
    assert.match(await explained({ decisions: [fell, ROUTED] }), /ours failed \(deadline\): it took longer than 20 ms\. The next one was asked instead\. The policy cost chose/);
    const refused = { policy: "ours", candidates: [CHEAP], answer: { kind: "refusal", code: "denied", message: "not this" } };
    assert.match(await explained({ decisions: [refused], attempts: [], outcome: { ...ANSWERED, ending: "failed", error: "not this" } }),
      /refused the request \(denied\): not this\. No model answered; the request failed after 184 ms: not this\./);
    assert.match(await explained({ attempts: [{ model: "b/large", result: "failed", error: "status 500" }, CALLED] }), /b\/large failed \(status 500\)\. a\/small answered/);
    assert.match(await explained({ outcome: { ...ANSWERED, ending: "cancelled" } }), /The client disconnected after 184 ms/);
    assert.match(await explained({ decisions: [], request: { ...REQUEST, model: "a/small", needs: ["tools"] } }), /which needs tools, named the model a\/small, so no policy was asked/);
    assert.match(await explained({ outcome: undefined, attempts: [] }), /It was a dry run: no model was called\.$/);
    const own = { candidates: [CHEAP], answer: { kind: "route", label: "fallback", targets: [{ candidate: 0 }] } };
    assert.match(await explained({ decisions: [own] }), /The gateway’s own order chose a\/small of 1 candidate, as “fallback”\. a\/small/);
    const tasks = ["draft", "revise"].map((name, number) => ({ number, name, status: "done" }));
    const planned = { policy: "chain", candidates: [CHEAP], answer: { kind: "plan", label: "chain:2", tasks: 2 } };
    assert.match(await explained({ decisions: [planned], plan: { critical_path: [0, 1], tasks } }),
      /split it into 2 tasks, as “chain:2”\. 2 of 2 tasks were completed; the critical path was “draft” and “revise”\. The request was answered/);
  },

  async numbers_are_formatted_for_people(browser) {
    const page = await browser.openLive();
    const check = async (name, cases) => {
      for (const [given, expected] of cases) assert.equal(await call(page, "format", name, given), expected);
    };
    await check("money", [[0, "$0"], [0.0000042, "$0.00000420"], [0.00164, "$0.00164"], [0.5, "$0.500"], [3.14159, "$3.14"], [12345.6, "$12,346"], [-0.002, "−$0.00200"], [null, "–"]]);
    await check("milliseconds", [[0.31, "0.31 ms"], [184.4, "184 ms"], [2410, "2.41 s"], [75_000, "75 s"], [null, "–"]]);
    await check("microseconds", [[14.25, "14.3 µs"], [1200, "1.2 ms"]]);
    await check("percent", [[0.4567, "46 %"], [0.0123, "1.2 %"], [0.0031, "0.31 %"], [0, "0 %"], [1, "100 %"]]);
    await check("duration", [[40, "40 s"], [720, "12 min"], [12_000, "3 h 20 min"]]);
    await check("bytes", [[512, "512 B"], [1536, "1.5 KiB"], [3 << 20, "3 MiB"]]);
    assert.deepEqual(await call(page, "scale", "rounded", 17), { top: 20, ticks: [0, 10, 20] });
    assert.deepEqual(await call(page, "scale", "rounded", 0), { top: 1, ticks: [0, 1] });
    assert.equal(await call(page, "scale", "line", [[0, 1], [1, 2], null, [3, 4]]), "M0.0 1.0L1.0 2.0M3.0 4.0");
    assert.deepEqual(await call(page, "scale", "lone", [[0, 1], [1, 2], null, [3, 4]]), [[3, 4]]);
  },

  async events_and_series_are_parsed(browser) {
    const page = await browser.openLive();
    assert.deepEqual(await call(page, "stream", "parse", "event: tick\ndata: {\ndata: }"), { name: "tick", data: "{\n}" });
    assert.equal(await call(page, "stream", "parse", ": ok"), null);
    const point = (at, requests, p50) => ({ at_ms: at, requests, answered: requests, failed: 0, cancelled: 0, input_tokens: 1, output_tokens: 1,
      cost_usd: 0.5, compared_cost_usd: 0, baseline_cost_usd: 0, latency_ms_p50: p50, latency_ms_p95: p50, added_ms_p50: null, models: { "a/chat": requests } });
    const found = await page.evaluate(async ([points]) => {
      const { buckets, sum } = await import("/page/series.js");
      const list = buckets(points, { seconds: 300, bucket: 5000 }, 1_000_007_000);
      const last = list.slice(-2).map(({ at, seconds, requests, p50, models }) => ({ at, seconds, requests, p50, models }));
      return { length: list.length, last, total: sum(list).requests };
    }, [[point(900_000_000, 9, 9), point(1_000_001_000, 1, 10), point(1_000_004_000, 3, 50), point(1_000_006_000, 2, null)]]);
    assert.deepEqual(found, {
      length: 60,
      last: [
        { at: 1_000_000_000, seconds: 5, requests: 4, p50: 40, models: { "a/chat": 4 } },
        { at: 1_000_005_000, seconds: 2, requests: 2, p50: null, models: { "a/chat": 2 } },
      ],
      total: 6,
    });
    const usage = (at, requests, answered, ms) => ({ at, requests, answered, failed: 1, cost_usd: 0.5, mean_latency_ms: ms });
    const history = { from: 600, to: 2_000, step: 600, series: [{ points: [usage(600, 5, 3, 10), usage(1_800, 1, 0, null)] }, {}], other: { points: [usage(600, 2, 1, 50)] } };
    const empty = { requests: 0, answered: 0, failed: 0, cancelled: 0, cost: 0, latency: 0 };
    assert.deepEqual(await call(page, "history", "bucketsOf", history), [
      { at: 600_000, until: 1_200_000, requests: 7, answered: 4, failed: 2, cancelled: 1, cost: 1, latency: 80 },
      { at: 1_200_000, until: 1_800_000, ...empty },
      { at: 1_800_000, until: 2_400_000, ...empty, requests: 1, failed: 1, cost: 0.5 },
    ]);
    const day = await page.evaluate(async () => {
      const { timeOfAxis } = await import("/page/format.js");
      const midnight = new Date(2026, 10, 3).getTime();
      return [timeOfAxis(midnight, 86_400_000), timeOfAxis(midnight, 604_800_000), timeOfAxis(midnight + 43_200_000, 604_800_000)];
    });
    assert.deepEqual(day, ["00:00", "3 Nov", "12:00"]);
  },
};
