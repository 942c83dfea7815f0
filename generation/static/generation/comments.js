// What is said about documents: in the dock of every page, or on pages of their own. Live, with a number of what is new.
import { watch } from "./live.js";
import "./mention.js";
import { mark } from "./quotes.js";
import { fresh } from "./rows.js";

const LOOKED = 1_500; // what has stood before somebody for so long they have seen
const { unread } = document.getElementById("comments-script").dataset;
const dock = document.getElementById("dock");
const panel = document.getElementById("dock-comments"); // none where comments are the page itself
const body = panel?.querySelector(".dock-body");
const about = body?.dataset.document ?? document.querySelector("main.comments")?.dataset.document;
const list = () => document.getElementById("threads");
const form = () => document.querySelector("#comments .composer");
const isShown = () => !document.hidden && (!panel || !(dock.hidden || panel.hidden));
let isLoading = false, isDue = false, wanted = null, looking = 0;

const renew = fresh(list, () => `${list().dataset.url}${list().dataset.url.includes("?") ? "&" : "?"}part=threads`, show);

// Whoever chooses a member, or waits for an answer, is not disturbed: it is looked at again when they have done so.
function again() {
  isDue = true;
  goOn();
}

function goOn() {
  if (!isDue || !isShown()) return;
  if (!list()) return void load(); // it could not be reached before
  if (list().querySelector(".assign[open], .htmx-request")) return;
  isDue = false;
  renew();
}

async function load(query = "") {
  if (isLoading && !query) return;
  isLoading = true;
  isDue = false;
  try {
    await htmx.ajax("GET", body.dataset.url + query, { target: "#comments", swap: "outerHTML" });
  } catch {
    // It is told already; when the tab is opened again, so is it asked for.
  } finally {
    isLoading = false;
  }
}

function show() {
  mark([...(list()?.querySelectorAll("[data-section]") ?? [])]);
  look();
}

// --- what is new

async function count(ids = []) {
  const how = { headers: { "HX-Request": "true" } };
  if (ids.length) {
    const { "X-CSRFToken": token } = JSON.parse(document.body.getAttribute("hx-headers"));
    Object.assign(how, { method: "POST", headers: { ...how.headers, "X-CSRFToken": token }, body: new URLSearchParams(ids.map((id) => ["id", id])) });
  }
  try {
    const answer = await fetch(unread, how);
    if (!answer.ok) return;
    const n = Number(await answer.text()) || "";
    for (const place of document.querySelectorAll('[data-count="comments"]')) place.textContent = n;
  } catch {
    // The connection is away: it is counted again when it is back.
  }
}

function look() {
  clearTimeout(looking);
  looking = setTimeout(() => {
    if (!isShown() || !list()) return;
    const seen = [...list().querySelectorAll("[data-new]")];
    for (const each of seen) each.removeAttribute("data-new");
    if (seen.length) count(seen.map((each) => each.dataset.id));
  }, LOOKED);
}

// --- opening it at a section, with words that were selected

function openAt(section, quote = "") {
  wanted = { quote, text: form()?.elements.text.value ?? "", isForced: true };
  const query = section ? `?section=${section}` : "?of=open";
  load(query); // before the tab asks for all of it
  if (dock.hidden) document.querySelector(".dock-handle").click();
  document.getElementById("dock-tab-comments").click();
}

function take({ quote, text, isForced }) {
  const { elements } = form() ?? {};
  if (quote && elements) {
    const place = form().querySelector("[data-quoted]");
    place.hidden = false;
    place.querySelector("q").textContent = elements.quote.value = quote;
  }
  if (elements) elements.text.value ||= text;
  if (!isForced) return;
  const isNew = quote || !list().querySelector(".comment");
  (isNew && elements ? elements.text : body).focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const { target } = event;
  const asks = target.closest?.("[data-comments]");
  const leads = target.closest?.("[data-goto]");
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (asks && panel) {
    event.preventDefault();
    openAt(asks.dataset.comments);
  } else if (leads) {
    const place = document.getElementById(`section-${leads.dataset.goto}`);
    if (!place) return;
    event.preventDefault();
    if (matchMedia("(max-width: 40rem)").matches) dock.querySelector("[data-close]").click();
    place.tabIndex = -1;
    place.focus({ preventScroll: true });
    place.scrollIntoView();
  } else if (target.closest?.("[data-unquote]")) {
    target.closest("[data-quoted]").hidden = true;
    form().elements.quote.value = "";
    form().elements.text.focus();
  }
});
document.addEventListener("quoted", ({ detail }) => panel && openAt(detail.section, detail.quote));

// --- what comes

document.addEventListener("htmx:afterSettle", ({ detail }) => {
  const place = detail.elt;
  if (!place?.closest?.("#comments")) return;
  if (place.id === "comments" && wanted) take(wanted);
  if (place.id === "comments") wanted = null;
  show();
  goOn();
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  // A row was taken by its own answer: the focus stays with the thread.
  const id = detail.successful && detail.target?.closest?.("#threads .comment")?.id;
  if (!id || document.activeElement !== document.body) return;
  const row = document.getElementById(id);
  (row?.querySelector("summary, button") ?? (panel ? body : list()))?.focus({ preventScroll: true });
});
panel?.addEventListener("opened", () => {
  again();
  show();
});
document.addEventListener("visibilitychange", () => document.hidden || again());
document.addEventListener("toggle", ({ target }) => target.matches?.("#threads .assign") && goOn(), true);
// It stays open from page to page, and was opened then before this was there to hear of it.
if (isShown()) again();
watch([`user.${document.body.dataset.user}`, ...(about ? [`document.${about}`] : [])], (frame) => {
  if (frame && !["thread", "section", "document"].includes(frame.kind)) return;
  again();
  if (!frame || frame.kind === "thread") count();
});
show();
