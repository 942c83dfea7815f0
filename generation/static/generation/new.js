// A new text: the draft is kept while one types, files go ahead of the form, the estimate follows the options.
const form = document.querySelector("form.ask-for");
const brief = form.elements.brief;
const chips = document.getElementById("chips");
const upload = document.getElementById("upload");
const words = form.dataset;
const shown = new Intl.NumberFormat(document.documentElement.lang);
let sending = 0, waits = false;

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

function note(file, why) {
  const chip = document.createElement("li");
  chip.className = "badge";
  const name = document.createElement("bdi");
  name.textContent = file.name;
  chip.append(name, ` ${why}`);
  chips.append(chip);
  return chip;
}

function refuse(chip, file, why) {
  chip.dataset.state = "failed";
  const gone = document.createElement("button");
  gone.type = "button";
  gone.textContent = "×";
  gone.setAttribute("aria-label", `${words.remove} ${file.name}`);
  gone.onclick = () => chip.remove();
  chip.replaceChildren(chip.firstChild, ` ${why} `, gone);
}

async function send(file) {
  const chip = note(file, words.sending);
  if (file.size > Number(words.largest)) return refuse(chip, file, words.tooLarge);
  if (form.querySelectorAll('[name="files"]').length + sending >= Number(words.most)) return refuse(chip, file, words.tooMany);
  sending++;
  const data = new FormData();
  data.append("file", file);
  data.append("workspace", form.elements.workspace.value);
  data.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  try {
    const headers = { Accept: "text/html;q=0.5, application/json", "HX-Request": "true" };
    const answer = await fetch(words.files, { method: "POST", body: data, headers });
    if (answer.ok) chip.outerHTML = await answer.text();
    else refuse(chip, file, (await answer.json()).message);
  } catch {
    refuse(chip, file, words.notTaken);
  }
  if (chip.isConnected) waits = false; // refused: whether it goes without this file is for people to say
  sending--;
  weigh();
  if (waits && !sending) form.requestSubmit(form.querySelector(".button.first"));
}

function sum() {
  const sizes = [...chips.querySelectorAll("[data-bytes]")].map((chip) => Number(chip.dataset.bytes));
  form.elements.bytes.value = sizes.reduce((one, other) => one + other, 0);
}

function weigh() {
  sum();
  chips.dispatchEvent(new Event("estimate", { bubbles: true }));
}

function take(files, event) {
  if (!files?.length) return;
  event.preventDefault();
  for (const file of files) send(file);
}

upload.addEventListener("change", (event) => {
  take([...upload.files], event);
  upload.value = "";
});
form.addEventListener("paste", (event) => take([...event.clipboardData.files], event));
for (const name of ["dragenter", "dragover"])
  form.addEventListener(name, (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    form.classList.add("over");
  });
for (const name of ["dragleave", "drop"]) form.addEventListener(name, () => form.classList.remove("over"));
form.addEventListener("drop", (event) => take([...event.dataTransfer.files], event));
chips.addEventListener("click", (event) => {
  const gone = event.target.closest('[name="drop"]');
  if (!gone) return;
  event.preventDefault();
  gone.closest("li").remove();
  weigh();
  upload.focus();
});

// --- the start

form.addEventListener("submit", (event) => {
  waits = sending > 0;
  if (waits) return event.preventDefault(); // it goes when the last file has arrived
  keep(true);
});
addEventListener("pageshow", () => keep());
