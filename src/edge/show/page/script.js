"use strict";
(() => {
  const EVERY = 15000;
  const asof = document.getElementById("asof"), said = document.getElementById("said"), pause = document.getElementById("pause");
  if (!asof || !said || !pause) return;
  let timer, failing = false, paused = false, sentence = headline();

  function headline() {
    const h1 = document.querySelector("main h1");
    return h1 ? h1.textContent.trim() : "";
  }
  // By what an element is known again, wherever it has moved to.
  const key = (node) => (node.nodeType === Node.ELEMENT_NODE && (node.id || node.getAttribute("aria-labelledby"))) || "";

  // Makes one tree like another and leaves every element that stays in its place: focus, scrolling, and what is open or typed survive.
  function follow(old, now) {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== now.data) old.data = now.data;
      return;
    }
    for (const { name } of [...old.attributes]) if (!now.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    for (const { name, value } of [...now.attributes]) if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
    const wanted = new Set([...now.children].map(key));
    let at = old.firstChild;
    for (const child of [...now.childNodes]) {
      const name = key(child);
      while (at && key(at) && !wanted.has(key(at))) at = drop(at);
      const known = name ? [...old.children].find((c) => key(c) === name) : at && !key(at) ? at : null;
      const mine = known && known.nodeName === child.nodeName ? known : null;
      while (mine && name && at && at !== mine && !key(at)) at = drop(at);
      if (!mine) old.insertBefore(document.importNode(child, true), at);
      else if (mine === at) at = at.nextSibling;
      else move(old, mine, at);
      if (mine) follow(mine, child);
    }
    while (at) at = drop(at);
  }
  // What moves the new way stays open and keeps the focus.
  function move(old, mine, at) {
    if (old.moveBefore) old.moveBefore(mine, at);
    else old.insertBefore(mine, at);
  }
  function drop(node) {
    const next = node.nextSibling;
    node.remove();
    return next;
  }

  async function look() {
    let why = "mailcanary does not answer";
    try {
      const answer = await fetch(location.href, { cache: "no-store", headers: { accept: "text/html" } });
      if (answer.status >= 400 && answer.status < 500) why = "this page is not there any more";
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const main = page.querySelector("main"), stamp = page.getElementById("asof");
      if (!main || !stamp) throw new Error("no page");
      const held = document.activeElement, read = document.querySelector("main :popover-open"), down = read ? read.scrollTop : 0;
      follow(document.querySelector("main"), main);
      // What moves the old way is closed and loses the focus.
      if (read && read.isConnected && !read.matches(":popover-open")) {
        read.showPopover();
        read.scrollTop = down;
      }
      if (held !== document.activeElement && held.isConnected) held.focus({ preventScroll: true });
      asof.textContent = stamp.textContent;
      asof.parentElement.classList.remove("old");
      document.title = page.title;
      failing = false;
      const now = headline();
      if (now !== sentence) said.textContent = sentence = now;
    } catch {
      if (!failing) {
        asof.textContent = why + ": this is old. " + asof.textContent;
        asof.parentElement.classList.add("old");
        said.textContent = why;
      }
      failing = true;
    }
    next();
  }
  function next() {
    clearTimeout(timer);
    if (!paused && !document.hidden) timer = setTimeout(look, EVERY);
  }
  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Resume refresh" : "Pause refresh";
    if (paused) clearTimeout(timer);
    else look();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || paused) clearTimeout(timer);
    else look();
  });
  next();
})();
