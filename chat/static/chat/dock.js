// The conversation in the dock, on every page but its own: loaded when its tab is first opened.
import { compose } from "./composer.js";
import { open } from "./talk.js";

const panel = document.getElementById("dock-chat");
const body = panel.querySelector(".dock-body");
let isLoaded = false, speaks = false;

function load(query = "") {
  const url = body.dataset.url + (query ? (body.dataset.url.includes("?") ? "&" : "?") + query : "");
  return htmx.ajax("GET", url, { target: "#dock-talk", swap: "outerHTML" });
}

panel.addEventListener("opened", () => isLoaded || load());
panel.addEventListener("click", (event) => event.target.closest("[data-dock-new]") && load("new=1"));
panel.addEventListener("htmx:load", () => {
  const root = document.getElementById("dock-talk")?.querySelector(".talk");
  if (!root || root.dataset.isOpen) return;
  root.dataset.isOpen = "";
  isLoaded = true;
  const talk = open(root);
  const form = compose(talk);
  talk.end();
  if (speaks) form.elements.text.focus({ preventScroll: true });
});
// Who has just begun a conversation here goes on in it.
panel.addEventListener("htmx:beforeRequest", ({ target }) => (speaks = target.matches("form.composer")));
panel.addEventListener("gone", () => load("new=1"));
// It stays open from page to page, and was opened then before this was there to hear of it.
if (!document.getElementById("dock").hidden && !panel.hidden) load();
