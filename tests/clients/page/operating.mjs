// The buttons, checked against the admin API.

import assert from "node:assert/strict";

import { api, ask, shows } from "./browser.mjs";

/** Fills in the open dialog, and confirms it. */
async function agree(page, button, why) {
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  if (why) await dialog.getByLabel("Reason").fill(why);
  await dialog.getByRole("button", { name: button }).click();
}

const newest = async (action) => (await api("/admin/audit?limit=20")).find((event) => event.action === action);

export const operating = {
  async a_trial_is_promoted_and_rolled_back(browser) {
    await ask("main");
    const page = await browser.openLive("routes");
    await api("/admin/routes/main/trial", "PUT", { policy: "other", mode: "shadow" });
    await page.getByRole("button", { name: "Promote other at main" }).click();
    await shows(page, "dialog", "instead of changing");
    await page.getByLabel("Your name").fill("alice");
    await agree(page, "Promote", "<img src=x onerror=alert(1)>");
    await shows(page, "#toast p", "other decides at main");
    assert.equal((await api("/admin/routes/main")).policy, "other");
    const { who, why } = await newest("promote");
    assert.deepEqual([who, why], [{ admin: "alice" }, "<img src=x onerror=alert(1)>"]);

    await page.getByRole("button", { name: "Roll back main" }).click();
    assert.equal(await page.getByLabel("Your name").inputValue(), "alice", "it is remembered");
    await agree(page, "Roll back");
    await page.getByRole("button", { name: "Roll back main" }).waitFor({ state: "detached" });
    assert.equal((await api("/admin/routes/main")).policy, "changing");
    assert.deepEqual((await newest("demote")).who, { admin: "alice" });

    // Text of operators is never markup.
    await page.getByRole("link", { name: "Overview" }).click();
    await shows(page, "section[aria-labelledby=happened] li", "<img src=x onerror=alert(1)>");
    assert.equal(await page.locator("main img").count(), 0);
  },

  async a_policy_is_shown_with_its_description(browser) {
    const page = await browser.openLive("policies/sequential");
    await shows(page, "#description-sequential", "A chain of models");
    await shows(page, "[aria-label=Labels]", "The request went through the stages.");
    await shows(page, "[aria-label=Settings]", "stages[].max_output_tokens");
    await shows(page, "[aria-label=Settings]", 'one of "quality", "cost", "speed"');

    // Text of authors is never markup.
    await page.goto(page.url().replace("sequential", "other"));
    await shows(page, "#description-other", "<img src=x onerror=alert(1)>");
    await shows(page, "[aria-label=Labels]", "<b>always</b>");
    await shows(page, ".objection", "`settings.type`");
    assert.equal(await page.locator("main img, main b, main a[href^='javascript']").count(), 0);
  },

  async a_trial_is_ended(browser) {
    await api("/admin/routes/main/trial", "PUT", { policy: "other", mode: "canary", percent: 10 });
    const page = await browser.openLive("routes/main");
    await shows(page, ".badge", "canary 10 %");
    await page.getByRole("button", { name: "End trial at main" }).click();
    await agree(page, "End the trial", "seen enough");
    await page.getByRole("button", { name: "End trial at main" }).waitFor({ state: "detached" });
    assert.equal((await api("/admin/routes/main")).trial, undefined);
    assert.equal((await newest("end-trial")).why, "seen enough");
  },

  async a_request_is_run_by_two_policies_and_explained(browser) {
    const { id } = await ask("main");
    const page = await browser.openLive(`decisions/${id}`);
    await page.getByRole("link", { name: "Try in the playground" }).click();
    const text = page.getByLabel("Request, candidates and facts");
    await page.waitForFunction(() => document.querySelector("textarea")?.value.includes("a/chat"));
    const written = JSON.parse(await text.inputValue());
    assert.deepEqual(written.candidates.map(({ id: model }) => model), ["a/chat", "b/chat"]);
    assert.equal(written.request.model, "main");
    await page.getByLabel("Policy", { exact: true }).selectOption("changing");
    await page.getByLabel("Compare with", { exact: true }).selectOption("sequential");
    await page.getByRole("button", { name: "Run" }).click();
    await shows(page, "section[aria-labelledby=run-0]", "a/chat");
    await shows(page, "section[aria-labelledby=run-0]", "settings.json()");
    await page.locator("section[aria-labelledby=run-1] svg.plan-chart").waitFor();
    await shows(page, "section[aria-labelledby=comparison]", "differs");
    await browser.checkAccess(page, "the playground with results");
    const { decisions } = await api("/admin/policies/other");
    assert.equal(decisions, 0, "nothing was decided");

    // The body of a chat completion becomes a case, and a mistake is shown with its place.
    await text.fill(JSON.stringify({ model: "main", messages: [{ role: "user", content: "<b>hi</b>" }] }));
    await page.waitForFunction(() => document.querySelector("textarea").value.includes("candidates"));
    await page.getByLabel("Compare with", { exact: true }).selectOption("");
    await page.getByRole("button", { name: "Run" }).click();
    await page.locator("section[aria-labelledby=run-1]").waitFor({ state: "detached" });
    await shows(page, "section[aria-labelledby=run-0]", "version-");
    await text.fill('{"requst": {}}');
    await page.getByRole("button", { name: "Run" }).click();
    await shows(page, ".objection", "did you mean `request`?");
  },

  async a_version_is_rolled_back_released_pinned_and_unpinned(browser) {
    const { active, previous } = await api("/admin/policies/changing");
    const page = await browser.openLive("policies/changing");
    await page.getByRole("button", { name: "Roll back changing" }).click();
    await shows(page, "dialog", "goes into quarantine");
    await agree(page, "Roll back", "too dear");
    await shows(page, ".badge", "quarantine");
    assert.equal((await api("/admin/policies/changing")).active, previous);
    const held = (await api("/admin/policies/changing")).holds[0];
    assert.deepEqual([held.digest, held.why], [active, "rolled back by hand: too dear"]);

    await page.getByRole("button", { name: `Release ${active.slice(0, 12)} of changing` }).click();
    await agree(page, "Release");
    await shows(page, "dialog", "The configuration is in force");
    await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
    await page.locator(".badge", { hasText: "quarantine" }).waitFor({ state: "detached" });

    const serves = (await api("/admin/policies/changing")).active;
    assert.equal(serves, active, "the file still has it");
    await page.locator(".version-box", { hasText: "Active" }).filter({ hasText: serves.slice(0, 12) }).waitFor();
    await page.getByRole("button", { name: "Pin changing", exact: true }).click();
    await agree(page, "Pin");
    await shows(page, ".badge", "pinned");
    const { chosen } = await api("/admin/policies/changing");
    assert.deepEqual([chosen.digest, chosen.how], [serves, "pinned"]);
    await page.getByRole("button", { name: "Unpin changing" }).click();
    await agree(page, "Unpin");
    await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
    await page.locator(".badge", { hasText: "pinned" }).waitFor({ state: "detached" });
    assert.equal((await api("/admin/policies/changing")).chosen, undefined);
  },

  async a_reload_reports_its_changes_and_a_rejection_its_reason(browser) {
    const page = await browser.openLive("policies");
    await page.getByRole("button", { name: "Reload …" }).click();
    await agree(page, "Reload");
    await shows(page, "dialog", "The configuration is in force");
    await page.keyboard.press("Escape");
    await shows(page, ".heading", "(admin): everything is in force");

    // Somebody else was quicker.
    browser.expected.push(/409/);
    await page.getByRole("button", { name: "Roll back changing" }).click();
    await api("/admin/policies/changing/rollback", "POST", {});
    await agree(page, "Roll back");
    await shows(page, "dialog [role=alert]", "there is no other version");
  },
};
