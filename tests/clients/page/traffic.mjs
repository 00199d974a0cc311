// Requests on the page.

import assert from "node:assert/strict";
import { copyFile, rename } from "node:fs/promises";

import { api, ask, shows } from "./browser.mjs";

export const traffic = {
  async requests_appear_as_they_are_answered(browser) {
    const page = await browser.openLive();
    await shows(page, "h2", "No request yet");
    assert.equal((await ask("main")).status, 200);
    await shows(page, ".figure", "1 in the last 5 minutes");
    await page.evaluate(() => { window.same = document.querySelector(".chart"); });

    for (let number = 0; number < 4; number++) await ask("main");
    assert.notEqual((await ask("broken")).status, 200);
    await shows(page, ".figure", "6 in the last 5 minutes");
    await shows(page, "figcaption", "5 requests answered, 1 failed");
    await shows(page, "figcaption", "a/chat 100 %");
    await shows(page, "section[aria-labelledby=deciding] li", "changing@");
    await page.locator("figure path.bar.answered[d*=V]").first().waitFor({ state: "attached" });
    assert.ok(await page.evaluate(() => window.same === document.querySelector(".chart")), "nothing was drawn anew");

    await page.getByRole("link", { name: "Decisions", exact: true }).click();
    await page.getByRole("row").nth(6).waitFor();
    const { id } = await ask("main");
    await page.locator(`a[href="#/decisions/${id}"]`).waitFor();
  },

  async a_decision_is_explained_at_its_own_address(browser) {
    const { id } = await ask("main");
    const page = await browser.openLive(`decisions/${id}`);
    await shows(page, ".explained", "The policy changing chose a/chat of 2 candidates, with b/chat as fallback");
    await shows(page, ".explained", "Among them it is the cheapest.");
    await shows(page, ".explained", "a/chat answered after");
    const record = await api(`/admin/decisions/${id}`);
    assert.match(await page.locator(".explained").innerText(), new RegExp(`${record.outcome.input_tokens} tokens in`));
    await page.getByRole("row", { name: /1\. answered.*a\/chat/ }).waitFor();
    await page.locator(".gantt .task.answered .span").waitFor({ state: "attached" });

    browser.expected.push(/404/);
    const failed = await ask("broken");
    await page.goto(page.url().replace(id, failed.id));
    await shows(page, ".explained", "No model answered");
    await page.goto(page.url().replace(failed.id, "nobody"));
    await shows(page, "[role=alert]", "This decision cannot be shown");
  },

  async decisions_can_be_filtered_and_paused(browser) {
    for (const route of ["main", "main", "chain"]) await ask(route);
    const page = await browser.openLive("decisions");
    await page.getByRole("row").nth(3).waitFor();
    await page.getByLabel("Route").selectOption("chain");
    await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 1);
    await page.getByLabel("Route").selectOption("");
    await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 3);

    await page.getByRole("button", { name: "Pause" }).click();
    const { id } = await ask("main");
    await shows(page, ".heading", "paused, 1 new");
    assert.equal(await page.locator(`a[href="#/decisions/${id}"]`).count(), 0);
    await page.getByRole("button", { name: "Resume" }).click();
    await page.locator(`a[href="#/decisions/${id}"]`).waitFor();

    // A list that has the focus does not change.
    await page.locator("tbody a").first().focus();
    const later = await ask("main");
    await shows(page, ".heading", "paused while you are on the list, 1 new");
    assert.equal(await page.locator(`a[href="#/decisions/${id}"]`).evaluate((link) => link === document.activeElement), true);
    await page.getByLabel("Route").focus();
    await page.locator(`a[href="#/decisions/${later.id}"]`).waitFor();
  },

  async a_plan_is_a_chart_and_a_table(browser) {
    const { id } = await ask("chain");
    const page = await browser.openLive("plans");
    await page.locator(`a[href="#/plans/${id}"]`).click();
    const plan = await api(`/admin/plans/${id}`);
    assert.ok(plan.tasks.length > 1, "a plan of several tasks");
    await page.waitForFunction((tasks) => document.querySelectorAll(".gantt .task").length === tasks, plan.tasks.length);
    assert.equal(await page.locator(".gantt .task.critical").count(), plan.critical_path.length);
    const waits = plan.tasks.reduce((all, { after }) => all + after.length, 0);
    assert.equal(await page.locator(".gantt .link").count(), waits);
    for (const { number, name } of plan.tasks) await page.getByRole("row", { name: new RegExp(`^${number + 1} ${name}`) }).waitFor();
    await page.getByRole("link", { name: "Decision record" }).click();
    await shows(page, ".explained", `split it into`);
  },

  async routes_are_compared_with_a_payback_from_edited_inputs(browser) {
    for (const route of ["main", "main", "chain"]) await ask(route);
    const page = await browser.openLive("trade-off");
    const row = (name) => page.getByRole("row", { name: new RegExp(`^${name} `) });
    await row("main").getByText("low").waitFor();
    assert.equal(await row("chain").locator("td[data-label=Depth]").innerText(), "3");
    await page.getByLabel("Compared with").selectOption("chain");
    await page.getByLabel("One-off cost, $").fill("0");
    await page.getByLabel("Running cost, $ a month").fill("0");
    await page.getByRole("button", { name: "Calculate" }).click();
    await row("main").getByText("0 months").waitFor();
    await row("chain").getByText("never").waitFor();
    await page.getByLabel("Running cost, $ a month").fill("1000000000");
    await page.getByRole("button", { name: "Calculate" }).click();
    await row("main").getByText("never").waitFor();
  },

  async a_swap_is_marked_on_every_chart_and_changes_the_version(browser) {
    await ask("main");
    const page = await browser.openLive();
    const before = (await api("/admin/policies/changing")).active.slice(0, 12);
    await shows(page, "section[aria-labelledby=deciding]", before);
    await copyFile(process.env.POINTSMAN_NEXT, `${process.env.POINTSMAN_POLICY}.incoming`);
    await rename(`${process.env.POINTSMAN_POLICY}.incoming`, process.env.POINTSMAN_POLICY);

    // A mark may be that of the start too, since both are moments ago.
    await page.waitForFunction(() => [...document.querySelectorAll(".chart")].every((chart) =>
      [...chart.querySelectorAll(".mark")].some((mark) => mark.getAttribute("aria-label").includes("changing swapped"))));
    assert.equal(await page.locator(".chart").count(), 4);
    const after = (await api("/admin/policies/changing")).active.slice(0, 12);
    assert.notEqual(before, after);
    await shows(page, "section[aria-labelledby=deciding]", after);
    await shows(page, "section[aria-labelledby=happened] li", `${before} → ${after}`);
    await page.locator(".mark[aria-label*='changing swapped']").first().hover();
    await shows(page, ".tip", `${before} → ${after}`);
  },
};
