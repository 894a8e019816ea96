// check.mjs SAMPLES [NAME...]: every sample page, light and dark, wide and narrow: axe-core finds nothing, nothing overflows, every stop of the
// keyboard shows where it is, nothing is loaded from elsewhere, and an error takes the focus. One line per page, exit status 1 when something is wrong.
import { readdir, readFile } from "node:fs/promises";
import { openBrowser, openPage, ORIGIN } from "./browser.mjs";

const AXE = await readFile(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const SCHEMES = ["light", "dark"];
const WIDTHS = [1280, 360, 320]; // 320 px is what is left of 1280 at 400 % (WCAG 1.4.10)

// All rules, also those for WCAG 2.2's target size and best practices; only what would need a person's eye is taken apart below.
async function axeFindings(page) {
  const result = await page.evaluate(() => window.axe.run(document, { rules: { "target-size": { enabled: true } }, resultTypes: ["violations", "incomplete"] }));
  const line = (kind) => (rule) => `${kind} ${rule.id}: ${rule.nodes.map((node) => node.target.join(" ")).join(", ")}`;
  return [...result.violations.map(line("axe")), ...result.incomplete.map(line("axe cannot tell"))];
}

async function overflow(page, width) {
  const wide = await page.evaluate(() => [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5 && !element.closest(".hidden"))
    .map((element) => element.className || element.tagName));
  return wide.length ? [`wider than ${width} px: ${wide.slice(0, 3).join(", ")}`] : [];
}

// Walks with Tab through the page; what has the focus must have an outline, and must lie on the screen.
async function keyboard(page) {
  const stops = await page.evaluate(() => document.querySelectorAll("a[href], button, input:not([type=hidden]), summary").length);
  const found = [];
  const seen = new Set();
  await page.evaluate(() => { document.activeElement.blur(); getSelection().removeAllRanges(); });
  for (let i = 0; i < stops + 2; i++) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === document.body) return null;
      const style = getComputedStyle(element);
      const box = element.getBoundingClientRect();
      element.dataset.stop ??= String(document.querySelectorAll("[data-stop]").length);
      const visible = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.top > -1 && box.bottom < innerHeight + 1; // a browser scrolls by whole pixels
      return { number: element.dataset.stop, name: element.textContent.trim() || element.name, visible };
    });
    if (!stop) continue;
    seen.add(stop.number);
    if (!stop.visible) found.push(`focus does not show on ${stop.name}`);
  }
  return seen.size >= stops ? found : [...found, `the keyboard reaches ${seen.size} of ${stops}`];
}

async function errorFocus(page) {
  // A browser gives the focus some time after "load"; on a busy machine that can be seen.
  const focused = () => document.activeElement === document.querySelector("[role=alert]");
  if (await page.$("[role=alert]")) await page.waitForFunction(focused, null, { timeout: 5000 }).catch(() => {});
  return page.evaluate(() => {
    const alert = document.querySelector("[role=alert]");
    if (!alert) return [];
    const broken = [...alert.querySelectorAll("a")].filter((link) => !document.querySelector(link.getAttribute("href"))?.matches("input"));
    return [...(document.activeElement === alert ? [] : ["the error has not the focus"]), ...broken.map((link) => `${link.textContent} leads to no field`)];
  });
}

async function checkPage(page, name) {
  page.foreign.length = 0;
  await page.goto(`${ORIGIN}/${name}.html`);
  const found = await errorFocus(page);
  await page.evaluate(AXE);
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 800 });
    found.push(...(await overflow(page, width)));
    for (const colorScheme of width === 320 ? [] : SCHEMES) {
      await page.emulateMedia({ colorScheme });
      found.push(...(await axeFindings(page)).map((text) => `${width} ${colorScheme} ${text}`));
    }
  }
  found.push(...(await keyboard(page)), ...page.foreign.map((text) => `loads or complains: ${text}`));
  return [...new Set(found)];
}

const [samples, ...wanted] = process.argv.slice(2);
const names = wanted.length ? wanted : (await readdir(samples)).filter((name) => name.endsWith(".html")).map((name) => name.slice(0, -5));
const browser = await openBrowser();
const page = await openPage(browser, samples, { reducedMotion: "reduce" });
let wrong = 0;
for (const name of names.sort()) {
  const found = await checkPage(page, name);
  wrong += found.length;
  console.log(`${found.length ? "WRONG" : "ok"} ${name}`);
  for (const text of found) console.log(`  ${text}`);
}
await browser.close();
console.log(`${names.length} pages, ${wrong} findings`);
process.exit(names.length > 0 && wrong === 0 ? 0 : 1);
