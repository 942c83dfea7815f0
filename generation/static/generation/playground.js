// Versions tried side by side: the page is drawn anew as the form stands now, then each answer is written as it comes.
// Leaving the page, like Stop, ends the requests, and with them those to the provider.

const form = document.querySelector("[data-playground]");
const status = form.querySelector("[role=status]");
const stop = form.querySelector("[data-stop]");
let going = null;

form.addEventListener("submit", (event) => {
  if (event.submitter?.value !== "try") return;
  event.preventDefault();
  if (!going) attempt(event.submitter);
});
stop?.addEventListener("click", () => going?.abort());

async function attempt(button) {
  going = new AbortController();
  const { signal } = going;
  show(button, true);
  try {
    await draw(signal);
    const sides = [...document.querySelectorAll("#sides [data-try]")];
    if (document.querySelector("#knobs .bad, #sides .bad")) return say("");
    const ended = await Promise.allSettled(sides.map((side) => answer(side, signal)));
    const failed = ended.find(({ status }) => status === "rejected");
    if (failed) throw failed.reason;
    say(form.dataset.done);
  } catch (error) {
    say(signal.aborted ? form.dataset.stopped : error instanceof Refused ? error.message : form.dataset.lost);
  } finally {
    going = null;
    show(button, false);
  }
}

function show(button, isGoing) {
  const hadFocus = [button, stop].includes(document.activeElement);
  button.hidden = isGoing;
  stop.hidden = !isGoing;
  if (hadFocus) (isGoing ? stop : button).focus();
  if (isGoing) say(form.dataset.going);
}

function say(text) {
  status.textContent = text;
}

class Refused extends Error {}

async function ask(url, body, signal) {
  const response = await fetch(url, { method: "POST", body, signal, headers: { Accept: "application/json" } });
  if (response.ok) return response;
  const told = response.headers.get("Content-Type")?.includes("json") ? await response.json() : {};
  throw new Refused(told.message ?? form.dataset.lost);
}

async function draw(signal) {
  const body = new FormData(form);
  body.set("do", "preview");
  const response = await ask(location.href, body, signal);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const id of ["knobs", "sides"]) document.getElementById(id).replaceWith(page.getElementById(id));
}

async function answer(side, signal) {
  const box = side.querySelector(".answer");
  box.hidden = false;
  const figures = box.querySelector(".figures");
  let isWhole = false;
  const response = await ask(side.dataset.try, new FormData(form), signal);
  for await (const told of events(response.body.pipeThrough(new TextDecoderStream()).getReader())) {
    if (told.content) box.querySelector(".text").append(told.content);
    if (told.reasoning) {
      box.querySelector(".thoughts").hidden = false;
      box.querySelector(".thoughts pre").append(told.reasoning);
    }
    if (told.html) figures.innerHTML = told.html;
    isWhole = "html" in told;
  }
  if (!isWhole) throw new Error("The stream broke off.");
}

async function* events(reader) {
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) if (part.startsWith("data: ")) yield JSON.parse(part.slice(6));
  }
}
