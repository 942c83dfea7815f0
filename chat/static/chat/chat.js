// The page of a conversation.
import { rename } from "../generation/ending.js";
import { watch } from "../generation/live.js";
import { fresh } from "../generation/rows.js";
import { compose } from "./composer.js";
import { open } from "./talk.js";

const root = document.getElementById("talk");
const talk = open(root);
const form = compose(talk);
if (!location.hash) talk.end();
if (!matchMedia("(pointer: coarse)").matches) form.elements.text.focus({ preventScroll: true });
root.addEventListener("gone", () => location.assign("/chat/")); // deleted elsewhere

// The list beside it, the part of it that shows; and its title: a conversation is named a moment after its first answer.
const days = () => document.getElementById("session-days");
const place = new URLSearchParams([...new URLSearchParams(location.search)].filter(([name]) => ["state", "cursor"].includes(name)));
place.set("part", "sessions");
if (root.dataset.session) place.set("here", root.dataset.session);
const again = fresh(days, () => `/chat/?${place}`, entitle);
function entitle(list) {
  const here = list.querySelector("[aria-current]");
  const name = here?.firstChild?.textContent.trim();
  if (!name) return;
  document.getElementById("talk-title").textContent = name;
  rename(`${name} · Scriptorium`);
}
const about = fresh(() => document.getElementById("about"), () => `/chat/${root.dataset.session}/?part=about`);
watch([`user.${document.body.dataset.user}`], (frame) => {
  if (frame && frame.kind !== "session") return;
  if (!document.getElementById("seek-sessions").value) again();
  if (root.dataset.session) about();
});
