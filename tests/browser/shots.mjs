// shots.mjs SAMPLES OUT [NAME...]: pictures of sample pages: NAME is page-state.lang, all of them by default; each light and dark, wide and narrow.
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { openBrowser, openPage, ORIGIN } from "./browser.mjs";

const [samples, out, ...wanted] = process.argv.slice(2);
const names = wanted.length ? wanted : (await readdir(samples)).filter((name) => name.endsWith(".html")).map((name) => name.slice(0, -5));
await mkdir(out, { recursive: true });
const browser = await openBrowser();
const page = await openPage(browser, samples, { deviceScaleFactor: 1, reducedMotion: "reduce" });
for (const name of names) {
  await page.goto(`${ORIGIN}/${name}.html`);
  for (const width of [1280, 360]) {
    await page.setViewportSize({ width, height: width === 360 ? 740 : 800 });
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(out, `${name}.${width}.${colorScheme}.png`), fullPage: true });
    }
  }
}
await browser.close();
