// live.mjs INFO: people in front of a running server, in Debian's Chromium. INFO is what `grantd dev --json` printed, and `binary` and `data` for
// administration. One line per walk, exit status 1 when something is wrong.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer, request as httpRequest } from "node:http";
import { openBrowser } from "./browser.mjs";

const AXE = await readFile(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const info = JSON.parse(process.argv[2]);
const wanted = process.argv.slice(3);

// The app: another origin, to which the browser goes for real, with forms and redirects under the policy of the page.
const arrivals = [];
const app = createServer((request, response) => {
  arrivals.push(new URL(request.url, "http://localhost"));
  response.setHeader("Content-Type", "text/html");
  response.end("<!doctype html><title>app</title><p id=app>The app");
}).listen(0, "localhost");
await new Promise((resolve) => app.once("listening", resolve));
const BACK = `http://localhost:${app.address().port}/oauth-callback`;
const SIGNED_OUT = `http://localhost:${app.address().port}/signed-out`;

function address(more = {}, path = "/oauth/authorize") {
  const asked = { client_id: info.apps.confidential.client_id, redirect_uri: BACK, scope: info.apps.confidential.scopes.join(" "),
    optional_scope: "crm.objects.companies.read crm.objects.companies.write", state: "st", ...more };
  return `${info.issuer}${path}?${new URLSearchParams(asked)}`;
}

const complaints = [];
async function open(browser, options = {}) {
  const context = await browser.newContext(options);
  context.on("page", (page) => page.on("console", (message) => {
    // the status of a page that says no is none of the page's faults
    if (message.type() === "error" && !/status of (400|403|404|429)/.test(message.text())) complaints.push(message.text());
  }));
  return context;
}

async function look(page) {
  for (const [width, colorScheme] of [[1280, "light"], [1280, "dark"], [360, "light"], [360, "dark"]]) {
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.evaluate(AXE);
    const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    assert.deepEqual(result.violations.map((rule) => `${rule.id}: ${rule.nodes.map((node) => node.target.join(" "))}`), [], `${page.url()} ${width} ${colorScheme}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(wide, false, `${page.url()} is wider than ${width}`);
  }
}

const button = (page, value) => page.locator(`button[name=action][value=${value}]`);
async function signIn(page, password = info.user.password) {
  await page.fill("#email", info.user.email);
  await page.fill("#password", password);
  await button(page, "sign_in").click();
}
async function choose(page, hubId = info.account.hub_id) {
  await page.locator(`button[name=hub_id][value="${hubId}"]`).click();
}
async function arrived(page) {
  await page.waitForSelector("#app");
  return new URL(page.url()).searchParams;
}
async function toConsent(page, more) {
  await page.goto(address(more));
  await signIn(page);
  await choose(page);
  await button(page, "allow").waitFor();
}

const walks = {};
for (const locale of ["en", "de", "fr"]) {
  walks[`whole way, ${locale}`] = async (browser) => {
    const page = await (await open(browser, { locale })).newPage();
    await page.goto(address());
    assert.equal(await page.getAttribute("html", "lang"), locale);
    await look(page);
    await signIn(page, "wrong");
    await page.locator("[role=alert]").waitFor();
    await look(page);
    await signIn(page);
    await look(page);
    await choose(page);
    await button(page, "allow").waitFor();
    assert.equal(await page.getAttribute("html", "lang"), locale);
    await look(page);
    await page.locator("input[value='crm.objects.companies.write']").uncheck();
    await button(page, "allow").click();
    const got = await arrived(page);
    assert.ok(got.get("code") && got.get("state") === "st" && got.get("iss") === info.issuer);
    await redeem(got.get("code"), [...info.apps.confidential.scopes, "crm.objects.companies.read"]);
    await page.goto(`${info.issuer}/oauth/connected-apps`);
    await look(page);
    await page.locator("a.danger").first().click();
    await look(page);
    await button(page, "revoke").click();
    await page.locator("[role=status]").waitFor();
    await look(page);
    await page.goto(`${info.issuer}/oauth/sign-out`);
    await look(page);
    await button(page, "sign_out").click();
    await look(page);
    await page.goto(address({ client_id: "nobody" }));
    await look(page);
  };
}

async function redeem(code, scopes) {
  const { client_id, client_secret } = info.apps.confidential;
  const form = { grant_type: "authorization_code", code, redirect_uri: BACK, client_id, client_secret };
  const answer = await fetch(`${info.issuer}/oauth/v3/token`, { method: "POST", body: new URLSearchParams(form) });
  const tokens = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(tokens));
  if (scopes) assert.deepEqual(tokens.scopes.toSorted(), scopes.toSorted());
  return tokens;
}

walks["the switch of languages"] = async (browser) => {
  const page = await (await open(browser, { locale: "en" })).newPage();
  await page.goto(address());
  await page.locator("footer a[lang=de]").click();
  assert.equal(await page.getAttribute("html", "lang"), "de");
  await signIn(page);
  assert.equal(await page.getAttribute("html", "lang"), "de");
};

walks["cancel on every page"] = async (browser) => {
  const page = await (await open(browser)).newPage();
  const steps = [async () => {}, signIn, async () => choose(page)];
  for (let n = 0; n < steps.length; n++) {
    await page.context().clearCookies();
    await page.goto(address());
    for (const step of steps.slice(0, n + 1)) await step(page);
    await button(page, "cancel").click();
    const got = await arrived(page);
    assert.ok(got.get("error") === "access_denied" && got.get("state") === "st" && got.get("iss"));
  }
};

walks["two tabs at once"] = async (browser) => {
  const context = await open(browser);
  const one = await context.newPage();
  await one.goto(address({ state: "one" }));
  const two = await context.newPage();
  await two.goto(address({ state: "two" }));
  await signIn(one);
  await choose(one);
  await signIn(two);
  await choose(two);
  await button(two, "allow").click();
  assert.equal((await arrived(two)).get("state"), "two");
  // signing in again has ended the session of the first tab's page: it is shown once more
  await button(one, "allow").click();
  await button(one, "allow").waitFor();
  await button(one, "allow").click();
  assert.equal((await arrived(one)).get("state"), "one");
};

walks["the back button"] = async (browser) => {
  const page = await (await open(browser)).newPage();
  await toConsent(page);
  await button(page, "allow").click();
  const tokens = await redeem((await arrived(page)).get("code"));
  await page.goBack();
  await button(page, "allow").waitFor();
  await button(page, "allow").click();
  await page.waitForLoadState();
  if (await page.locator("#app").count() === 0) await button(page, "allow").click(); // asked once more
  await redeem((await arrived(page)).get("code"));
  const answer = await fetch(`${info.issuer}/oauth/v3/token/introspect`, { method: "POST", body: new URLSearchParams({
    client_id: info.apps.confidential.client_id, client_secret: info.apps.confidential.client_secret, token: tokens.access_token }) });
  assert.equal((await answer.json()).active, true, "going back has harmed what was installed");
  await page.goto(address());
  await page.goBack();
};

walks["a double click"] = async (browser) => {
  const page = await (await open(browser)).newPage();
  await toConsent(page);
  arrivals.length = 0;
  await button(page, "allow").dblclick();
  await redeem((await arrived(page)).get("code"));
};

walks["the session ends while a page is open"] = async (browser) => {
  const context = await open(browser);
  const page = await context.newPage();
  await toConsent(page);
  const other = await context.newPage();
  await other.goto(`${info.issuer}/oauth/sign-out`);
  await button(other, "sign_out").click();
  await button(page, "allow").click();
  await page.locator("#password").waitFor();
  await signIn(page);
  await button(page, "allow").click();
  assert.ok((await arrived(page)).get("code"));
};

// With nothing but the keyboard.
async function reach(page, selector) {
  for (let i = 0; i < 60; i++) {
    if (await page.evaluate((s) => document.activeElement.matches(s), selector)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`the keyboard does not reach ${selector}`);
}
async function press(page, selector) {
  await reach(page, selector);
  await page.keyboard.press("Enter");
}
async function typeSignIn(page, { email, password } = info.user) {
  await reach(page, "#email");
  await page.keyboard.type(email);
  await page.keyboard.press("Tab");
  await reach(page, "#password");
  await page.keyboard.type(password);
  await page.keyboard.press("Enter");
}

walks["keyboard only"] = async (browser) => {
  const page = await (await open(browser)).newPage();
  await page.goto(address());
  await typeSignIn(page);
  await page.locator("button[name=hub_id]").first().waitFor();
  await press(page, `button[name=hub_id][value="${info.account.hub_id}"]`);
  await button(page, "allow").waitFor();
  await reach(page, "input[value='crm.objects.companies.read']");
  await page.keyboard.press("Space");
  await press(page, "button[value=allow]");
  await redeem((await arrived(page)).get("code"), [...info.apps.confidential.scopes, "crm.objects.companies.write"]);
};

// A person with more accounts than a page shows: by pages, by a search with the Enter key, and back; nothing but the keyboard, and no script.
const admin = (method, path, body) => new Promise((resolve, reject) => {
  const headers = { "Content-Type": "application/json" };
  httpRequest({ socketPath: info.admin.slice("unix:".length), method, path: `/admin/v1${path}`, headers, agent: false }, async (answer) => {
    let text = "";
    for await (const part of answer) text += part;
    return answer.statusCode < 300 ? resolve(text && JSON.parse(text)) : reject(new Error(text));
  }).on("error", reject).end(JSON.stringify(body));
});
const BRANCHES = 60;
const manager = { email: "many@example.com", password: "a long enough password" };
let branches;
async function makeBranches() {
  const made = [];
  const { user_id } = await admin("POST", "/users", { ...manager, name: "Many" });
  for (let n = 0; n < BRANCHES; n++) {
    const { hub_id } = await admin("POST", "/accounts", { name: `Branch ${n}`, domain: `b${n}.example` });
    await admin("PUT", `/accounts/${hub_id}/members/${user_id}`, { role: "installer" });
    made.push(hub_id);
  }
  return made;
}
for (const locale of ["en", "de", "fr"]) {
  walks[`one account of many, ${locale}`] = async (browser) => {
    branches ??= await makeBranches();
    const page = await (await open(browser, { locale, javaScriptEnabled: false })).newPage();
    await page.goto(address());
    await typeSignIn(page, manager);
    await page.locator("#find").waitFor();
    await press(page, "a[rel=next]");
    await page.locator("a[rel=prev]").waitFor();
    await press(page, "footer a[lang=en], footer a[lang=de]"); // the page stays the second one in another language
    await page.locator("a[rel=prev]").waitFor();
    await page.locator(`footer a[lang=${locale}]`).click();
    await reach(page, "#find");
    await page.keyboard.type("nothing like that");
    await page.keyboard.press("Enter");
    await page.locator("[role=status]").waitFor();
    assert.equal(await page.getAttribute("html", "lang"), locale);
    await press(page, "main p a"); // all of them
    await page.locator("a[rel=next]").waitFor();
    await reach(page, "#find");
    await page.keyboard.type("branch 42");
    await page.keyboard.press("Enter");
    await page.locator("a[rel=next]").waitFor({ state: "detached" });
    assert.equal(await page.locator("button[name=hub_id]").count(), 1);
    await press(page, `button[name=hub_id][value="${branches[42]}"]`);
    await button(page, "allow").waitFor();
    assert.match(await page.innerText("main"), /Branch 42/);
    await page.goBack();
    assert.equal(await page.inputValue("#find"), "branch 42");
  };
}

// RP-initiated logout.
const confidential = info.apps.confidential.client_id;
const logout = (asked = {}) => `${info.issuer}/oauth/logout?${new URLSearchParams(asked)}`;
async function isSignedIn(page) {
  await page.goto(`${info.issuer}/oauth/connected-apps`);
  return (await page.locator("#password").count()) === 0;
}
let appName;
function register(...uris) {
  const words = ["app", "update", confidential, ...uris.flatMap((uri) => ["--post-logout-redirect-uri", uri]), "--data", info.data, "--json"];
  appName = JSON.parse(execFileSync(info.binary, words, { stdio: ["ignore", "pipe", "inherit"] })).name;
}

for (const locale of ["en", "de", "fr"]) {
  walks[`signing out for an app, by keys, ${locale}`] = async (browser) => {
    register(SIGNED_OUT);
    const page = await (await open(browser, { locale, viewport: { width: 360, height: 740 }, colorScheme: "dark" })).newPage();
    const asks = async (names) => {
      await button(page, "sign_out").waitFor();
      assert.equal(await page.getAttribute("html", "lang"), locale);
      assert.equal((await page.innerText("main")).includes(appName), names);
      await look(page);
    };
    await page.goto(`${info.issuer}/oauth/sign-in`);
    await typeSignIn(page);
    await page.waitForURL("**/oauth/connected-apps");
    // a link that anybody could have made: the person is asked, and may stay
    await page.goto(logout());
    await asks(false);
    await press(page, "button[value=cancel]");
    await page.waitForURL("**/oauth/connected-apps");
    // for an app, and back to it: the policy of the page must let the form go there
    await page.goto(logout({ client_id: confidential, post_logout_redirect_uri: SIGNED_OUT, state: "st" }));
    await asks(true);
    await press(page, "button[value=sign_out]");
    assert.equal((await arrived(page)).get("state"), "st");
    assert.equal(page.url(), `${SIGNED_OUT}?state=st`);
    // back: pages are not kept, and now nobody is signed in, so there is nothing to ask
    await page.goBack();
    await arrived(page);
    assert.equal(await isSignedIn(page), false);
    // for an app that wants nobody back
    await typeSignIn(page);
    await page.waitForURL("**/oauth/connected-apps");
    await page.goto(logout({ client_id: confidential }));
    await asks(true);
    await press(page, "button[value=sign_out]");
    await page.waitForURL("**/oauth/sign-out");
    assert.equal(await page.getAttribute("html", "lang"), locale);
    await look(page);
    await press(page, "main a[href$='/oauth/sign-in']");
    await page.locator("#password").waitFor();
  };
}

walks["signing out for an app that shows an ID token"] = async (browser) => {
  register(SIGNED_OUT);
  const page = await (await open(browser)).newPage();
  await toConsent(page, { scope: "openid", optional_scope: "", response_type: "code" });
  await button(page, "allow").click();
  const { id_token } = await redeem((await arrived(page)).get("code"));
  await page.goto(logout({ id_token_hint: id_token, post_logout_redirect_uri: `${SIGNED_OUT}/elsewhere` }));
  assert.match(await page.innerText("main"), /BAD_REDIRECT_URI/);
  await look(page);
  assert.equal(await isSignedIn(page), true);
  await page.goto(logout({ id_token_hint: id_token, post_logout_redirect_uri: SIGNED_OUT, state: "st" }));
  assert.equal((await arrived(page)).get("state"), "st");
  assert.equal(await isSignedIn(page), false);
  // in another browser nobody has signed in: no question
  const other = await (await open(browser)).newPage();
  await other.goto(logout({ id_token_hint: id_token, post_logout_redirect_uri: SIGNED_OUT }));
  await arrived(other);
};

walks["without JavaScript, on a phone, dark"] = async (browser) => {
  const page = await (await open(browser, { javaScriptEnabled: false, viewport: { width: 360, height: 740 }, colorScheme: "dark", hasTouch: true })).newPage();
  await toConsent(page);
  await button(page, "allow").tap();
  await redeem((await arrived(page)).get("code"));
};

const browser = await openBrowser();
let wrong = 0;
for (const [name, walk] of Object.entries(walks)) {
  if (wanted.length && !wanted.some((word) => name.includes(word))) continue;
  try {
    await walk(browser);
    assert.deepEqual(complaints, [], "the browser complains");
    console.log(`ok ${name}`);
  } catch (error) {
    wrong++;
    console.log(`WRONG ${name}\n${error.stack}`);
  }
  complaints.length = 0;
  for (const context of browser.contexts()) await context.close();
}
await browser.close();
app.close();
app.closeAllConnections();
process.exit(wrong ? 1 : 0);
