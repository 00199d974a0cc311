// The history of usage: periods of routes, models and keys.

import assert from "node:assert/strict";

import { DESKTOP, PHONE, ask, gateway, isWideEnough, shows } from "./browser.mjs";

const number = (page, term) => page.locator(".history .facts div", { has: page.getByText(term, { exact: true }) }).locator("dd").innerText();

/** Sends a request with the key of a client. */
async function askAs(name) {
  const response = await fetch(`${gateway.clients}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer pm-${name}` },
    body: JSON.stringify({ model: "main", messages: [{ role: "user", content: "hello" }] }),
  });
  await response.text();
  assert.equal(response.status, 200);
}

async function checkBothSizes(browser, page, what) {
  for (const viewport of [DESKTOP, PHONE]) {
    await page.setViewportSize(viewport);
    await page.waitForFunction(isWideEnough).catch(() => assert.fail(`${what} scrolls sideways`));
    await browser.checkAccess(page, `${what}, ${viewport.width} px`);
  }
  await page.setViewportSize(DESKTOP);
}

export const history = {
  async a_period_of_a_route_or_a_model_is_part_of_the_address(browser) {
    for (let sent = 0; sent < 3; sent++) await ask("main");
    await ask("broken");
    const page = await browser.openLive("routes/main");
    await shows(page, "section[aria-labelledby=recent]", "main");
    assert.equal(await page.locator(".history").count(), 0);
    await page.getByRole("button", { name: "7 d", exact: true }).click();
    await page.waitForURL(/#\/routes\/main\?period=7d$/);
    await page.locator(".history .chart").nth(3).waitFor();
    assert.equal(await number(page, "Requests"), "3");
    assert.equal(await number(page, "Failed"), "0");
    await shows(page, ".history", "The history is in memory");
    await shows(page, "#history-names-title", "Answers by model");
    await shows(page, ".history .legend", "a/chat");
    const table = page.locator(".history .chart", { hasText: "Answers by model" }).locator("details");
    await table.getByText("As a table").click();
    await table.locator("tbody tr td", { hasText: /^3$/ }).first().waitFor();
    await checkBothSizes(browser, page, "a route's history");
    await page.goBack();
    await page.waitForURL(/#\/routes\/main$/);
    await page.locator(".history").waitFor({ state: "detached" });

    await page.goto(page.url().replace(/#.*/, "#/routes/broken?period=24h"));
    await shows(page, "h1", "broken");
    await page.locator(".history .chart").first().waitFor();
    assert.equal(await number(page, "Failed"), "1 (1 by model)");
    await page.goto(page.url().replace(/#.*/, "#/models/a%2Fchat?period=14d"));
    await shows(page, "#history-names-title", "Answers by route");
    assert.equal(await number(page, "Requests"), "3");
    await checkBothSizes(browser, page, "a model's history");
  },

  async the_key_that_spent_most_today_is_the_first_of_the_keys(browser) {
    await askAs("alice");
    for (let sent = 0; sent < 3; sent++) await askAs("bob");
    const page = await browser.openLive();
    await page.getByRole("link", { name: "Keys", exact: true }).click();
    await shows(page, ".heading", "spending today");
    await page.locator("tbody tr").nth(1).waitFor();
    const first = page.locator("tbody tr").first();
    assert.match(await first.innerText(), /bob[\s\S]*3[\s\S]*75 %/);
    await checkBothSizes(browser, page, "keys");
    for (const [button, period] of [["14 d", "14d"], ["Since the start", "start"], ["7 d", "7d"]]) {
      await page.getByRole("button", { name: button, exact: true }).click();
      await page.waitForURL(`**/#/keys?period=${period}`);
      assert.match(await first.innerText(), /bob/);
    }
    await first.getByRole("link", { name: "bob" }).click();
    await page.waitForURL("**/#/keys/bob?period=7d");
    await page.locator(".history .chart").nth(3).waitFor();
    assert.equal(await number(page, "Requests"), "3");
    await shows(page, "section[aria-label=Routes]", "main");
    await checkBothSizes(browser, page, "a key");
    await page.getByRole("button", { name: "Since the start" }).click();
    await shows(page, ".facts", "Spent since the start");
    await page.getByRole("link", { name: "All keys" }).click();
    await page.waitForURL("**/#/keys?period=start");
  },
};
