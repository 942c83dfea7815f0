// Changing in place: keys, the focus, what others change meanwhile, and the bar at the foot. All else is forms.
import { form, keep } from "./drafts.js";

document.addEventListener("keydown", (event) => {
  const edited = form(event.target);
  if (edited && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    edited.requestSubmit(edited.querySelector(".first"));
  } else if (edited && event.key === "Escape" && !event.isComposing) {
    keep(edited);
    edited.querySelector("[data-leave]").click();
  } else if (event.key === "Escape") {
    const menu = event.target.closest?.("details.tools[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
document.addEventListener("click", ({ target }) => {
  for (const menu of document.querySelectorAll("details.tools[open]")) if (!menu.contains(target)) menu.open = false;
});

// The focus goes back to where it came from once a form is left, or a menu has done its work.
const back = new WeakMap(); // request → the place's id: other answers may come before its own
document.addEventListener("htmx:beforeRequest", ({ target, detail: { xhr } }) => {
  const menu = target.closest(".tools form") && target.closest("[id^=section-]");
  if (form(target)) back.set(xhr, `edit-${form(target).dataset.edit}`);
  else if (menu) back.set(xhr, `more-${menu.id.slice(8)}`);
});
document.addEventListener("htmx:afterSettle", ({ detail: { xhr } }) => {
  const place = document.getElementById(back.get(xhr));
  if (!place) return;
  if ([document.body, document.getElementById("main")].includes(document.activeElement)) place.focus({ preventScroll: true });
});

// What others change never takes the place of what somebody is typing: the form says so, and saving shows both.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, requestConfig } = event.detail;
  if (!target.matches?.("form[data-edit]")) return;
  if (target.contains(requestConfig.elt) || requestConfig.path.endsWith("/edit/")) return;
  event.detail.shouldSwap = false;
  target.querySelector("[data-behind]").hidden = false;
});
const isLive = document.getElementById("main").hasAttribute("data-pieces"); // its own script brings what was changed
for (const name of ["changed", "undone"])
  document.addEventListener(name, ({ detail }) => {
    for (const { type, id, version } of detail?.objects ?? []) {
      const section = type === "section" && document.getElementById(`section-${id}`);
      if (!section || Number(section.dataset.version) >= version) continue;
      if (section.dataset.edit) section.querySelector("[data-behind]").hidden = false;
      else if (!isLive) htmx.ajax("GET", `/sections/${id}/`, { target: section, swap: "outerHTML" });
    }
  });
document.addEventListener("reshaped", () => isLive || location.reload());

// The bar of the last change, until it is put away.
const last = document.getElementById("last-change");
const dismissed = () => {
  const bar = last.querySelector(".undo-bar");
  if (bar?.dataset.group === sessionStorage.getItem("dismissed")) bar.remove();
};
if (last) {
  dismissed();
  new MutationObserver(dismissed).observe(last, { childList: true, subtree: true, attributes: true });
  last.addEventListener("click", ({ target }) => {
    if (!target.closest("[data-dismiss]")) return;
    sessionStorage.setItem("dismissed", last.querySelector(".undo-bar").dataset.group);
    dismissed();
  });
  // What is pressed in it is not waiting for the bar to be told again, and the bar is not taken away meanwhile.
  const isPressed = () => last.querySelector("form.htmx-request");
  last.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.requestConfig.elt === last && isPressed()) event.detail.shouldSwap = false;
  });
  last.addEventListener("htmx:afterRequest", ({ detail }) => detail.requestConfig.elt !== last && htmx.trigger(last, "changed"));
}
