// Takes screenshots of the live page.
//
// Arguments: the directory of the packages, and that of the screenshots.

import { join } from "node:path";

import { Browser, DESKTOP, PHONE, api } from "./page/browser.mjs";

const [modules, folder] = process.argv.slice(2);
/** Baseline model of the demo's routes. */
const LARGEST = "fleet/llama-70b";
const WIDE = { width: 1280, height: 1000 };

const decisions = await api("/admin/decisions?limit=200");
const plans = await api("/admin/plans?limit=100");
const decision = decisions.find(({ route, model }) => route === "task" && model && model !== LARGEST);
const plan = plans.sort((a, b) => b.tasks - a.tasks)[0];
const pictures = [
  ["page-overview", "", { viewport: WIDE }, ".mark"],
  ["page-overview-dark", "", { viewport: WIDE, colorScheme: "dark" }, ".mark"],
  ["page-decision", `decisions/${decision.id}`, { viewport: WIDE }, ".explained"],
  ["page-plan", `plans/${plan.id}`, { viewport: DESKTOP }, ".gantt"],
  ["page-trade-off", "trade-off", { viewport: DESKTOP }, "tbody tr"],
  ["page-model", `models/${encodeURIComponent(LARGEST)}`, { viewport: DESKTOP }, "section[aria-labelledby=recent] li"],
  ["page-phone", "", { viewport: PHONE }, ".mark"],
];

const browser = await Browser.start(modules);
for (const [name, view, options, there] of pictures) {
  const page = await browser.openLive(view, options);
  await page.locator(there).first().waitFor();
  await page.screenshot({ path: join(folder, `${name}.png`) });
  await page.context().close();
}
browser.checkItBehaved();
await browser.close();
