// What is new, for a page: one socket to /ws/, shared by all modules of the page, opened when first needed.
//
//   import { follow, watch } from "./live.js";
//
//   const leave = follow(run, since, handlers)   The run's events after the number `since`, each exactly once, in order.
//     handlers.events(events, frame)   [{seq, type, data, at}, …]; frame.state is the run's state, frame.run its id
//     handlers.block(frame)            {run, step, attempt, n, html}: a closed block. The same may come again.
//     handlers.reset(frame)            this place of the log was joined away: draw a new snapshot and follow from it
//     handlers.error(frame)            this run cannot be followed: {error_code, message}
//     handlers.html, handlers.tree     true: send closed blocks; follow the children, too (events of any of them come
//                                      to these handlers with their own frame.run)
//     One follower a run and page: following again takes the place of the one before.
//
//   const leave = watch(topics, handler)         Rows that changed, on `user.ID`, `workspace.ID`, `document.ID`, `run.ID`.
//     handler(frame)   {topic, kind, id, version}: look at that row again
//     handler(null)    something may have been missed (each time the watching begins: at first, after a cut): look at all
//
// A cut costs a delay: what was followed is followed again from the last number this page has seen, whatever the server
// says it had sent. The element #connection, if the page has one, shows after two seconds without a connection.

const TICK = 5_000, PING = 15_000, DEAD = 4_000, OPENING = 10_000, BANNER = 2_000, LONGEST = 15_000, CREDIT = 1_000_000;
const SIGNED_OUT = 4401, TOO_MANY = 4429;

const followed = new Map(); // run → {run, position, handlers, isChild}
const watches = new Set(); // {topics, handler, holds}
const left = new Set(); // runs no longer followed: events of theirs may still be on their way
let socket = null, tries = 0, again = 0, banner = 0, begun = 0, heard = 0, pinged = 0, taken = 0;

export function follow(run, since, handlers) {
  const one = { run, position: since, handlers };
  followed.set(run, one);
  left.delete(run);
  ask(one);
  connect();
  return () => {
    if (followed.get(run) !== one) return;
    followed.delete(run);
    left.add(run);
    say({ type: "unfollow", run });
  };
}

export function watch(topics, handler) {
  const one = { topics, handler, holds: false };
  watches.add(one);
  askTopics();
  connect();
  return () => {
    watches.delete(one);
    askTopics();
  };
}

// --- out

function say(frame) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
}

function ask(one) {
  const { run, position, handlers } = one;
  one.asked = position;
  if (!one.isChild) say({ type: "follow", run, since: position, html: !!handlers.html, tree: !!handlers.tree });
}

function askTopics() {
  say({ type: "watch", topics: [...new Set([...watches].flatMap((one) => one.topics))] });
}

// --- in

function hear(frame) {
  if (frame.type === "events") return hearEvents(frame);
  if (frame.type === "block") return followed.get(frame.run)?.handlers.block?.(frame);
  if (frame.type === "changed") {
    for (const one of [...watches]) if (one.topics.includes(frame.topic)) one.handler(frame);
  } else if (frame.type === "accepted" && frame.topics) {
    for (const one of [...watches]) {
      if (!one.holds && one.topics.every((topic) => frame.topics.includes(topic))) {
        one.holds = true;
        one.handler(null);
      }
    }
  } else if (frame.type === "error") hearError(frame);
}

function hearEvents(frame) {
  const one = followed.get(frame.run) ?? adopt(frame.run);
  if (!one) return;
  if (frame.reset) return one.handlers.reset?.(frame);
  if (frame.after > one.position) return one.asked === one.position || ask(one); // a hole
  const fresh = frame.events.filter((event) => event.seq > one.position);
  one.position = Math.max(one.position, frame.upto);
  one.handlers.events?.(fresh, frame);
}

function adopt(run) {
  // A run nobody here asked for is a child of one that is followed as a tree. Its parent's place brings it along.
  const parent = [...followed.values()].find((one) => one.handlers.tree);
  if (!parent || left.has(run)) return null;
  followed.set(run, { run, position: 0, handlers: parent.handlers, isChild: true });
  return followed.get(run);
}

function hearError(frame) {
  const run = frame.run ?? frame.details?.run;
  const one = followed.get(run);
  if (frame.error_code === "session.behind") {
    if (one) ask(one);
    for (const other of watches) other.handler(null);
  } else if (frame.error_code === "limit.requests") {
    setTimeout(() => (one ? followed.get(run) === one && ask(one) : askTopics()), frame.retry_after * 1000);
  } else if (one) {
    followed.delete(run);
    one.handlers.error?.(frame);
  }
}

// --- the connection

function connect() {
  // Also while the browser believes to be offline: a house on one's own machine needs no network.
  if (socket) return;
  clearTimeout(again);
  begun = Date.now();
  const own = (socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/`));
  own.onopen = () => {
    tries = taken = 0;
    heard = pinged = Date.now();
    told(null);
    if (watches.size) askTopics();
    for (const one of followed.values()) ask(one);
  };
  own.onmessage = ({ data }) => {
    heard = Date.now();
    taken += data.length;
    if (taken > CREDIT) ping(); // the server hands out only so much to who gives no sign of life
    hear(JSON.parse(data));
  };
  own.onclose = ({ code }) => {
    if (own === socket) lost(code);
  };
}

function lost(code) {
  socket = null;
  for (const one of watches) one.holds = false;
  if (code === SIGNED_OUT) return told("out");
  banner ||= setTimeout(() => told("lost"), BANNER);
  const pause = code === TOO_MANY ? LONGEST * 2 : Math.min(LONGEST, 250 * 2 ** tries++) * (0.5 + Math.random() / 2);
  clearTimeout(again);
  again = setTimeout(connect, pause);
}

function drop() {
  const old = socket;
  if (!old) return;
  old.onclose = old.onmessage = null; // a dead connection takes its time to close
  old.close();
  lost();
}

function ping() {
  pinged = Date.now();
  taken = 0;
  say({ type: "ping" });
}

function check() {
  if (socket?.readyState === WebSocket.CONNECTING && Date.now() - begun > OPENING) return drop();
  if (socket?.readyState !== WebSocket.OPEN) return;
  if (pinged > heard && Date.now() - pinged > DEAD) drop();
  else if (Date.now() - pinged > PING) ping();
}

function wake() {
  // The page is looked at again, the network came or went: whether the connection lives is asked now, not in a while.
  if (!followed.size && !watches.size) return;
  if (!socket) {
    tries = 0;
    connect();
  } else if (socket.readyState === WebSocket.OPEN && pinged <= heard) {
    ping();
    setTimeout(check, DEAD + 100);
  }
}

function told(what) {
  clearTimeout(banner);
  banner = 0;
  const place = document.getElementById("connection");
  if (!place) return;
  place.hidden = !what;
  for (const each of place.querySelectorAll("[data-when]")) each.hidden = each.dataset.when !== what;
}

setInterval(check, TICK);
addEventListener("online", wake);
addEventListener("offline", wake);
addEventListener("pagehide", drop);
addEventListener("pageshow", wake);
document.addEventListener("visibilitychange", () => document.hidden || wake());
document.addEventListener("click", (event) => event.target.closest("#connection button") && wake());
