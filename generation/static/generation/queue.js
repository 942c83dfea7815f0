// The queue, live.
import { badge, finished } from "./ending.js";
import { watch } from "./live.js";
import { concerned, fresh } from "./rows.js";

const find = () => document.getElementById("queue");
const url = () => `${location.pathname}?${new URLSearchParams([...new URLSearchParams(location.search), ["part", "queue"]])}`;
const again = fresh(find, url, show);
const concerns = concerned(find);
let open = new Set();

function show() {
  const rows = [...document.querySelectorAll("#queue [data-open][data-mine]")];
  const now = new Set(rows.map((row) => row.dataset.run));
  if ([...open].some((run) => !now.has(run))) finished();
  open = now;
  const writing = rows.find((row) => row.dataset.state === "writing");
  badge(writing ? Number(writing.dataset.progress) : null);
}

show();
watch([`workspace.${document.body.dataset.workspace}`, `user.${document.body.dataset.user}`], (frame) => {
  if (!frame || (frame.kind === "run" && concerns(frame.id))) again();
});
document.body.addEventListener("changed", again);
