// What makes the open page live. Without it the page still says everything, as of when it was loaded. It changes only
// the texts and attributes that differ, so that a selection or a scroll position survives, and it says so loudly when
// updates stop: a page that stands still must not look like a quiet night.

export const pageScript = `"use strict";
const body = document.body;
let lastAt = Date.now();

// What stands in an element with data-apart comes with events of its own.
function follow(current, next) {
  if (current.nodeType !== next.nodeType || current.nodeName !== next.nodeName) {
    current.replaceWith(next.cloneNode(true));
    return;
  }
  if (current.nodeType === Node.TEXT_NODE) {
    if (current.data !== next.data) current.data = next.data;
    return;
  }
  for (const { name } of [...current.attributes]) if (!next.hasAttribute(name)) current.removeAttribute(name);
  for (const { name, value } of next.attributes) if (current.getAttribute(name) !== value) current.setAttribute(name, value);
  if (current.hasAttribute("data-apart")) return;
  followChildren(current, next);
}

function followChildren(current, next) {
  while (current.childNodes.length > next.childNodes.length) current.lastChild.remove();
  next.childNodes.forEach((child, index) => {
    if (index < current.childNodes.length) follow(current.childNodes[index], child);
    else current.append(child.cloneNode(true));
  });
}

function listen() {
  const events = new EventSource("/events" + location.search);
  events.addEventListener("status", ({ data }) => {
    const next = new DOMParser().parseFromString(data, "text/html").querySelector("main");
    const current = document.querySelector("main");
    if (next === null || current === null) return;
    follow(current, next);
    lastAt = Date.now();
    body.dataset.live = "yes";
    document.title = next.dataset.title;
  });
  events.addEventListener("pair", ({ data }) => {
    const next = new DOMParser().parseFromString(data, "text/html").body;
    const current = document.querySelector('[data-apart="pair"]');
    if (current !== null) followChildren(current, next);
  });
  // A refusal (too many pages, restart, token gone) ends an EventSource for good: begin anew, or sign in anew.
  events.addEventListener("error", async () => {
    if (events.readyState !== EventSource.CLOSED) return;
    const answer = await fetch("/api/v1/whoami").catch(() => null);
    if (answer?.status === 401) location.assign("/login");
    else setTimeout(listen, 5000);
  });
}

setInterval(() => {
  const seconds = Math.round((Date.now() - lastAt) / 1000);
  if (seconds < 5) return;
  body.dataset.live = "lost";
  document.title = "No update \\u00b7 icon";
  document.getElementById("lost-for").textContent = String(seconds);
}, 1000);
listen();
`;
