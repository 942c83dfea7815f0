// The outline shows where its reader is: the last section that has come up to the upper third of the window.
const outline = document.getElementById("outline");
const sections = document.getElementById("sections");
let isAsked = false;

function ask() {
  if (!isAsked) requestAnimationFrame(mark);
  isAsked = true;
}

function mark() {
  isAsked = false;
  const links = new Map([...outline.querySelectorAll("a[href^='#section-']")].map((link) => [link.hash.slice(1), link]));
  const isAtEnd = scrollY && innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
  let here = null;
  for (const section of sections.children) {
    if (!isAtEnd && section.getBoundingClientRect().top > innerHeight / 3) break;
    here = links.get(section.id) ?? here;
  }
  if (here?.hasAttribute("aria-current")) return;
  outline.querySelector("[aria-current]")?.removeAttribute("aria-current");
  here?.setAttribute("aria-current", "true");
  if (here && outline.scrollHeight > outline.clientHeight) show(here);
}

function show(link) {
  // In the outline alone: `scrollIntoView` would move the text with it.
  const [line, frame] = [link.getBoundingClientRect(), outline.getBoundingClientRect()];
  if (line.top < frame.top) outline.scrollTop -= frame.top - line.top + line.height;
  else if (line.bottom > frame.bottom) outline.scrollTop += line.bottom - frame.bottom + line.height;
}

addEventListener("scroll", ask, { passive: true });
addEventListener("resize", ask);
new MutationObserver(ask).observe(sections, { childList: true });
ask();
