// Putting fragments of the server into the page so that nobody loses their place: what is equal stays as it is, what is
// being read stays where it is, what is in use (edited, focused, selected) waits.

const KEPT = new Set(["open", "aria-current", "data-dirty"]); // of the reader, not of the document

export function patch(old, fresh) {
  if (old.nodeName !== fresh.nodeName || (old.id ?? "") !== (fresh.id ?? "")) return old.replaceWith(fresh);
  if (old.nodeType !== Node.ELEMENT_NODE) return void (old.nodeValue === fresh.nodeValue || (old.nodeValue = fresh.nodeValue));
  if (old.matches("details.tools")) return old.open || old.isEqualNode(fresh) || old.replaceWith(fresh); // filled when opened
  if (old.isEqualNode(fresh) || isSameText(old, fresh) || old.matches("form.question")) return;
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && !KEPT.has(name)) old.removeAttribute(name);
  const before = [...old.childNodes];
  const after = [...fresh.childNodes];
  after.forEach((node, n) => (before[n] ? patch(before[n], node) : old.append(node)));
  for (const node of before.slice(after.length)) node.remove();
}

function isSameText(old, fresh) {
  // What is being written is fed by its stream alone.
  return old.dataset.live && old.dataset.live === fresh.dataset.live && old.dataset.run === fresh.dataset.run;
}

// `isSmall`: the focus alone holds it. What is large is patched around what has the focus.
export function isInUse(element, isSmall = true) {
  const selection = getSelection();
  const isSelected = !selection.isCollapsed && selection.containsNode(element, true);
  return isSelected || (isSmall && element.contains(document.activeElement)) || element.matches(USED) || !!element.querySelector(USED);
}
const USED = ".editing, [data-dirty], .htmx-request"; // who has pressed a button waits for its answer, not for ours

const BLOCKS = "#sections .prose > *, #sections h2, #sections h3, #sections .label, #sections .lede, #asks .prose > *";

export function hold(work) {
  // The first of what one sees that is there afterwards, itself or by its text, is where it was; or else the section it
  // was in. The browser's own way of holding a page knows only elements that stay, and may not do the same again.
  if (!scrollY) return work();
  const seen = visible().map((block) => [block, block.getBoundingClientRect().top, keyOf(block), block.textContent.trim()]);
  const root = document.documentElement;
  root.style.overflowAnchor = "none";
  work();
  for (const [block, top, key, text] of seen) {
    const same = block.isConnected ? block : [...document.querySelectorAll(BLOCKS)].find((one) => keyOf(one).startsWith(key) && one.textContent.trim() === text);
    if (!same) continue;
    scrollBy({ top: same.getBoundingClientRect().top - top, behavior: "instant" });
    break;
  }
  void root.offsetHeight; // all has its place: from here on the browser holds the page again, for what streams say
  root.style.overflowAnchor = "";
}

const keyOf = (element) => element.closest("[data-key]")?.dataset.key ?? "";

function visible() {
  const blocks = new Set(), around = new Set();
  const middle = document.getElementById("main").getBoundingClientRect().left + 40;
  for (let y = 60; y < innerHeight; y += 24) {
    const at = document.elementFromPoint(middle, y);
    blocks.add(at?.closest(BLOCKS));
    around.add(at?.closest("section[id]"));
  }
  return [...blocks, ...around].filter(Boolean);
}
