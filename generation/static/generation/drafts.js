// What was typed into the form of an object and not saved: kept in this browser, offered again, never lost.
export const form = (element) => element?.closest?.("form[data-edit]");
const keyOf = (id) => `draft:${document.body.dataset.user}:${id}`;
const typed = (edited) => [...new FormData(edited)].filter(([name]) => name !== "csrfmiddlewaretoken");
const asText = (edited) => JSON.stringify(typed(edited));
const read = (edited) => JSON.parse(localStorage.getItem(keyOf(edited.dataset.edit)) ?? "null");
const opened = new WeakSet();
let timer;

// What differs from what the server sent, which the page itself still knows.
const isDefault = (field) =>
  field.options ? field.value === ([...field.options].find((each) => each.defaultSelected) ?? field.options[0])?.value
  : ["checkbox", "radio"].includes(field.type) ? field.checked === field.defaultChecked
  : field.value === (field.defaultValue ?? field.value); // a button has none
const isNotSaved = (edited) => edited.hasAttribute("data-touched"); // the server shows what was typed
const isTouched = (edited) =>
  isNotSaved(edited) || [...edited.elements].some((field) => field.name && !isDefault(field));

export const forget = (id) => localStorage.removeItem(keyOf(id));

export function keep(edited) {
  const isOffered = !edited.querySelector("[data-draft-notice]").hidden; // and nobody has decided yet
  if (!isTouched(edited)) return isOffered || forget(edited.dataset.edit);
  localStorage.setItem(keyOf(edited.dataset.edit), JSON.stringify({ at: Date.now(), values: typed(edited) }));
}

function open(edited) {
  if (opened.has(edited)) return;
  opened.add(edited);
  if (isNotSaved(edited)) return keep(edited);
  const draft = read(edited);
  if (!draft || JSON.stringify(draft.values) === asText(edited)) return;
  edited.querySelector("[data-draft-notice]").hidden = false;
  edited.querySelector("[data-draft-at]").textContent = new Date(draft.at).toLocaleString(document.documentElement.lang);
}

function takeUp(edited) {
  const values = { act: "draft" };
  for (const [name, value] of read(edited).values) (values[name] ??= []).push(value);
  htmx.ajax("POST", edited.action, { target: edited, swap: "outerHTML", values });
}

function openAll() {
  for (const each of document.querySelectorAll("form[data-edit]")) open(each);
}

openAll();
document.addEventListener("htmx:load", openAll);
addEventListener("pagehide", () => document.querySelectorAll("form[data-edit]").forEach(keep));
document.addEventListener("saved", ({ detail }) => forget(detail.id));
document.addEventListener("input", ({ target }) => {
  const edited = form(target);
  clearTimeout(timer);
  if (edited) timer = setTimeout(() => edited.isConnected && keep(edited), 250);
});
document.addEventListener("click", ({ target }) => {
  const edited = form(target);
  if (target.closest("[data-draft-take]")) takeUp(edited);
  if (!target.closest("[data-draft-drop]")) return;
  forget(edited.dataset.edit);
  edited.querySelector("[data-draft-notice]").hidden = true;
  edited.querySelector(".sheet :is(input:not([type=hidden]), textarea, select)")?.focus();
});
