// A browser, with checks of its console, of its requests and of accessibility.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Time limit of each action in milliseconds, with room for a busy machine. */
const PATIENCE = 30_000;
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 375, height: 812 };

/** Addresses and token of the gateway. */
export const gateway = { admin: process.env.POINTSMAN_ADMIN, clients: process.env.POINTSMAN_CLIENTS, token: process.env.POINTSMAN_TOKEN };

export class Browser {
  #chromium;
  #complaints = [];
  #axe;
  /** Messages of the console that a test expects. */
  expected = [];

  /** Starts the browser with a new profile. */
  static async start(modules) {
    const require = createRequire(join(modules, "here.js"));
    const { chromium } = require("playwright-core");
    const browser = new Browser();
    browser.#chromium = await chromium.launch({ executablePath: process.env.POINTSMAN_TEST_CHROMIUM, args: FLAGS });
    browser.#axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");
    return browser;
  }

  /** Opens the page at a view in a new profile. */
  async open(view = "", { at = gateway.admin, viewport = DESKTOP, colorScheme = "light" } = {}) {
    const context = await this.#chromium.newContext({ viewport, colorScheme, reducedMotion: "reduce" });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    const origin = new URL(at).origin;
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.#complain(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.#complain(`error: ${error.stack}`));
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== origin) this.#complain(`asked elsewhere: ${request.url()}`);
    });
    await page.goto(`${at}/#/${view}`);
    return page;
  }

  /** Opens the page, and waits until it is live. */
  async openLive(view, options) {
    const page = await this.open(view, options);
    await page.locator(".link-state.live").waitFor();
    await page.locator("main h1").waitFor();
    return page;
  }

  /** Fails on violations of the accessibility rules. */
  async checkAccess(page, what) {
    await page.evaluate(this.#axe);
    const { violations } = await page.evaluate(() => window.axe.run(document, {
      runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] },
    }));
    const found = violations.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.slice(0, 3).map(({ html, failureSummary }) => `${html}\n  ${failureSummary}`).join("\n  ")}`);
    assert.equal(found.length, 0, `${what}:\n${found.join("\n")}`);
  }

  #complain(text) {
    if (!this.expected.some((pattern) => pattern.test(text))) this.#complaints.push(text);
  }

  /** Fails if a page had errors, or sent a request to another origin. */
  checkItBehaved() {
    assert.deepEqual(this.#complaints, []);
  }

  close() {
    return this.#chromium.close();
  }
}

/** Sends a chat request to a route. */
export async function ask(model, text = "hello") {
  const response = await fetch(`${gateway.clients}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model, messages: [{ role: "user", content: text }] }),
  });
  await response.text();
  return { status: response.status, id: response.headers.get("x-pointsman-decision-id") };
}

/** What the admin API says. */
export async function api(path, method = "GET", body) {
  const headers = gateway.token ? { authorization: `Bearer ${gateway.token}` } : {};
  const response = await fetch(gateway.admin + path, { method, headers, body: body && JSON.stringify(body) });
  return response.json();
}

/** Waits until the page has an element with this text. */
export const shows = (page, selector, text) => page.locator(selector, { hasText: text }).first().waitFor();

/** Whether the page fits its window; asked in the page. */
export const isWideEnough = () => document.documentElement.scrollWidth <= document.documentElement.clientWidth;
