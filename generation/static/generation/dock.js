// The queue in the dock, on every page: how many runs are open, how they go, and which have just ended.
import { notify } from "./ending.js";
import { watch } from "./live.js";
import { concerned, fresh } from "./rows.js";

const body = document.querySelector("#dock-queue .dock-body");
const find = () => document.getElementById("dock-runs");
const again = fresh(find, () => body.dataset.url, show);
const concerns = concerned(find);
let open = new Set();

function show(list) {
  for (const place of document.querySelectorAll('[data-count="queue"]')) place.textContent = Number(list.dataset.open) || "";
  const rows = [...list.querySelectorAll("[data-run]")];
  for (const row of rows) {
    const { run, title } = row.dataset;
    if (open.has(run) && !("open" in row.dataset)) notify({ id: run, title, word: row.querySelector(".mark").textContent });
  }
  open = new Set(rows.filter((row) => "open" in row.dataset).map((row) => row.dataset.run));
}

document.getElementById("dock-queue").addEventListener("opened", again);
document.body.addEventListener("changed", again);
watch([`workspace.${document.body.dataset.workspace}`, `user.${document.body.dataset.user}`], (frame) => {
  if (!frame || (frame.kind === "run" && concerns(frame.id))) again();
});
