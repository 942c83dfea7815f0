// The end of a run, told to who looks elsewhere: by the title of the tab, and by a notification when asked for.
//
//   badge(46)      the tab says "✎ 46 %";  badge(null)  nothing
//   finished()     the tab says "✓" until it is looked at
//   rename(title)  the page is called otherwise now
//   notify({ id, title, word })   a notification, if the reader asked for it with a button [data-tell]

let plain = document.title;
let isDone = false;

export function badge(progress) {
  if (progress !== null) isDone = false;
  document.title = progress === null ? (isDone ? `✓ ${plain}` : plain) : `✎ ${Math.floor(progress)} % ${plain}`;
}

// What the page is called has changed.
export function rename(title) {
  document.title = document.title.replace(plain, title);
  plain = title;
}

export function finished() {
  isDone = document.hidden || !document.hasFocus();
  badge(null);
}

function looked() {
  if (!isDone || document.hidden) return;
  isDone = false;
  badge(null);
}

export function notify({ id, title, word }) {
  if (!isAsked()) return;
  try {
    const told = new Notification(title, { body: word, tag: id });
    told.onclick = () => window.focus();
  } catch {
    sessionStorage.removeItem("tell"); // phones have them only for installed pages
    for (const button of document.querySelectorAll("[data-tell]")) button.hidden = true;
  }
}

function isAsked() {
  return "Notification" in window && Notification.permission === "granted" && !!sessionStorage.getItem("tell");
}

async function ask(button) {
  const wants = !isAsked();
  if (wants && (await Notification.requestPermission()) !== "granted") return;
  if (wants) sessionStorage.setItem("tell", "1");
  else sessionStorage.removeItem("tell");
  button.setAttribute("aria-pressed", wants);
}

addEventListener("focus", looked);
document.addEventListener("visibilitychange", looked);
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-tell]");
  if (button) ask(button);
});
for (const button of document.querySelectorAll("[data-tell]")) {
  button.hidden = !("Notification" in window) || Notification.permission === "denied";
  button.setAttribute("aria-pressed", isAsked());
}
