// Keys of clients, from their creation to their deletion, with a request after each step.

import assert from "node:assert/strict";

import { api, gateway, isWideEnough, PHONE, shows } from "./browser.mjs";

/** Sends a request with a key, and returns its status. */
async function ask(key) {
  const response = await fetch(`${gateway.clients}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(key ? { authorization: `Bearer ${key}` } : {}) },
    body: JSON.stringify({ model: "main", messages: [{ role: "user", content: "hello" }] }),
  });
  await response.text();
  return response.status;
}

/** Confirms the open dialog. */
async function agree(page, button) {
  await page.getByRole("dialog").getByRole("button", { name: button, exact: true }).click();
}

/** Copies the key that the dialog shows, closes it, and returns the key. */
async function copied(page) {
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Key", { exact: true }).waitFor();
  await page.keyboard.press("Escape");
  assert.ok(await dialog.isVisible(), "a key that is shown once is not lost to a key press");
  await dialog.getByRole("button", { name: "Copy" }).click();
  await shows(page, "dialog [role=status]", "Copied.");
  const key = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(await dialog.getByLabel("Key", { exact: true }).inputValue(), key);
  await dialog.getByRole("button", { name: "Close" }).click();
  await dialog.waitFor({ state: "hidden" });
  // The page forgets the key.
  await page.waitForFunction((secret) => !document.documentElement.outerHTML.includes(secret)
    && ![...document.querySelectorAll("input")].some(({ value }) => value === secret), key);
  return key;
}

export const keys = {
  async a_key_is_created_copied_used_rotated_and_deleted(browser) {
    const page = await browser.openLive("keys");
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    assert.equal(await ask(), 200);
    await page.getByRole("button", { name: "Create key …" }).click();
    await browser.checkAccess(page, "the dialog that creates a key");
    await page.getByLabel("Name", { exact: true }).fill("phone");
    await page.getByLabel("May request").fill("main, chain");
    await page.getByLabel("Expires after").fill("30d");
    await page.getByLabel("Reason").fill("ticket 7");
    await page.getByLabel("Your name").fill("alice");
    await agree(page, "Create");
    await page.getByRole("dialog").getByLabel("Key", { exact: true }).waitFor();
    await browser.checkAccess(page, "the dialog that shows a key");
    const first = await copied(page);
    assert.equal(await ask(), 401);
    assert.equal(await ask(first), 200);
    const [status] = (await api("/admin/keys")).keys;
    assert.deepEqual([status.name, status.routes], ["phone", ["main", "chain"]]);
    await shows(page, ".badge", "active");
    await browser.checkAccess(page, "the keys");
    await page.setViewportSize(PHONE);
    assert.ok(await page.evaluate(isWideEnough), "the keys fit a phone");

    await page.getByRole("button", { name: "Rotate phone" }).click();
    assert.equal(await page.getByLabel("Grace period").inputValue(), "24h");
    await agree(page, "Rotate");
    const second = await copied(page);
    assert.deepEqual([await ask(first), await ask(second)], [200, 200]);

    await page.getByRole("button", { name: "Disable phone" }).click();
    await agree(page, "Disable");
    await shows(page, ".badge", "disabled");
    assert.equal(await ask(second), 401);
    await page.getByRole("button", { name: "Enable phone" }).click();
    await agree(page, "Enable");
    await shows(page, ".badge", "active");
    assert.equal(await ask(second), 200);

    await page.getByRole("link", { name: "phone", exact: true }).first().click();
    await shows(page, "#key-state", "State");
    await page.getByRole("button", { name: "Expiry phone" }).click();
    await page.getByLabel("Expires after").fill("0");
    await agree(page, "Set");
    await shows(page, ".badge", "expired");
    assert.equal(await ask(second), 401);
    await page.getByRole("button", { name: "Delete phone" }).click();
    await shows(page, "dialog", "This cannot be undone");
    await agree(page, "Delete");
    await page.locator("#key-state").waitFor({ state: "detached" });
    assert.deepEqual((await api("/admin/keys")).keys, []);

    // A refusal names the member, and keeps the form.
    browser.expected.push(/422/);
    await page.goto(page.url().replace("/phone", ""));
    await page.getByRole("button", { name: "Create key …" }).click();
    await page.getByLabel("Name", { exact: true }).fill("tablet");
    await page.getByLabel("May request").fill("mian");
    await agree(page, "Create");
    await shows(page, "dialog [role=alert]", "did you mean `main`?");
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();

    await page.getByRole("link", { name: "Overview" }).click();
    await shows(page, "section[aria-labelledby=happened] li", "key phone created");
    await shows(page, "section[aria-labelledby=happened] li", "alice (operator)");
  },

  async keys_cannot_be_changed_with_a_token_for_reading(browser) {
    browser.expected.push(/401/);
    const page = await browser.open("keys");
    await page.getByLabel("Admin token").fill(gateway.token);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.locator(".link-state.live").waitFor();
    const button = page.getByRole("button", { name: "Create key …" });
    await button.waitFor();
    assert.equal(await button.getAttribute("aria-disabled"), "true");
    assert.equal(await button.getAttribute("aria-describedby"), "read-only-note");
    await browser.checkAccess(page, "the keys without the role for changes");
  },
};
