// A conversation in a page or in the dock: its answers while they are made, and its rows as the server draws them.
//
// Text of open answers goes to their streams; of all else the server is asked what the row looks like now, with the
// template that made the page.
import { follow, watch } from "../generation/live.js";
import { patch } from "../generation/pieces.js";
import { Stream } from "../generation/streams.js";
import { finished, notify } from "../generation/ending.js";

const NEAR = 120, PAUSE = 120, BETWEEN = 400, LATER = 5_000;

export class Talk {
  constructor(root) {
    this.root = root;
    this.streams = new Map(); // message/step → Stream
    this.runs = new Map(); // followed → how to leave
    this.due = new Map(); // message → timer
    this.asked = new Map(); // message → when it was last asked for: what was asked for before that is older
    this.forming = new Map(); // message/step/index → the card of a call that is being written
    this.box = root.closest(".dock-body");
    this.sticks = true;
    this.until = new AbortController(); // until another conversation takes its place
    (this.box ?? window).addEventListener("scroll", () => this.look(), { passive: true, signal: this.until.signal });
    root.querySelector("[data-jump]").addEventListener("click", () => this.end());
    this.adopt();
  }

  get said() {
    return this.root.querySelector("[role=log]");
  }

  // --- where one reads

  get place() {
    return this.box ?? document.scrollingElement;
  }

  look() {
    const { scrollHeight, scrollTop, clientHeight } = this.place;
    this.sticks = scrollHeight - scrollTop - clientHeight < NEAR;
    this.root.querySelector("[data-jump]").hidden = this.sticks;
  }

  end() {
    this.place.scrollTop = this.place.scrollHeight;
    this.sticks = true;
    this.look();
  }

  keep() {
    if (this.sticks) requestAnimationFrame(() => this.sticks && this.end());
    else this.root.querySelector("[data-jump]").hidden = false;
  }

  // --- rows

  // The answers that are being made, or of one run.
  rows(run = null) {
    return [...this.said.querySelectorAll("[data-message][data-run]")].filter(({ dataset }) => !run || dataset.run === run);
  }

  row(run, step) {
    return this.rows(run).find(({ dataset }) => step.startsWith(dataset.step));
  }

  adopt() {
    this.leaveGone();
    for (const row of this.rows()) {
      const { run, seq } = row.dataset;
      for (const node of row.querySelectorAll("[data-live]")) this.take(row, node);
      if (!this.runs.has(run)) this.runs.set(run, follow(run, Number(seq), this.handlers(run)));
    }
    this.root.dispatchEvent(new CustomEvent("rows", { bubbles: true }));
  }

  // What shows no more, such as another branch, is not listened to: when it shows again, it is followed from there.
  leaveGone() {
    const shown = new Set(this.rows().map(({ dataset }) => dataset.run));
    for (const run of [...this.runs.keys()]) if (!shown.has(run)) this.leave(run);
    for (const [key, { node }] of this.streams) if (!this.said.contains(node) && !this.said.querySelector(`[data-message="${key.split("/")[0]}"]`)) this.streams.delete(key);
  }

  take(row, node) {
    const key = `${row.dataset.message}/${node.dataset.live}`;
    const known = this.streams.get(key);
    if (known) return known.node === node || node.replaceWith(known.node);
    const stream = new Stream(node, (nodes) => this.fold(node, nodes));
    stream.since = Number(row.dataset.seq); // what is told of until there stands in it
    this.streams.set(key, stream);
  }

  fold(node, nodes) {
    const folded = this.template("broken");
    folded.querySelector(".prose").replaceChildren(...nodes);
    node.before(folded);
  }

  template(name) {
    return this.root.querySelector(`template[data-template=${name}]`).content.firstElementChild.cloneNode(true);
  }

  // The text of this step, which this event goes on with; none where the row was drawn after it.
  streamOf(run, step, seq) {
    const row = this.row(run, step);
    if (!row) return null;
    const key = `${row.dataset.message}/${step}`;
    if (seq <= (this.streams.get(key)?.since ?? Number(row.dataset.seq))) return null;
    if (!this.streams.has(key)) {
      const node = this.template("live");
      Object.assign(node.dataset, { live: step, run });
      row.querySelector(".pieces").append(node);
      row.querySelector("[data-coming]")?.remove();
      this.take(row, node);
    }
    return this.streams.get(key);
  }

  // --- events

  handlers(run) {
    return {
      html: true,
      events: (events) => events.forEach((event) => this.hear(run, event)),
      block: (frame) => this.known(run, frame.step)?.close(frame),
      reset: () => this.again(run),
      error: () => setTimeout(() => this.again(run), LATER),
    };
  }

  hear(run, { seq, type, data }) {
    const step = data.step ?? data.key ?? "";
    if (type === "content_delta") this.streamOf(run, step, seq)?.say(data.attempt, data.text);
    else if (type === "reasoning_delta") this.streamOf(run, step, seq)?.think(data.attempt, data.text);
    else if (type === "tool_call_start") this.form(run, step, data);
    else if (type === "tool_call_delta") this.forming.get(`${run}/${step}/${data.index}`)?.append(data.text);
    else if (type === "retry" || type === "model" || (type === "step" && data.state === "running")) this.begin(run, step, data);
    else if (type === "step" && data.state !== "waiting") this.close(run, step);
    else if (type === "tool_call_result") this.refresh(this.row(run, step));
    else if (type === "status" && data.state === "running") this.rows(run).filter((row) => row.dataset.state === "queued").forEach((row) => this.refresh(row));
    else if (type === "done") this.done(run, data.state);
    else return;
    this.keep();
  }

  known(run, step) {
    const row = this.row(run, step);
    return row && this.streams.get(`${row.dataset.message}/${step}`);
  }

  // It has ended, the run perhaps not.
  close(run, step) {
    this.known(run, step)?.finish();
    this.unform(run, step); // the server draws its calls from here on
    this.refresh(this.row(run, step));
  }

  unform(run, step) {
    for (const [key, written] of this.forming) {
      if (!key.startsWith(`${run}/${step}/`)) continue;
      written.closest(".forming").remove();
      this.forming.delete(key);
    }
  }

  begin(run, step, { attempt, reason }) {
    const row = this.row(run, step);
    const stream = this.known(run, step);
    if (reason && reason !== "first") this.refresh(row); // who answers in whose place
    if (!stream || attempt === undefined) return;
    if (attempt > stream.attempt) this.unform(run, step);
    stream.isOf(attempt);
  }

  form(run, step, { index, name }) {
    const row = this.row(run, step);
    if (!row) return;
    const card = this.template("forming");
    card.dataset.call = index;
    card.querySelector("[data-name]").append(` ${name}`);
    row.querySelector(".pieces").append(card);
    row.querySelector("[data-coming]")?.remove();
    this.forming.set(`${run}/${step}/${index}`, card.querySelector(".arguments"));
  }

  done(run, state) {
    for (const row of this.rows(run)) {
      this.forget(row);
      delete row.dataset.run; // it is not to be followed again before it is drawn anew
      if (row.dataset.state === "queued") this.load(); // withdrawn: there may be no such row any more
      else this.refresh(row);
    }
    this.leave(run);
    if (state === "cancelled") return; // who stopped it knows
    if (!this.box) finished();
    if (document.hidden || !document.hasFocus()) notify({ id: run, title: this.title, word: this.root.dataset.ended });
  }

  get title() {
    const named = this.box?.querySelector(".dock-where a") ?? document.getElementById("talk-title");
    return named?.textContent.trim() || "Scriptorium";
  }

  // Another conversation takes its place.
  shut() {
    for (const run of [...this.runs.keys()]) this.leave(run);
    this.until.abort();
  }

  leave(run) {
    this.runs.get(run)?.();
    this.runs.delete(run);
    for (const key of [...this.forming.keys()]) if (key.startsWith(`${run}/`)) this.forming.delete(key);
  }

  // What was heard of the run does not fit what is told: its rows are drawn anew, and followed from there.
  again(run) {
    this.leave(run);
    for (const row of this.rows(run)) {
      this.forget(row);
      delete row.dataset.run;
      this.refresh(row);
    }
  }

  forget({ dataset }) {
    for (const [key, stream] of this.streams) {
      if (!key.startsWith(`${dataset.message}/`)) continue;
      stream.finish();
      stream.node.removeAttribute("data-live"); // what is drawn next takes its place
      this.streams.delete(key);
    }
  }

  // --- what the server draws

  refresh(row) {
    const id = row?.dataset.message;
    if (!id || this.due.has(id)) return;
    this.due.set(id, setTimeout(() => this.redraw(id), PAUSE));
  }

  async redraw(id) {
    this.due.delete(id);
    const find = () => this.said.querySelector(`[data-message="${id}"]`);
    if (!find()) return;
    if (isInUse(find())) return void setTimeout(() => this.refresh(find()), BETWEEN);
    const at = performance.now();
    this.asked.set(id, at);
    const { content, again, isGone } = await fragment(find().dataset.url);
    if (again) return void setTimeout(() => this.refresh(find()), again);
    if (isGone) return this.load();
    const old = find(), row = content.firstElementChild;
    if (row && old && this.asked.get(id) === at) this.redrawn(old, row);
  }

  // What is as it was stays, with the focus, what is opened, and what is being written.
  redrawn(old, row) {
    if (isInUse(old)) return void setTimeout(() => this.refresh(old), BETWEEN); // what was pressed waits for its answer
    const opened = [...old.querySelectorAll(".reasoning:not(.broken)")].map((each) => each.open);
    [...row.querySelectorAll(".reasoning:not(.broken)")].forEach((each, n) => (each.open = !!opened[n]));
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const forming = [...old.querySelectorAll(".forming[data-call]")];
    for (const card of forming) card.remove();
    patch(old, row);
    if (old.dataset.run) old.querySelector(".pieces").append(...forming);
    htmx.process(old);
    if (focused && !focused.isConnected) (document.getElementById(focused.id) ?? old.querySelector("button, summary, a[href]"))?.focus({ preventScroll: true });
    this.adopt();
    this.keep();
  }

  // What is in use is looked at again once it is not.
  later() {
    this.waits ||= setTimeout(() => {
      this.waits = 0;
      this.load();
    }, BETWEEN * 2);
  }

  // All rows as they stand now: another page has said something, or something may have been missed.
  async load() {
    const url = this.root.dataset.said;
    if (!url) return;
    if (this.loading) return void (this.isStale = true);
    if (isInUse(this.said)) return void this.later();
    this.loading = true;
    const at = performance.now();
    const { content, again, isGone } = await fragment(`${url}${this.box ? "&dock=1" : ""}`);
    setTimeout(() => {
      this.loading = false;
      if (this.isStale) this.load();
      this.isStale = false;
    }, again || BETWEEN);
    if (again) this.isStale = true;
    if (isGone) return void this.root.dispatchEvent(new CustomEvent("gone", { bubbles: true }));
    const next = content?.querySelector("[role=log]");
    if (!next) return;
    const shown = [...this.said.querySelectorAll(".message")].map((each) => each.id).join();
    const wanted = [...next.querySelectorAll(".message")].map((each) => each.id);
    if (isInUse(this.said)) return void this.later();
    const panels = [this.said, next].map((each) => each.querySelectorAll(".panel > form").length);
    if (next.dataset.stamp === this.said.dataset.stamp && shown.endsWith(wanted.join()) && panels[0] === panels[1]) {
      for (const row of next.querySelectorAll(".message[data-message]")) {
        const old = document.getElementById(row.id);
        if (old && stateOf(old) !== stateOf(row) && !(this.asked.get(row.dataset.message) > at)) this.redrawn(old, row);
      }
    } else {
      this.said.replaceWith(next);
      htmx.process(next);
      this.adopt();
      this.keep();
    }
  }
}

function isInUse(element) {
  const selection = getSelection();
  return element.matches(USED) || !!element.querySelector(USED) || (!selection.isCollapsed && selection.containsNode(element, true));
}
const USED = ".htmx-request, textarea:focus, input:focus, details[open].edit-of";
const stateOf = (row) => `${row.dataset.state ?? ""}${row.querySelectorAll("[data-undone]").length}${row.querySelector(".branches")?.textContent ?? ""}`;

// Its content; or in how many milliseconds to ask again; or that it is gone.
async function fragment(url) {
  try {
    const answer = await fetch(url, { headers: { "HX-Request": "true" } });
    if (answer.status === 429 || answer.status >= 500) return { again: 1_000 * (Number(answer.headers.get("Retry-After")) || 2) };
    if (!answer.ok) return { isGone: answer.status === 404 };
    const template = document.createElement("template");
    template.innerHTML = await answer.text();
    return { content: template.content };
  } catch {
    return { again: 2_000 };
  }
}

let talk = null;

// The conversation of this page: found at first, and whenever htmx has put another in its place.
export function open(root) {
  if (!root || talk?.root === root) return talk;
  talk?.shut();
  talk = new Talk(root);
  return talk;
}

watch([`user.${document.body.dataset.user}`, `workspace.${document.body.dataset.workspace}`], (frame) => {
  if (!talk?.root.isConnected) return;
  if (!frame || (frame.kind === "session" && frame.id === talk.root.dataset.session)) return talk.load();
  const card = frame.kind === "run" && talk.said.querySelector(`[data-of="${frame.id}"]`);
  if (card) talk.refresh(card.closest("[data-message]"));
});
document.addEventListener("htmx:afterSettle", () => talk?.root.isConnected && talk.adopt());
