// Which part of a long document a page shows: `ids` are all its sections in reading order.

const PLACES = ':scope > [id^="section-"]'; // sections, and the forms in which they are edited

export const idOf = (place) => place.id.slice(8);

export function firstOf(sections) {
  const first = sections.querySelector(PLACES);
  return first ? idOf(first) : "";
}

export function range(sections, ids, isLater) {
  // The part of the document that this page shows: from its first section to before the one it has not come to yet.
  const shown = [...sections.querySelectorAll(PLACES)].map((each) => ids.indexOf(idOf(each))).filter((n) => n >= 0);
  const begin = isLater && shown.length ? shown[0] : 0;
  const more = sections.querySelector("[data-more]");
  if (!more) return [begin, ids.length];
  const [last, next] = [Math.max(begin - 1, ...shown), ids.indexOf(more.dataset.more)];
  return [begin, next > last ? next : last + 1]; // what it led to was removed, or stands above now
}

export function lead(sections, id) {
  // The way on leads to this section; to none when all are shown.
  const more = sections.querySelector("[data-more]");
  if (!more || more.dataset.more === id) return;
  if (!id) return more.remove();
  more.outerHTML = more.outerHTML.replaceAll(more.dataset.more, id);
  htmx.process(sections.querySelector("[data-more]"));
}
