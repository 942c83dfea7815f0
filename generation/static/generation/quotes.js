// Words of a document that are spoken of: those that are selected are offered to be quoted, those that were are marked.

const MOST = 1_000; // characters
const button = document.getElementById("quote-this");
const bodyOf = (node) => (node?.nodeType === Node.ELEMENT_NODE ? node : node?.parentElement)?.closest("#sections .section-body");

function selected() {
  const selection = getSelection();
  const words = selection.toString().trim();
  const body = bodyOf(selection.anchorNode);
  return words && words.length <= MOST && body && body === bodyOf(selection.focusNode) ? { body, words, range: selection.getRangeAt(0) } : null;
}

function offer() {
  const found = selected();
  button.hidden = !found;
  if (!found) return;
  const lines = found.range.getClientRects();
  const { bottom, right } = lines[lines.length - 1] ?? found.range.getBoundingClientRect();
  const left = Math.min(right, document.documentElement.clientWidth - button.offsetWidth - 8);
  button.style.top = `${bottom + scrollY + 6}px`;
  button.style.left = `${Math.max(8, left) + scrollX}px`;
}

if (button) {
  let soon = 0;
  document.addEventListener("selectionchange", () => {
    clearTimeout(soon);
    soon = setTimeout(offer, 120);
  });
  button.addEventListener("pointerdown", (event) => event.preventDefault()); // what is selected stays so
  button.addEventListener("click", () => {
    const found = selected();
    button.hidden = true;
    if (!found) return;
    getSelection().removeAllRanges();
    const detail = { section: found.body.id.slice(5), quote: found.words };
    document.dispatchEvent(new CustomEvent("quoted", { detail }));
  });
}

// Threads whose words stand on the page have them marked; nothing is put into the text for that.
export function mark(threads) {
  if (!CSS.highlights) return;
  const ranges = threads.map(rangeOf).filter(Boolean);
  if (ranges.length) CSS.highlights.set("commented", new Highlight(...ranges));
  else CSS.highlights.delete("commented");
}

function rangeOf(thread) {
  const body = document.getElementById(`body-${thread.dataset.section}`);
  const wanted = thread.querySelector("q")?.textContent.replace(/\s+/g, "");
  if (!body || !wanted) return null;
  const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  const places = [];
  let text = "";
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (let n = 0; n < node.data.length; n++) {
      if (/\s/.test(node.data[n])) continue;
      text += node.data[n];
      places.push([node, n]);
    }
  }
  const at = text.indexOf(wanted);
  if (at < 0) return null;
  const range = new Range(), last = places[at + wanted.length - 1];
  range.setStart(...places[at]);
  range.setEnd(last[0], last[1] + 1);
  return range;
}
