// Looks at pages in a real Chromium, as people do: in light and dark, on a phone, by keyboard, without scripts. Reads what to look at as JSON
// from standard input and prints every complaint as a line of a JSON list; pictures go into a folder.
"use strict";
const { createRequire } = require("node:module");
const fs = require("node:fs");
const there = createRequire(process.env.MODULES + "/");
const puppeteer = there("puppeteer-core");
const axe = fs.readFileSync(there.resolve("axe-core/axe.min.js"), "utf8");

const MODES = {
  light: { width: 1280, height: 900, scheme: "light" },
  dark: { width: 1280, height: 900, scheme: "dark" },
  phone: { width: 360, height: 740, scheme: "light", mobile: true },
  "phone-dark": { width: 360, height: 740, scheme: "dark", mobile: true },
};
// What is scrolled by keyboard has a role, too: axe holds that only where it is asked to.
const ALL = { resultTypes: ["violations"], rules: { "focus-order-semantics": { enabled: true } } };
const wanted = JSON.parse(fs.readFileSync(0, "utf8"));
const complaints = [];

async function opened(browser, mode, scripts) {
  const { width, height, scheme, mobile } = MODES[mode];
  const page = await browser.newPage();
  await page.setJavaScriptEnabled(scripts);
  await page.setViewport({ width, height, isMobile: !!mobile, hasTouch: !!mobile, deviceScaleFactor: 1 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  return page;
}

// What a page says of itself while it is looked at: errors, and what its own policy kept it from.
function listen(page, name, asked) {
  page.on("console", (said) => {
    if (said.type() === "error" || /Content Security Policy/.test(said.text())) complaints.push(`${name}: console: ${said.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`${name}: script: ${error.message}`));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== asked && !request.url().startsWith("data:")) complaints.push(`${name}: asks ${request.url()}`);
  });
}

// What a person with a small phone does not see whole: text that leaves what it stands in, and pages and lists that scroll sideways.
const overrun = () => {
  const out = [], ends = new Map();
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) out.push(`${wide} pixels too wide`);
  for (const list of document.querySelectorAll(".wide:has(> table.stack)")) {
    if (list.scrollWidth > list.clientWidth) out.push(`the list ${list.getAttribute("aria-label")} scrolls sideways`);
  }
  const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const own = text.parentElement;
    if (!text.textContent.trim() || !own.checkVisibility() || own.closest("svg, .vh, .w, .wide:not(:has(> table.stack)), [popover]")) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const box = own.closest("dd, td, th, li, article, .card, .hero, main");
    if (!ends.has(box)) ends.set(box, box.getBoundingClientRect().right - parseFloat(getComputedStyle(box).paddingRight));
    const end = ends.get(box);
    const over = Math.max(...[...range.getClientRects()].map((r) => r.right)) - end;
    if (over > 1) out.push(`${Math.round(over)} pixels of "${text.textContent.trim().slice(0, 60)}" stand out of ${box.localName}.${box.className}`);
  }
  return out;
};

// A name at the head of a row is read as one: in few lines.
const torn = () =>
  [...document.querySelectorAll(".matrix th[scope=row] > a")].flatMap((name) => {
    const range = document.createRange();
    range.selectNodeContents(name);
    const lines = new Set([...range.getClientRects()].map((r) => Math.round(r.top))).size;
    return lines > (/^[a-z]{1,9}$/.test(name.textContent) ? 1 : 4) ? [`${name.textContent} stands in ${lines} lines`] : [];
  });

async function narrow(page, title) {
  for (const width of [320, 360, 390]) {
    await page.setViewport({ width, height: 740, isMobile: true, hasTouch: true, deviceScaleFactor: 1 });
    for (const said of [...(await page.evaluate(overrun)), ...(await page.evaluate(torn))]) complaints.push(`${title}: at ${width}: ${said}`);
  }
}

async function look(browser, { name, url, glance, first, why, asked }, mode) {
  const title = `${name} ${mode}`;
  const page = await opened(browser, mode, true);
  listen(page, title, new URL(url).origin);
  // Only what the browser asks for by itself has no answer here.
  const answer = await page.goto(url, { waitUntil: "load" });
  if (answer.status() !== 200) complaints.push(`${title}: ${answer.status()}`);
  if (wanted.pictures) await page.screenshot({ path: `${wanted.pictures}/${name}-${mode}.png`, fullPage: true });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) complaints.push(`${title}: ${wide} pixels too wide`);
  // What is looked for first, and whether it is seen without scrolling.
  if (first && !MODES[mode].mobile) {
    const end = await page.$eval(first, (e) => e.getBoundingClientRect().bottom);
    if (end > MODES[mode].height) complaints.push(`${title}: ${first} ends at ${Math.round(end)}`);
  }
  // Of what is large and was looked at whole in another way, only how it lies on the screen.
  if (glance === mode) return page.close();
  await page.evaluate(() => document.querySelectorAll("details").forEach((d) => (d.open = true)));
  if (MODES[mode].mobile) {
    await narrow(page, title);
    await page.setViewport({ ...MODES[mode], isMobile: true, hasTouch: true, deviceScaleFactor: 1 });
  }
  // By the debugger's own way in, which no policy of the page concerns.
  await page.evaluate(axe);
  const found = await page.evaluate((all) => window.axe.run(document, all), ALL);
  for (const v of found.violations) complaints.push(`${title}: axe ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | ")}`);
  const popover = await page.$(asked ? `[popovertarget="${asked}"]` : "[popovertarget]");
  if (popover) {
    await popover.click();
    const shown = await page.$$eval(":popover-open", (all) => all.length);
    const said = await page.$$eval(":popover-open", (all) => all.map((one) => one.innerText).join());
    if (shown !== 1 || (why && !said.includes(why))) complaints.push(`${title}: a field does not say why: ${said}`);
    const inside = await page.evaluate((all) => window.axe.run(document.querySelector(":popover-open"), all), ALL);
    for (const v of inside.violations) complaints.push(`${title}: axe in a field: ${v.id}: ${v.help}`);
    if (wanted.pictures && name === wanted.field) await page.screenshot({ path: `${wanted.pictures}/${name}-field-${mode}.png` });
    await page.keyboard.press("Escape");
  }
  await page.close();
}

// Every control is met once by Tab, in the order of the page, and is seen to be.
async function keyboard(browser, { name, url }) {
  const page = await opened(browser, "light", true);
  await page.goto(url, { waitUntil: "load" });
  const all = await page.evaluate(() => {
    const able = [...document.querySelectorAll("a[href], button, summary, input, select, textarea, [tabindex='0']")];
    const seen = able.filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest("[popover]"));
    seen.forEach((e, n) => (e.dataset.n = n));
    return seen.length;
  });
  const met = [];
  for (let n = 0; n < all + 2; n++) {
    await page.keyboard.press("Tab");
    const [which, outline] = await page.evaluate(() => {
      const e = document.activeElement;
      return [e === document.body ? null : Number(e.dataset.n), getComputedStyle(e).outlineStyle + getComputedStyle(e).outlineWidth];
    });
    if (which === null) break;
    if (!/^(solid|auto)[1-9]/.test(outline)) complaints.push(`${name}: nothing shows that ${which} has the focus (${outline})`);
    met.push(which);
  }
  const order = [...Array(all).keys()].join();
  if (met.join() !== order) complaints.push(`${name}: by keyboard ${met.join()} of ${order}`);
  // The first is the way past what is the same everywhere.
  await page.evaluate(() => document.activeElement.blur());
  await page.goto(url, { waitUntil: "load" });
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  const at = await page.evaluate(() => document.activeElement.id);
  if (at !== "main") complaints.push(`${name}: the way past leads to ${at || "nothing"}`);
  await page.close();
}

// What is shown follows what is, and the reader stays where they are.
async function refresh(browser, { name, url, focus, open, later, read }) {
  const page = await opened(browser, "light", true);
  listen(page, `${name} refreshed`, new URL(url).origin);
  await page.goto(url, { waitUntil: "load" });
  await page.evaluate((open) => (document.querySelector(open).open = true), open);
  await page.focus(focus);
  await page.evaluate(() => window.scrollTo(0, 300));
  const stand = () => page.evaluate(() => [document.activeElement.outerHTML.slice(0, 80), Math.round(scrollY), document.querySelectorAll("details[open]").length, document.querySelectorAll(":popover-open").length].join(" "));
  // What is read in a row that moves stays open.
  await page.evaluate((id) => document.getElementById(id).showPopover(), read);
  const rows = () => page.$$eval(".matrix tbody tr", (all) => all.map((row) => row.id).join());
  const order = await rows();
  await page.focus(focus);
  const before = await stand();
  await (await fetch(later)).text();
  const told = page.waitForFunction(() => document.getElementById("said").textContent !== "", { timeout: 20000 });
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await told.catch(() => complaints.push(`${name}: the change is not announced`));
  const after = await stand();
  const open_now = await page.$$eval(":popover-open", (all) => all.map((one) => one.id).join());
  if (open_now !== read) complaints.push(`${name}: a refresh leaves open ${open_now || "nothing"} and not ${read}`);
  if ((await rows()) === order) complaints.push(`${name}: no row has moved`);
  // New things above push what is read down; the browser's own anchoring may move the scroll with it.
  const parts = (text) => text.replace(/ \d+ (\d+ \d+)$/, " $1");
  if (parts(before) !== parts(after)) complaints.push(`${name}: a refresh moves the reader: ${before} → ${after}`);
  const same = await page.evaluate(async () => {
    const fresh = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html").querySelector("main");
    const mine = document.querySelector("main").cloneNode(true);
    mine.querySelectorAll("details").forEach((d) => (d.open = false));
    const plain = (e) => { e.querySelectorAll("time, .age").forEach((t) => t.remove()); return e.innerHTML; };
    return plain(mine) === plain(fresh);
  });
  if (!same) complaints.push(`${name}: what is refreshed is not what a new page would be`);
  await page.close();
}

// A page that is not there any more says so, and not that nobody answers.
async function gone(browser, { name, url }) {
  const page = await opened(browser, "light", true);
  await page.goto(url, { waitUntil: "load" });
  await page.evaluate(() => {
    history.replaceState(null, "", "?stream=gone");
    document.dispatchEvent(new Event("visibilitychange"));
  });
  const told = page.waitForFunction(() => document.getElementById("asof").textContent.startsWith("this page is not there any more"), { timeout: 20000 });
  await told.catch(() => complaints.push(`${name}: it is not said that the page is gone`));
  await page.close();
}

// Without scripts all is there, and comes anew by itself.
async function plain(browser, { name, url, facts }) {
  const page = await opened(browser, "light", false);
  await page.goto(url, { waitUntil: "load" });
  const text = await page.$eval("body", (b) => b.innerText);
  for (const fact of facts || []) if (!text.includes(fact)) complaints.push(`${name} without scripts: no ${fact}`);
  const again = await page.$$eval("meta[http-equiv=refresh]", (all) => all.map((m) => m.content).join());
  if (again !== "30") complaints.push(`${name} without scripts: refreshed ${again || "never"}`);
  await page.close();
}

// Somebody says something of an incident: from its page to its form, and back to it.
async function say(browser, { name, url, scripts, enter, what, fields, login }) {
  const page = await opened(browser, "light", scripts);
  if (login) await page.authenticate(login);
  listen(page, name, new URL(url).origin);
  await page.goto(url, { waitUntil: "load" });
  await Promise.all([page.waitForNavigation(), page.click("a.act")]);
  await page.click(`input[value=${what}]`);
  for (const [field, text] of Object.entries(fields)) await page.type(`[name=${field}]`, text);
  const sent = () => (enter ? page.keyboard.press("Enter") : page.click("button[type=submit]"));
  const [answer] = await Promise.all([page.waitForNavigation(), sent()]);
  const text = await page.$eval("main", (main) => main.innerText);
  if (page.url() !== url || answer.status() !== 200) complaints.push(`${name}: ${answer.status()} at ${page.url()}: ${text.slice(0, 300)}`);
  else if (!text.includes(fields.note)) complaints.push(`${name}: ${fields.note} is not on the page`);
  await page.close();
}

(async () => {
  // As root Chromium has no sandbox of its own; nothing is opened here but what the tests serve on loopback.
  const browser = await puppeteer.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb", "--host-resolver-rules=MAP canary.internal 127.0.0.1"],
  });
  try {
    for (const one of wanted.pages) for (const mode of one.modes || ["light", "dark", "phone"]) await look(browser, one, mode);
    for (const one of wanted.keyboard || []) await keyboard(browser, one);
    for (const one of wanted.plain || []) await plain(browser, one);
    for (const one of wanted.refresh || []) await refresh(browser, one);
    for (const one of wanted.refresh || []) await gone(browser, one);
    for (const one of wanted.say || []) await say(browser, one);
  } finally {
    await browser.close();
  }
  console.log(JSON.stringify(complaints));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
