// Lists that are looked at again: what is new is put in its place, what is as it was stays, with focus and all.

const QUIET = 300, PACE = 1_000;

// A function that asks for the fragment again soon, once a second at most, however often it is called.
export function fresh(find, url, after) {
  let due = 0, busy = false, last = 0;
  async function look() {
    due = 0;
    if (busy) return soon();
    busy = true;
    try {
      const answer = await fetch(url(), { headers: { "HX-Request": "true" } });
      if (answer.ok) put(find(), await answer.text());
      if (answer.ok) after?.(find());
    } catch {
      // The connection is away: who notices that calls again when it is back.
    }
    last = Date.now();
    busy = false;
  }
  function soon() {
    due ||= setTimeout(look, last ? Math.max(QUIET, last + PACE - Date.now()) : 0);
  }
  return soon;
}

function put(old, text) {
  const template = document.createElement("template");
  template.innerHTML = text;
  const next = template.content.querySelector(`#${old.id}`);
  if (!next) return;
  const focused = old.contains(document.activeElement) && document.activeElement;
  const row = focused && focused.closest("[data-run], [data-id]");
  renew(old, next);
  htmx.process(old);
  if (focused && document.activeElement !== focused) refocus(old, focused, row);
}

// Where the focus was: the same button, else one of the same row, wherever that is now, else the list.
function refocus(list, focused, row) {
  const same = focused.isConnected ? focused : focused.id && document.getElementById(focused.id);
  const { run, id } = row?.dataset ?? {};
  const again = run ? list.querySelector(`[data-run="${run}"]`) : id && list.querySelector(`[data-id="${id}"]`);
  list.tabIndex = -1;
  (same || again?.querySelector("a[href], button") || list).focus({ preventScroll: true });
}

// Make `old` like `next`, node by node: those with an id are found again by it, others by their place.
function renew(old, next) {
  if (old.isEqualNode(next)) return;
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.data = next.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!next.hasAttribute(name) && !isReaders(old, name)) old.removeAttribute(name);
  for (const { name, value } of next.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const known = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  let at = old.firstChild;
  for (const child of [...next.childNodes]) {
    const same = child.id ? known.get(child.id) : at && !at.id && at.nodeName === child.nodeName ? at : null;
    if (!same || same.nodeName !== child.nodeName) old.insertBefore(child, at);
    else {
      if (same === at) at = at.nextSibling;
      else old.insertBefore(same, at);
      renew(same, child);
    }
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

// What a reader has opened stays open.
function isReaders(element, name) {
  return name === "open" && element.tagName === "DETAILS";
}

// Whether a ring about a run concerns this list: of others' runs, each is looked for once.
export function concerned(find) {
  const foreign = new Set();
  return (id) => {
    if (find().querySelector(`[data-run="${id}"]`)) return true;
    return !foreign.has(id) && foreign.add(id);
  };
}
