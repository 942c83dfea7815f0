// The page of a document, live: text of open runs goes to its streams; of all else the server is asked what it looks
// like now (`pieces`), with the templates that made the page.
import { follow, watch } from "./live.js";
import { hold, isInUse, patch } from "./pieces.js";
import { firstOf, idOf, lead, range } from "./range.js";
import { Stream } from "./streams.js";
import "./cases.js";
import "./outline.js";
import "./question.js";

const main = document.getElementById("main");
const isLater = main.dataset.later !== undefined; // the beginning of the document is on another page
const sections = document.getElementById("sections");
const streams = new Map(); // run/step → Stream
const runs = new Map(); // the runs that are followed → how to leave
const waits = new Map(); // step → when it is tried again
const held = new Set(); // elements in use, to be replaced when they are left
const ended = new Set(); // runs: a fragment may have been drawn before the end and come after it

// --- text

const name = (run, step) => `${run}/${step}`;
for (const node of main.querySelectorAll("[data-live]")) adopt(node);

function adopt(node) {
  const stream = new Stream(node);
  streams.set(name(node.dataset.run, node.dataset.live), stream);
  return stream;
}

function streamOf(run, step) {
  const known = streams.get(name(run, step));
  if (known) return known;
  const node = document.getElementById("live").content.firstElementChild.cloneNode(true);
  Object.assign(node.dataset, { live: step, run });
  const made = adopt(node);
  mount();
  return made;
}

function mount() {
  for (const place of main.querySelectorAll("[data-live]")) {
    const stream = streams.get(name(place.dataset.run, place.dataset.live));
    if (!stream || stream.node === place) continue;
    stream.keep(place.lastElementChild.offsetHeight);
    place.replaceWith(stream.node);
  }
}

// --- events

const handlers = {
  html: true,
  events: (events, frame) => events.forEach((event) => hear(frame.run, event)),
  block: (frame) => streamOf(frame.run, frame.step).close(frame), // it comes before the text that closes it
  reset: (frame) => again(frame.run),
  error: (frame) => runs.delete(frame.run),
};

function hear(run, { type, data }) {
  if (type === "content_delta") return streamOf(run, data.step).say(data.attempt, data.text);
  if (type === "reasoning_delta") return streamOf(run, data.step).think(data.attempt, data.text);
  const step = data.step ?? data.key;
  const stream = streams.get(name(run, step));
  if (type === "retry") {
    waits.set(step, Date.now() + data.seconds * 1000);
    stream?.begin(data.attempt); // what came of it is dropped
  } else if (type === "model" || (type === "step" && data.state === "running")) {
    waits.delete(step);
    stream?.isOf(data.attempt);
  } else if (type === "step") end(run, step);
  else if (type === "done") {
    for (const each of [...streams.keys()]) if (each.startsWith(`${run}/`)) end(run, each.slice(run.length + 1));
    runs.get(run)?.();
    runs.delete(run);
    ended.add(run);
  }
  refresh(type === "object" ? data.id : sectionOf(step)?.id.slice(8));
}

function end(run, step) {
  streams.get(name(run, step))?.finish();
  streams.delete(name(run, step));
  waits.delete(step);
}

function again(run) {
  for (const each of [...streams.keys()]) if (each.startsWith(`${run}/`)) streams.delete(each);
  runs.set(run, follow(run, 0, handlers));
  refresh();
}

function sectionOf(step) {
  // The section a step belongs to is the one with the longest key that its own begins with.
  for (let key = step ?? ""; key; key = key.slice(0, Math.max(0, key.lastIndexOf("/")))) {
    const section = sections.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (section) return section;
  }
}

function followRuns(isFirst) {
  // The page shows what its runs had written at their `seq`; of a run that comes later everything is heard.
  for (const { dataset } of document.querySelectorAll("#run > [data-run]")) {
    if (!runs.has(dataset.run) && !ended.has(dataset.run)) runs.set(dataset.run, follow(dataset.run, isFirst ? +dataset.seq : 0, handlers));
  }
}

// --- pieces

const PAUSE = 150, BETWEEN = 600, AFTER_FAILURE = 2_000;
const ASKED = 40, MOST = 60; // sections at once: the server gives no more, and those not heard of need room
const wanted = new Set();
let timer = 0, isLoading = false, isStale = false, loaded = 0;

function refresh(id) {
  if (id) wanted.add(id);
  isStale = true;
  if (!timer && !isLoading) timer = setTimeout(load, Math.max(PAUSE, loaded + BETWEEN - Date.now()));
}

async function load() {
  const asked = [...wanted].slice(0, ASKED);
  asked.forEach((id) => wanted.delete(id));
  [timer, isLoading, isStale] = [0, true, wanted.size > 0];
  try {
    let fresh = await ask(asked);
    const unheard = fresh ? unheardOf(fresh, asked) : [];
    if (unheard.length) {
      // What it says may have moved into sections that are new: it changes only together with them.
      asked.push(...unheard.slice(0, MOST - asked.length));
      fresh = await ask(asked);
    }
    if (!fresh) return; // signed out, or no longer a reader: the page stays as it is
    put(fresh);
  } catch {
    asked.forEach((id) => wanted.add(id));
    loaded = Date.now() + AFTER_FAILURE;
    isStale = true;
  } finally {
    isLoading = false;
    loaded = Math.max(loaded, Date.now());
    if (isStale) refresh();
  }
}

async function ask(ids) {
  const query = new URLSearchParams(ids.map((id) => ["id", id]));
  const more = sections.querySelector("[data-more]");
  if (more) query.set("more", more.dataset.more);
  if (isLater) query.set("from", firstOf(sections));
  const response = await fetch(`${main.dataset.pieces}?${query}`, { headers: { "HX-Request": "true" } });
  if (response.status >= 500) throw new Error(response.statusText);
  return response.ok ? new DOMParser().parseFromString(await response.text(), "text/html") : null;
}

const orderIn = (fresh) => fresh.getElementById("outline").dataset.stamps.split(" ").filter(Boolean).map((pair) => pair.split(":"));

function unheardOf(fresh, asked) {
  const ids = orderIn(fresh).map(([id]) => id);
  const [begin, end] = range(sections, ids, isLater);
  return ids.slice(begin, end).filter((id) => !asked.includes(id) && !document.getElementById(`section-${id}`));
}

function put(fresh) {
  hold(() => {
    const arrived = new Map();
    for (const piece of [...fresh.body.children]) {
      const old = document.getElementById(piece.id);
      if (!old) arrived.set(piece.id, piece);
      else if (old.id === "run" ? old.querySelector(".htmx-request") : isInUse(old, old.id !== "fields")) held.add(old);
      else replace(old, piece);
    }
    arrange(orderIn(fresh), arrived);
    mount();
    dress();
  });
  followRuns(false);
  watchAll();
}

function replace(old, piece) {
  const isFocused = old.contains(document.activeElement); // a button of the run: it moves on under who may press it
  const card = document.activeElement.closest("[data-case]")?.dataset.case; // or of a case that has been moved
  patch(old, piece);
  htmx.process(document.getElementById(piece.id));
  if (isFocused && document.activeElement === document.body) (document.getElementById(`more-${card}`) ?? main).focus({ preventScroll: true });
}

function arrange(order, arrived) {
  const ids = order.map(([id]) => id);
  const [begin, end] = range(sections, ids, isLater);
  lead(sections, ids[end]);
  for (const each of sections.querySelectorAll(":scope > section")) {
    if (!ids.includes(each.id.slice(8)) && !isInUse(each)) each.remove();
  }
  let before = null;
  for (const [id, stamp] of order.slice(begin, end)) {
    const section = document.getElementById(`section-${id}`) ?? arrived.get(`section-${id}`);
    if (!section) {
      refresh(id);
      continue;
    }
    const isNew = section.ownerDocument !== document;
    if (isNew || (section.previousElementSibling !== before && !isInUse(section))) {
      before ? before.after(section) : sections.prepend(section);
    }
    if (isNew) htmx.process(section);
    if (section.dataset.stamp !== stamp && !held.has(section)) refresh(id);
    before = section;
  }
}

function dress() {
  const isWriting = document.getElementById("run").dataset.writing !== undefined;
  main.toggleAttribute("data-writing", isWriting);
  const run = document.querySelector("#run > [data-run]");
  const title = `${document.getElementById("head").dataset.title} · Scriptorium`;
  document.title = run ? `✎ ${run.dataset.progress}\xa0% — ${title}` : title;
}

// --- the clock, and what was in use

setInterval(() => {
  for (const [step, until] of waits) {
    const place = sectionOf(step)?.querySelector("[data-wait]");
    const seconds = Math.ceil((until - Date.now()) / 1000);
    if (place) place.textContent = seconds > 0 ? place.dataset.words.replace("{}", seconds) : "";
  }
  for (const each of held) {
    if (each.isConnected && isInUse(each, each.id !== "fields")) continue;
    held.delete(each);
    refresh(each.id.startsWith("section-") ? each.id.slice(8) : null);
  }
}, 1000);

const FORMS = "#main form:not([data-edit], .answers, .chapter-done), #outline form"; // the others look after themselves
document.addEventListener("input", ({ target }) => target.closest?.("#main form:not(.chapter-done), #outline form")?.setAttribute("data-dirty", ""));
document.addEventListener("toggle", ({ target }) => {
  const form = target.matches?.(".act:not([open])") && target.querySelector("[data-dirty]");
  if (form) form.reset(), form.removeAttribute("data-dirty"); // put away: it holds up the outline no longer
}, true);
document.addEventListener("htmx:afterRequest", ({ detail: { elt, successful } }) => {
  const form = elt.closest(FORMS);
  if (!form || !successful) return;
  form.removeAttribute("data-dirty");
  if (form.matches(".question")) for (const each of form.elements) each.disabled = true; // it has its answer
  if (form.closest(".act")) form.reset(), (form.closest(".act").open = false);
  if (form.contains(document.activeElement) && !form.closest(".tools")) main.focus({ preventScroll: true });
  refresh();
});
document.addEventListener("htmx:afterSettle", ({ target, detail }) => {
  mount();
  const isAside = target.closest?.("#last-change, #told, .answers") && detail.requestConfig?.verb !== "post";
  if (!isAside) refresh();
});
document.addEventListener("htmx:afterRequest", ({ target, detail }) => {
  const ticked = target.matches?.(".chapter-done") && target.elements.complete;
  if (ticked && !detail.successful) ticked.checked = !ticked.checked;
});
document.addEventListener("completed", () => refresh()); // a chapter, by this reader: the outline has its tick

main.tabIndex = -1;
followRuns(true);
dress();
// What it shows of others: a portfolio shows its cases.
const others = new Set([`document.${main.dataset.document}`]);
let unwatch = () => {};
function watchAll() {
  const shown = document.getElementById("fields")?.dataset.watch?.split(" ") ?? [];
  if (shown.every((topic) => !topic || others.has(topic))) return;
  shown.forEach((topic) => topic && others.add(topic));
  unwatch();
  unwatch = watch([...others].slice(0, 100), hearOf);
}

const hearOf = (frame) => {
  refresh(frame?.kind === "section" ? frame.id : null);
  if (frame?.kind === "thread") return; // what is said about it changes nothing in it
  const objects = frame ? [{ type: frame.kind, id: frame.id, version: frame.version }] : [];
  htmx.trigger(document.body, "changed", { objects });
};
unwatch = watch([...others], hearOf);
watchAll();
