// The text of one step while it is being written, in a node of _live.html: closed blocks as HTML, the open one as text.
//
// `at` is how far the text has come, `end` how far it is closed, both counted from the attempt's first character; what
// comes in whatever order, and twice, is shown once. A new attempt drops the text of the one before, but not its room.

import { hold } from "./pieces.js";

const LONGEST_WET = 400; // characters; more at once is not being written but caught up with
const isCalm = matchMedia("(prefers-reduced-motion: reduce)");

export class Stream {
  constructor(node, fold = null) {
    this.node = node;
    this.fold = fold; // what to do with the text of an attempt that broke off, where it is not dropped
    this.open = node.querySelector(".open");
    this.thoughts = node.querySelector(".reasoning");
    this.caret = Object.assign(document.createElement("span"), { className: "caret" });
    const { attempt, count, end } = node.dataset;
    Object.assign(this, { attempt: +attempt || 0, count: +count || 0, end: +end || 0, text: this.open.textContent });
    this.at = this.end + this.text.length;
    this.draw();
  }

  say(attempt, text) {
    if (!this.isOf(attempt)) return;
    const fresh = text.slice(Math.max(0, this.end - this.at));
    this.at += text.length;
    this.text += fresh;
    this.show(true);
  }

  think(attempt, text) {
    if (!this.isOf(attempt)) return;
    this.thoughts.hidden = false;
    this.thoughts.lastElementChild.append(text);
  }

  close({ attempt, n, html, end }) {
    if (!this.isOf(attempt) || n !== this.count) return;
    // In its place, with a new open block after it: what moves down may be what the browser holds the page by.
    const open = this.open.cloneNode(false);
    this.open.replaceWith(document.createRange().createContextualFragment(html), open);
    this.open = open;
    this.text = this.text.slice(Math.max(0, end - (this.at - this.text.length)));
    Object.assign(this, { count: n + 1, end });
    this.draw();
  }

  isOf(attempt) {
    if (attempt > this.attempt) this.begin(attempt);
    return attempt === this.attempt;
  }

  begin(attempt) {
    const hadText = this.count > 0 || !!this.text.trim();
    Object.assign(this, { attempt, count: 0, end: 0, at: 0, text: "" });
    this.node.dataset.attempt = attempt;
    if (this.fold) {
      this.caret.remove();
      if (hadText) this.fold([...this.open.parentNode.childNodes].map((each) => each.cloneNode(true)));
      this.open.parentNode.replaceChildren(this.open);
      this.thoughts.hidden = true;
      this.thoughts.lastElementChild.replaceChildren();
      return this.draw();
    }
    hold(() => {
      this.keep(this.open.parentNode.offsetHeight);
      this.open.parentNode.replaceChildren(this.open);
      this.thoughts.hidden = true;
      this.thoughts.lastElementChild.replaceChildren();
      this.draw();
    });
  }

  keep(height) {
    // What is said again takes the room it had: what stands below stays where one reads it.
    this.open.parentNode.style.minHeight = `${height}px`;
  }

  finish() {
    this.caret.remove();
  }

  draw() {
    this.shown = 0;
    this.open.replaceChildren(this.caret);
    this.show(false);
  }

  show(isFresh) {
    // A heading shows as one before it is closed, and a line's end only when something follows it.
    const visible = this.text.replace(/^\s*(#{1,6}(\s+|$))?/, "").trimEnd();
    this.open.classList.toggle("title", /^\s*#/.test(this.text));
    const piece = visible.slice(this.shown);
    this.shown = visible.length;
    if (piece) this.caret.before(isFresh ? wet(piece) : piece);
  }
}

function wet(text) {
  if (text.length > LONGEST_WET || isCalm.matches || document.hidden) return text;
  const span = Object.assign(document.createElement("span"), { className: "wet", textContent: text });
  span.addEventListener("animationend", () => span.replaceWith(...span.childNodes), { once: true });
  return span;
}
