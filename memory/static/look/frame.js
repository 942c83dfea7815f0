// The frame of every page: the dock's tabs and its handle. Pages bring what is theirs.

// Only the machine knows what it shows who has chosen no theme; the button turns to the other.
const dark = matchMedia("(prefers-color-scheme: dark)");
document.querySelector(".theme").addEventListener("submit", (event) => {
  event.target.elements.shown.value = dark.matches ? "dark" : "light";
});

const dock = document.getElementById("dock");
const handle = document.querySelector(".dock-handle");
const tabs = [...dock.querySelectorAll("[role=tab]")];
const phone = matchMedia("(max-width: 40rem)");
const rest = [...document.body.children].filter((each) => each !== dock && !each.matches("script, template, #told, #connection"));

function show(tab) {
  for (const each of tabs) {
    const chosen = each === tab;
    each.setAttribute("aria-selected", chosen);
    each.tabIndex = chosen ? 0 : -1;
    const panel = document.getElementById(each.getAttribute("aria-controls"));
    panel.hidden = !chosen;
    if (chosen) htmx.trigger(panel, "opened");
  }
}

function open(isOpen, takesFocus = true) {
  dock.hidden = !isOpen;
  handle.hidden = isOpen;
  handle.setAttribute("aria-expanded", isOpen);
  for (const each of rest) each.inert = isOpen && phone.matches; // on a phone it is the whole page
  if (isOpen) show(tabs.find((tab) => tab.getAttribute("aria-selected") === "true"));
  if (takesFocus) (isOpen ? tabs.find((tab) => tab.tabIndex === 0) : handle).focus();
  sessionStorage.setItem("dock", isOpen ? "open" : "");
}

handle.setAttribute("role", "button"); // without script it is a link to the queue
handle.setAttribute("aria-controls", "dock");
handle.setAttribute("aria-expanded", false);
handle.addEventListener("click", (event) => {
  event.preventDefault();
  open(true);
});
handle.addEventListener("keydown", (event) => {
  if (event.key === " ") handle.click(event.preventDefault());
});
dock.querySelector("[data-close]").addEventListener("click", () => open(false));
dock.addEventListener("keydown", (event) => {
  if (event.key === "Escape") return open(false);
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step || !tabs.includes(event.target)) return;
  const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
  show(next);
  next.focus();
});
for (const tab of tabs) tab.addEventListener("click", () => show(tab));
// It stays open from page to page; on a phone a link in it leads out of it.
if (sessionStorage.getItem("dock") && !phone.matches) open(true, false);
phone.addEventListener("change", () => dock.hidden || open(true, false));

// A rail beside the page is never folded: it is open, not only shown, to whoever reads it otherwise than by looking.
const wide = matchMedia("(min-width: 64rem)");
const unfold = () => document.querySelectorAll("details.fold.rail").forEach((rail) => (rail.open = wide.matches));
wide.addEventListener("change", unfold);
unfold();

// A rail that runs sideways, on a phone, begins where one is.
for (const here of document.querySelectorAll("nav.rail [aria-current]")) {
  const rail = here.closest("nav");
  rail.scrollLeft = here.offsetLeft - (rail.clientWidth - here.offsetWidth) / 2;
}

// What went wrong is told until it is closed, or something else is tried.
const told = document.getElementById("told");
const hush = () => told.replaceChildren();
told.addEventListener("click", (event) => event.target.closest("[data-close]") && hush());
document.body.addEventListener("htmx:beforeRequest", ({ detail }) => detail.requestConfig.triggeringEvent?.isTrusted && hush());

// Refusals of ours say where they are shown. What else comes instead of an answer (a proxy's page, nothing at all) is
// never put into the page.
document.body.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.xhr.getResponseHeader("HX-Retarget")) detail.shouldSwap = true;
});
const unreachable = () => told.replaceChildren(document.getElementById("unreachable").content.cloneNode(true));
for (const name of ["htmx:sendError", "htmx:timeout"]) document.body.addEventListener(name, unreachable);
document.body.addEventListener("htmx:responseError", ({ detail: { xhr } }) => {
  if (![409, 422].includes(xhr.status) && !xhr.getResponseHeader("HX-Retarget") && !xhr.getResponseHeader("HX-Redirect")) unreachable();
});

// Pressed twice is sent once: forms that htmx sends see to it themselves.
document.addEventListener("submit", (event) => {
  const { target } = event;
  if (event.defaultPrevented || target.method !== "post") return;
  if (target.hasAttribute("data-sent")) event.preventDefault();
  else {
    target.dataset.sent = "";
    setTimeout(() => delete target.dataset.sent, 5_000); // whoever stopped the page from loading may try again
  }
});
addEventListener("pageshow", () => document.querySelectorAll("[data-sent]").forEach((each) => delete each.dataset.sent));

// A draft goes once what it asked for is there.
if (location.pathname.startsWith("/documents/") && document.referrer.startsWith(`${location.origin}/`)) {
  for (const [key, draft] of Object.entries(localStorage)) {
    if (key.startsWith("draft:new/") && draft.includes('"isSent":true')) localStorage.removeItem(key);
  }
}
