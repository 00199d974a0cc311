// Use by keyboard, and updates that do not disturb.

import assert from "node:assert/strict";

import { ask, shows } from "./browser.mjs";

const focused = (page) => page.evaluate(() => {
  const { activeElement: at } = document;
  return at.getAttribute("aria-label") ?? at.textContent.trim();
});

/** Presses Tab until the element with this name has the focus. */
async function tabTo(page, name, most = 60) {
  for (let pressed = 0; pressed < most; pressed++) {
    await page.keyboard.press("Tab");
    if ((await focused(page)).includes(name)) return;
  }
  assert.fail(`no way to ${name} by ${most} tabs`);
}

export const attention = {
  async every_control_can_be_reached_by_keyboard(browser) {
    await ask("main");
    const page = await browser.openLive();
    await page.keyboard.press("Tab");
    assert.equal(await focused(page), "Skip to the content");
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(outline, "none", "the focus can be seen");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    await tabTo(page, "1 h");
    await page.keyboard.press("Enter");
    await page.locator("button[aria-pressed=true]", { hasText: "1 h" }).waitFor();
    await shows(page, ".figure", "1 in the last hour");

    // Each mark of a chart is one stop, with a description of its event.
    await page.locator(".mark").first().waitFor();
    await tabTo(page, "loaded");
    await shows(page, ".tip", "loaded");
    await page.keyboard.press("Escape");
    await page.locator(".tip").waitFor({ state: "detached" });

    await page.goto(`${page.url().split("#")[0]}#/models`);
    await page.waitForFunction(() => document.activeElement.textContent === "Models");
    await tabTo(page, "$/M tokens");
    await page.keyboard.press("Enter");
    await page.locator("th[aria-sort=descending]", { hasText: "$/M tokens" }).waitFor();
    assert.match(await page.locator("tbody tr").first().innerText(), /b\/chat/, "the dearest comes first");
    await page.keyboard.press("Enter");
    await page.locator("th[aria-sort=ascending]", { hasText: "$/M tokens" }).waitFor();
    assert.match(await page.locator("tbody tr").first().innerText(), /a\/chat/);
  },

  async a_dialog_takes_the_focus_and_returns_it(browser) {
    const page = await browser.openLive("policies");
    await tabTo(page, "Reload …");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), "operator");
    await browser.checkAccess(page, "the dialog");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal(await focused(page), "Reload …");
  },

  async an_update_keeps_the_focus_and_the_selection(browser) {
    await ask("main");
    const page = await browser.openLive("policies");
    await page.getByRole("button", { name: "Pin changing", exact: true }).focus();
    await page.evaluate(() => getSelection().selectAllChildren(document.querySelector(".panel h2")));
    const selected = await page.evaluate(() => getSelection().toString());
    await ask("main");
    await shows(page, "section[aria-labelledby=policy-changing]", "2, by all versions");
    assert.equal(await focused(page), "Pin changing");
    assert.equal(await page.evaluate(() => getSelection().toString()), selected);
  },
};
