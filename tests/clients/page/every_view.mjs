// Each view, light and dark, on a desk and on a phone.

import assert from "node:assert/strict";

import { DESKTOP, PHONE, api, ask, isWideEnough } from "./browser.mjs";

/** The views, with something to see in each, and what is there once they are drawn. */
async function views() {
  const { id } = await ask("main");
  await ask("broken");
  const plan = await ask("chain");
  await api("/admin/routes/main/trial", "PUT", { policy: "other", mode: "shadow" });
  return [
    ["", ".mark"], ["models", "tbody tr"], ["models/a%2Fchat", "section[aria-labelledby=about]"], ["routes/main", "section[aria-labelledby=recent]"], ["routes/main?period=7d", ".history .chart"], ["models/a%2Fchat?period=24h", ".history .chart"], ["gateway", ".facts"], ["keys", ".nothing"], ["routes", ".compare"], ["policies", ".version-box"], ["policies/sequential", "#description-sequential"], ["decisions", "tbody tr"],
    [`decisions/${id}`, ".explained"], [`decisions/${plan.id}`, ".gantt"], ["plans", "tbody tr"], [`plans/${plan.id}`, ".gantt"],
    ["trade-off", "tbody tr"], [`playground/${id}`, "textarea"], ["nowhere", ".nothing"],
  ];
}

async function check(browser, colorScheme) {
  for (const [view, there] of await views()) {
    const page = await browser.openLive(view, { colorScheme });
    await page.locator(there).first().waitFor();
    for (const viewport of [DESKTOP, PHONE]) {
      const what = `${view || "overview"}, ${colorScheme}, ${viewport.width} px`;
      await page.setViewportSize(viewport);
      // Charts follow the window's width a moment later.
      await page.waitForFunction(isWideEnough).catch(() => assert.fail(`${what} scrolls sideways`));
      await browser.checkAccess(page, what);
    }
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const isLight = ground.match(/\d+/g).reduce((sum, part) => sum + Number(part), 0) > 380;
    assert.equal(isLight, colorScheme === "light", `${view} is ${ground}`);
    await page.context().close();
  }
}

export const everyView = {
  every_view_is_accessible_in_light: (browser) => check(browser, "light"),
  every_view_is_accessible_in_dark: (browser) => check(browser, "dark"),
};
