// The token, and a gateway that becomes unavailable and returns.

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";

import { ask, gateway, shows } from "./browser.mjs";

/** Proxy to the admin listener that can be cut. */
class Proxy {
  #server = net.createServer((inside) => this.#join(inside));
  #open = new Set();
  #port = 0;

  async open() {
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = this.#server.address().port;
    return `http://127.0.0.1:${this.#port}`;
  }

  async cut() {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    await closed;
  }

  #join(inside) {
    const outside = net.connect(new URL(gateway.admin).port, "127.0.0.1");
    for (const [from, to] of [[inside, outside], [outside, inside]]) {
      this.#open.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => { this.#open.delete(from); to.destroy(); });
      from.pipe(to);
    }
  }
}

export const connection = {
  async the_token_is_requested_once_and_stored_in_the_tab(browser) {
    browser.expected.push(/401/);
    const page = await browser.open();
    await page.getByRole("heading", { name: "This gateway requires its admin token" }).waitFor();
    await browser.checkAccess(page, "the form for the token");
    await page.getByLabel("Admin token").fill("wrong");
    await page.getByRole("button", { name: "Continue" }).click();
    await shows(page, "[role=alert]", "rejected that token");
    await page.getByLabel("Admin token").fill(gateway.token);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.locator(".link-state.live").waitFor();
    await ask("main");
    await shows(page, ".figure", "1 in the last 5 minutes");

    await page.reload();
    await page.locator(".link-state.live").waitFor();
    const kept = await page.evaluate(() => [JSON.stringify({ ...localStorage }), document.cookie, location.href].join());
    assert.ok(!kept.includes(gateway.token), "the token is in this tab only");
    const other = await page.context().newPage();
    await other.goto(gateway.admin);
    await other.getByRole("heading", { name: "This gateway requires its admin token" }).waitFor();
  },

  async operations_are_disabled_with_the_reason_for_a_token_for_reading(browser) {
    browser.expected.push(/401/);
    const page = await browser.open();
    await page.getByLabel("Admin token").fill(gateway.token);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.locator(".link-state.live").waitFor();
    await shows(page, "#banner", "Read-only access. Operations and the playground need the operators’ token.");
    await page.goto(`${gateway.admin}/#/policies`);
    for (const name of ["Reload …", "Pin changing"]) {
      const button = page.getByRole("button", { name });
      assert.equal(await button.getAttribute("aria-disabled"), "true", name);
      assert.equal(await button.getAttribute("aria-describedby"), "read-only-note", name);
      await button.click({ force: true });
      assert.equal(await page.locator("dialog[open]").count(), 0, name);
    }
    await browser.checkAccess(page, "policies without the role for operations");
    await page.goto(`${gateway.admin}/#/playground`);
    assert.equal(await page.getByRole("button", { name: "Run" }).getAttribute("aria-disabled"), "true");
    await page.getByRole("button", { name: "Use another token" }).click();
    await page.getByRole("heading", { name: "This gateway requires its admin token" }).waitFor();
  },

  async an_unavailable_gateway_is_reported_until_it_returns(browser) {
    browser.expected.push(/Failed to load resource|ERR_/);
    const proxy = new Proxy();
    const page = await browser.openLive("", { at: await proxy.open() });
    await ask("main");
    await shows(page, ".figure", "1 in the last 5 minutes");
    await proxy.cut();
    await shows(page, "#banner", "Disconnected since");
    await shows(page, ".link-state", "Disconnected");
    await shows(page, ".figure", "1 in the last 5 minutes");
    await browser.checkAccess(page, "disconnected");

    await ask("main");
    await proxy.open();
    await page.locator(".link-state.live").waitFor();
    await page.locator("#banner p").waitFor({ state: "detached" });
    await shows(page, ".figure", "2 in the last 5 minutes");
    await page.context().close();
    await proxy.cut();
  },
};
