// Operates the live page in a real browser.
//
// Arguments: the directory of the packages, and the scenario. The environment has the addresses of
// the gateway and the path of the browser.

import { attention } from "./page/attention.mjs";
import { Browser } from "./page/browser.mjs";
import { connection } from "./page/connection.mjs";
import { everyView } from "./page/every_view.mjs";
import { history } from "./page/history.mjs";
import { incident } from "./page/incident.mjs";
import { keys } from "./page/keys.mjs";
import { operating } from "./page/operating.mjs";
import { traffic } from "./page/traffic.mjs";
import { words } from "./page/words.mjs";

const SCENARIOS = { ...attention, ...connection, ...everyView, ...history, ...incident, ...keys, ...operating, ...traffic, ...words };

const [modules, scenario] = process.argv.slice(2);
const browser = await Browser.start(modules);
try {
  await SCENARIOS[scenario](browser);
  browser.checkItBehaved();
} finally {
  await browser.close();
}
console.log("all is well");
