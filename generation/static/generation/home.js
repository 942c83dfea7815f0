// Home, live: what is at work moves, what has ended joins the documents, what others do appears.
import { badge, finished } from "./ending.js";
import { watch } from "./live.js";
import { fresh } from "./rows.js";

const part = (name, more = {}) => () => {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries({ part: name, ...(typeof more === "function" ? more() : more) })) query.set(key, value);
  return `${location.pathname}?${query}`;
};
const at = (id) => document.getElementById(id);
const down = () => {
  const last = [...document.querySelectorAll("#documents [data-id]")].at(-1);
  return last && !new URLSearchParams(location.search).has("cursor") ? { down_to: last.dataset.id } : {};
};
const documents = fresh(() => at("documents"), part("documents", down));
const rail = fresh(() => at("rail"), part("rail"));
const running = at("running") && fresh(() => at("running"), part("running"), show);

let ids = "", mine = new Set(), isFirst = true;

function show() {
  const rows = [...document.querySelectorAll("#running [data-run]")];
  const own = new Set(rows.filter((row) => "mine" in row.dataset).map((row) => row.dataset.run));
  if ([...mine].some((run) => !own.has(run))) finished();
  const now = rows.map((row) => row.dataset.run).join();
  if (now !== ids && !isFirst) documents();
  [ids, mine, isFirst] = [now, own, false];
  const writing = rows.find((row) => own.has(row.dataset.run) && row.dataset.state === "writing");
  badge(writing ? Number(writing.dataset.progress) : null);
}

function all() {
  running?.();
  documents();
  rail();
}

show();
let hasLooked = false;
watch([`workspace.${document.body.dataset.workspace}`], (frame) => {
  const isWork = frame?.kind === "run" || (!frame && !hasLooked); // what ends while the page loads shows by its run
  hasLooked = true;
  if (isWork) (running ?? documents)();
  else if (!frame || frame.kind === "document" || frame.kind === "folder") all();
});
document.body.addEventListener("changed", all);
