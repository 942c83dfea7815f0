// The filter over the cases of a portfolio: what does not match is hidden among cards and ratings, and pale in the
// scatter. It is the reader's own, so it is applied again to whatever the server draws anew.
const fields = document.getElementById("fields");
const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

function apply() {
  const told = document.getElementById("filtered");
  if (!told) return;
  const words = fold(document.getElementById("filter-cases")?.value ?? "").split(/\s+/).filter(Boolean);
  const isTop = document.getElementById("filter-top")?.checked ?? false;
  const cards = [...fields.querySelectorAll(".card[data-case]")];
  const shown = new Set(cards.filter((card) => matches(card, words, isTop)).map((card) => card.dataset.case));
  for (const each of fields.querySelectorAll("[data-case]")) {
    const isOut = !shown.has(each.dataset.case);
    if (each instanceof SVGElement) each.toggleAttribute("data-out", isOut);
    else if (each.hidden !== isOut) each.hidden = isOut;
  }
  const isFiltered = words.length || isTop;
  const said = shown.size ? told.dataset.some.replace("{n}", shown.size).replace("{all}", cards.length) : told.dataset.none;
  if (told.textContent !== (isFiltered ? said : "")) told.textContent = isFiltered ? said : "";
}

function matches(card, words, isTop) {
  const text = fold(`${card.querySelector("h3").textContent} ${card.dataset.words} ${card.querySelector("p")?.textContent ?? ""}`);
  return (!isTop || card.hasAttribute("data-top")) && words.every((word) => text.includes(word));
}

fields?.addEventListener("input", apply);
if (fields) new MutationObserver(apply).observe(fields, { subtree: true, childList: true, attributeFilter: ["hidden", "data-out", "data-top"] });
