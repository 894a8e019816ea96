// Debian's Chromium, showing the files of a directory as a site without a server behind it.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

export const ORIGIN = "http://pages.localhost";
const TYPES = { html: "text/html; charset=utf-8", css: "text/css; charset=utf-8" };
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

// What the server sends with a page (src/pages/page_asset.c); a page must look right under it.
const POLICY = "default-src 'none'; style-src 'self'; img-src 'self' https: data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

export async function openBrowser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
}

// A page whose every request is answered from `directory`; anything else fails and is kept in `page.foreign`.
export async function openPage(browser, directory, options = {}) {
  const context = await browser.newContext({ bypassCSP: false, ...options });
  const page = await context.newPage();
  page.foreign = [];
  page.on("console", (message) => message.type() === "error" && page.foreign.push(message.text()));
  await page.route("**/*", async (route) => {
    const url = new URL(route.request().url());
    const name = url.pathname.slice(1);
    if (url.origin !== ORIGIN || !/^[\w.-]+$/.test(name)) {
      page.foreign.push(url.href);
      return route.abort();
    }
    const headers = { "Content-Type": TYPES[name.split(".").pop()] ?? "text/plain", "Content-Security-Policy": POLICY };
    return route.fulfill({ body: await readFile(join(directory, name)), headers });
  });
  return page;
}
