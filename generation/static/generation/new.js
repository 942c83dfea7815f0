// A new text: the draft is kept while one types, files go ahead of the form, the estimate follows the options.
import { attach } from "./files.js";

const form = document.querySelector("form.ask-for");
const brief = form.elements.brief;
const chips = document.getElementById("chips");
const upload = document.getElementById("upload");
const words = form.dataset;
const shown = new Intl.NumberFormat(document.documentElement.lang);
let waits = false;

// --- the draft

const drafts = `draft:${words.draft}`;
function keep(isSent = false) {
  if (!brief.value && !isSent) localStorage.removeItem(drafts);
  else localStorage.setItem(drafts, JSON.stringify({ brief: brief.value, isSent }));
  form.querySelector("[data-kept]").hidden = !brief.value;
}

function count() {
  const limit = Number(brief.dataset.limit), n = [...brief.value].length;
  const place = form.querySelector("[data-counted]");
  place.hidden = n < limit * 0.8;
  place.querySelector("[data-n]").textContent = shown.format(n);
  brief.setAttribute("aria-invalid", n > limit);
  form.elements.characters.value = n;
}

if (!brief.value) {
  brief.value = JSON.parse(localStorage.getItem(drafts) ?? "{}").brief ?? "";
  keep();
}
count();
sum();
brief.addEventListener("input", () => {
  keep();
  count();
});
brief.addEventListener("change", () => brief.dispatchEvent(new Event("estimate", { bubbles: true })));

// --- files

const files = attach({ form, chips, upload, changed });

function changed({ isRefused }) {
  if (isRefused) waits = false; // whether it goes without this file is for people to say
  weigh();
  if (waits && !files.sending) form.requestSubmit(form.querySelector(".button.first"));
}

function sum() {
  const sizes = [...chips.querySelectorAll("[data-bytes]")].map((chip) => Number(chip.dataset.bytes));
  form.elements.bytes.value = sizes.reduce((one, other) => one + other, 0);
}

function weigh() {
  sum();
  chips.dispatchEvent(new Event("estimate", { bubbles: true }));
}

// --- the start

form.addEventListener("submit", (event) => {
  waits = files.sending > 0;
  if (waits) return event.preventDefault(); // it goes when the last file has arrived
  keep(true);
});
addEventListener("pageshow", () => keep());
