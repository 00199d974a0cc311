// An incident: a model is down, requests fail, and a version of a policy is rejected.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";

import { DESKTOP, PHONE, api, ask, isWideEnough, shows } from "./browser.mjs";

/** Requests that fail, more than the fewest of which a share is judged. */
const FAILING = 24;

async function fail() {
  for (let number = 0; number < FAILING; number++) await ask("broken");
}

async function breakIt() {
  await fail();
  for (let number = 0; number < 3; number++) await ask("main");
  await writeFile(process.env.POINTSMAN_POLICY, "no component");
  await api("/admin/reload", "POST", {});
}

const entry = (page, text) => page.locator(".attention li", { hasText: text });

export const incident = {
  async an_incident_is_described_with_links_to_its_details(browser) {
    const page = await browser.openLive();
    await shows(page, ".link-state", "All well");
    assert.equal(await page.locator(".attention").count(), 0);
    await breakIt();
    await shows(page, ".link-state", "2 urgent");
    await entry(page, /requests failed in the last minute: models \d+ %/).getByText("urgent").waitFor();
    await entry(page, "c/chat is down").waitFor();
    await entry(page, "changing: a new version was rejected, and the one before decides").getByText("warning").waitFor();
    for (const viewport of [DESKTOP, PHONE]) {
      await page.setViewportSize(viewport);
      await page.waitForFunction(isWideEnough);
      await browser.checkAccess(page, `incident, ${viewport.width} px`);
    }
    await page.setViewportSize(DESKTOP);

    await entry(page, "c/chat is down").getByRole("link").click();
    await shows(page, "h1", "c/chat");
    await shows(page, ".objection", "Down since");
    await shows(page, "section[aria-labelledby=recent-errors] li", "c/chat: status 500");
    await page.getByRole("link", { name: "Failed requests" }).click();
    await page.waitForURL(/#\/decisions\?model=c%2Fchat&ending=failed/);
    await page.waitForFunction((failed) => document.querySelectorAll("tbody tr").length === failed, FAILING);

    await page.goto(page.url().replace(/#.*/, "#/"));
    await entry(page, "changing: a new version").getByRole("link").click();
    await shows(page, ".objection", "Rejected");
    // The share is that of the last minute, which the steps above may have taken.
    await fail();
    await page.goto(page.url().replace(/#.*/, "#/"));
    await entry(page, "requests failed").getByRole("link").click();
    await page.waitForURL(/#\/decisions\?ending=failed/);
    await shows(page, "section[aria-labelledby=errors] li", /c\/chat: status 500/);
  },

  async filters_and_times_are_part_of_the_address(browser) {
    const { id } = await ask("main");
    await ask("chain");
    const page = await browser.openLive("decisions?route=main&ending=answered");
    await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 1);
    assert.equal(await page.getByLabel("Route").inputValue(), "main");
    await page.getByLabel("Ending").selectOption("failed");
    await page.waitForURL(/route=main&ending=failed/);
    await shows(page, "h2", "No matching decision");
    await page.goBack();
    await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 1);

    // A time of the future excludes everything; one of the past nothing.
    await page.getByLabel("From").fill("2999-01-01T00:00");
    await page.waitForURL(/since=3\d{13}/);
    await shows(page, "h2", "No matching decision");
    await page.getByRole("link", { name: "Remove the filters" }).click();
    await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 2);

    await page.getByLabel("Decision id").fill(id);
    await page.getByRole("button", { name: "Open" }).click();
    await page.locator(".explained").waitFor();
    assert.ok(page.url().endsWith(`#/decisions/${id}`));
  },

  async figures_lead_to_details_of_routes_models_and_policies(browser) {
    for (let number = 0; number < 3; number++) await ask("main");
    await ask("broken");
    const page = await browser.openLive("routes/main");
    await shows(page, "section[aria-labelledby=answers-by-model] li", "a/chat");
    await page.locator("section[aria-labelledby=answers-by-model]").getByRole("link", { name: "a/chat" }).click();
    await shows(page, "h1", "a/chat");
    await shows(page, "section[aria-labelledby=about]", "no stream yet");
    await page.locator("section[aria-labelledby=chosen-by]").getByRole("link", { name: "changing" }).click();
    await shows(page, "h1", "changing");
    await page.locator("section[aria-labelledby=models-chosen]").getByRole("link", { name: "a/chat" }).waitFor();
    await page.goto(page.url().replace(/#.*/, "#/routes/broken"));
    await page.getByRole("link", { name: "1 (1 by model)" }).click();
    await page.waitForURL(/#\/decisions\?route=broken&ending=failed/);
    await page.goto(page.url().replace(/#.*/, "#/gateway"));
    await shows(page, "section[aria-labelledby=configuration]", "in force");
    for (const [view, title] of [["models/nobody", "There is no such model"], ["keys", "No request with a key today"]]) {
      await page.goto(page.url().replace(/#.*/, `#/${view}`));
      await shows(page, "h2", title);
    }
  },
};
