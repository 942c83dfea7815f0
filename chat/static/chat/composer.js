// Where one speaks: Enter sends, what is typed is kept, files and documents go with it, the shortcuts.
import { attach } from "../generation/files.js";

export function compose({ root, until: { signal } }) {
  const form = root.querySelector("form.composer");
  const { text, key } = form.elements;
  const chips = form.querySelector(".chips");
  const offers = form.querySelector("[data-offers]");
  const draft = `draft:${document.body.dataset.user}:${form.dataset.draft}`;
  let waits = null, asks = 0; // the button that was pressed, until what it says can go
  const files = attach({
    form,
    chips,
    upload: form.querySelector("input[type=file]"),
    changed: ({ isRefused }) => {
      if (isRefused) waits = null;
      go();
    },
  });

  // --- typing

  function grow() {
    text.rows = Math.min(10, text.value.split("\n").length); // where the stylesheet cannot size it by what it holds
  }

  function keep() {
    if (text.value) localStorage.setItem(draft, text.value);
    else localStorage.removeItem(draft);
  }

  function write(words) {
    text.value = words;
    keep();
    grow();
    text.focus();
  }

  for (const each of form.querySelectorAll("[data-script]")) each.hidden = false;
  text.value ||= localStorage.getItem(draft) ?? "";
  grow();
  text.addEventListener("input", () => {
    keep();
    grow();
    if (text.value === "/") offer();
  });
  text.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      if (text.value.trim()) form.requestSubmit(form.querySelector("[data-send]"));
    } else if (event.key === "ArrowUp" && !text.value) {
      const last = [...root.querySelectorAll(".message.asked .edit-of")].at(-1);
      if (!last) return;
      event.preventDefault();
      last.open = true;
      last.querySelector("textarea").focus();
    } else if (event.key === "?" && !text.value) {
      const shortcuts = document.getElementById("shortcuts");
      if (!shortcuts) return;
      event.preventDefault();
      shortcuts.showModal();
    }
  });

  // --- sending

  // What was pressed before has its answer first: "Go on with this" says what the next words go on from.
  const isBusy = () => files.sending > 0 || !!root.querySelector("[role=log] .htmx-request");

  function go() {
    if (!waits || isBusy()) return;
    const pressed = waits;
    waits = null;
    form.requestSubmit(pressed);
  }

  form.addEventListener("htmx:confirm", (event) => {
    if (event.target !== form) return;
    waits = isBusy() ? (event.detail.triggeringEvent?.submitter ?? form.querySelector("[data-send]")) : null;
    if (waits || !text.value.trim()) event.preventDefault(); // it goes when the last file has arrived
  });
  root.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (!detail.successful) waits = null; // the words wait where they stand, for who knows where they go now
    go();
  }, { signal });
  // What was sent goes from here once it has arrived; what was typed meanwhile stays.
  let sent = null;
  form.addEventListener("htmx:beforeRequest", ({ detail }) => {
    if (detail.elt === form) sent = { words: text.value, chips: [...chips.children] };
  });
  form.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (detail.elt !== form || !sent) return;
    const { words, chips: gone } = sent;
    sent = null;
    if (detail.xhr.status < 200 || detail.xhr.status > 299) return; // a new conversation has no `successful`: it moves on
    for (const each of gone) each.remove();
    text.value = text.value.startsWith(words) ? text.value.slice(words.length).trimStart() : text.value;
    key.value = crypto.randomUUID();
    keep();
    grow();
    text.focus({ preventScroll: true });
  });
  // What is withdrawn stands here again, before what is typed since, with its files.
  document.body.addEventListener("withdrawn", ({ detail }) => {
    if (!root.isConnected) return;
    write([detail.text, text.value].filter(Boolean).join("\n\n"));
    for (const { id, name } of detail.files ?? []) chips.append(chip(id, name, "files"));
  }, { signal });
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    const stop = root.querySelector("[data-stop]");
    if (!stop) return;
    event.stopPropagation(); // the dock stays open
    stop.click();
  });

  // --- documents

  async function offer(words = "") {
    const asked = (asks += 1);
    const answer = await fetch(`${form.dataset.offered}?q=${encodeURIComponent(words)}`, { headers: { "HX-Request": "true" } });
    const listed = await answer.text();
    if (!answer.ok || asked !== asks) return; // something else was looked for since
    offers.innerHTML = listed;
    const seek = Object.assign(document.createElement("input"), { type: "search", value: words });
    seek.setAttribute("aria-label", form.querySelector("[data-offer-open]").textContent.trim());
    seek.addEventListener("input", () => offer(seek.value));
    offers.prepend(seek);
    offers.hidden = false;
    seek.focus();
  }

  function shut() {
    offers.hidden = true;
    if (text.value === "/") write("");
    text.focus();
  }

  form.querySelector("[data-offer-open]").addEventListener("click", () => (offers.hidden ? offer() : shut()));
  offers.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return event.stopPropagation(), shut();
    const all = [...offers.querySelectorAll("input, [data-offer]")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      all[(all.indexOf(document.activeElement) + step + all.length) % all.length]?.focus();
    } else if (event.key === "Enter" && event.target.matches("input")) {
      event.preventDefault();
      offers.querySelector("[data-offer]")?.click();
    }
  });
  offers.addEventListener("click", (event) => {
    const chosen = event.target.closest("[data-offer]");
    if (!chosen) return;
    const { offer: id, title } = chosen.dataset;
    if (form.dataset.link && !form.elements.dock) htmx.ajax("POST", form.dataset.link, { target: "#about", swap: "outerHTML", values: { document: id } });
    else chips.append(chip(id, title));
    shut();
  });

  function chip(id, title, field = "context") {
    const made = document.createElement("li");
    made.className = "badge";
    const name = Object.assign(document.createElement("bdi"), { textContent: title });
    const held = Object.assign(document.createElement("input"), { type: "hidden", name: field, value: id });
    const gone = Object.assign(document.createElement("button"), { type: "button", name: "drop", textContent: "×" });
    gone.setAttribute("aria-label", `${form.dataset.remove} ${title}`);
    made.append(name, held, " ", gone);
    return made;
  }

  // --- copying

  root.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy-message]");
    if (!button) return;
    const words = [...button.closest(".message").querySelectorAll(".pieces > .prose")].map((each) => each.innerText);
    await navigator.clipboard.writeText(words.join("\n\n"));
    button.setAttribute("aria-pressed", "true");
    setTimeout(() => button.removeAttribute("aria-pressed"), 1_500);
  });
  const show = () => navigator.clipboard && root.querySelectorAll("[data-copy-message]").forEach((each) => (each.hidden = false));
  root.addEventListener("rows", show);
  show();
  return form;
}
