// Answers: marks what is not kept yet and sends it again; the clock of an evaluation, which hands in at its end.
const AGAIN_SECONDS = 5;
const fieldOf = (target) => target.closest?.("fieldset[hx-post]");

function unkept(field) {
  const mark = field.querySelector(".kept");
  mark.textContent = mark.dataset.unkept;
  field.dataset.unkept = "";
}

document.addEventListener("input", ({ target }) => {
  if (fieldOf(target)) unkept(fieldOf(target));
});
document.addEventListener("htmx:afterRequest", ({ target, detail }) => {
  const field = detail.elt === fieldOf(target) && detail.elt;
  if (!field) return;
  if (detail.successful) return delete field.dataset.unkept;
  unkept(field);
  const pause = Number(detail.xhr.getResponseHeader("Retry-After")) || AGAIN_SECONDS;
  setTimeout(() => field.isConnected && "unkept" in field.dataset && htmx.trigger(field, "change"), pause * 1000);
});
window.addEventListener("online", () => {
  for (const field of document.querySelectorAll("fieldset[data-unkept]")) htmx.trigger(field, "change");
});

for (const keep of document.querySelectorAll("[data-keep]")) keep.hidden = true;  // each is kept as it is given

const left = document.querySelector("time.left");
if (left) {
  const due = Date.parse(left.dateTime);
  const skew = Date.parse(left.dataset.now) - Date.now();  // whose clock counts is the house's
  const announce = document.querySelector("[data-announce]");
  const words = [left.dataset.five, left.dataset.one];
  let before = Infinity;
  const tick = () => {
    const seconds = Math.max(0, Math.ceil((due - Date.now() - skew) / 1000));
    left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    [300, 60].forEach((at, n) => {
      if (seconds <= at && before > at && before !== Infinity) announce.textContent = words[n];
    });
    before = seconds;
    if (seconds) setTimeout(tick, 250);
    else document.querySelector("[data-finish]").click();
  };
  tick();
}
