// Naming members: where one types @, those who fit are offered. Arrows choose, Enter takes, Escape leaves it as typed.

const NAMING = /(^|[^\w.@+-])@([\w.+-]{0,40})$/;
let field = null, offers = null, asks = 0;

function leave() {
  asks += 1;
  offers?.remove();
  field?.removeAttribute("aria-activedescendant");
  field?.removeAttribute("aria-controls");
  field = offers = null;
}

const named = (text) => text.value.slice(0, text.selectionStart).match(NAMING)?.[2];

async function offer(text) {
  const words = named(text);
  if (words === undefined) return leave();
  const asked = (asks += 1);
  const answer = await fetch(`${text.dataset.members}?q=${encodeURIComponent(words)}`, { headers: { "HX-Request": "true" } }).catch(() => null);
  const listed = answer?.ok ? await answer.text() : "";
  if (asked !== asks) return; // something else was typed since
  leave();
  const template = document.createElement("template");
  template.innerHTML = listed;
  const found = template.content.querySelector("[role=listbox]");
  if (!found || document.activeElement !== text) return;
  text.after(found);
  [field, offers] = [text, found];
  field.setAttribute("aria-controls", found.id);
  choose(found.firstElementChild);
}

function choose(option) {
  for (const each of offers.children) each.setAttribute("aria-selected", each === option);
  field.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

function take(option) {
  const text = field, end = text.selectionStart;
  const begin = end - named(text).length;
  text.setRangeText(`${option.dataset.name} `, begin, end, "end");
  leave();
  text.focus();
}

document.addEventListener("input", ({ target }) => target.dataset?.members && offer(target));
document.addEventListener("focusout", ({ target }) => target === field && leave());
document.addEventListener("pointerdown", (event) => {
  const option = event.target.closest?.("[role=option][data-name]");
  if (!option || !offers?.contains(option)) return;
  event.preventDefault(); // the focus stays where one types
  take(option);
}, true);
// Before all others who listen for these keys: the dock stays open, no line begins.
document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.isComposing || !target.dataset?.members) return;
  if (key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    target.form.requestSubmit();
  }
  if (target !== field) return;
  const all = [...offers.children];
  const at = all.findIndex((each) => each.getAttribute("aria-selected") === "true");
  const step = { ArrowDown: 1, ArrowUp: -1 }[key];
  if (step) choose(all[(at + step + all.length) % all.length]);
  else if (key === "Enter" || key === "Tab") take(all[at]);
  else if (key === "Escape") leave();
  else return;
  event.preventDefault();
  event.stopPropagation();
}, true);
