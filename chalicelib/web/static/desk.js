// Keys, drafts, times and answers of the desk.  Every screen works without it.
"use strict";
const root = document.documentElement, body = document.body, mine = body.dataset;
const one = (what, within = document) => within.querySelector(what);
const all = (what, within = document) => [...within.querySelectorAll(what)];
const ahead = mine.now ? Date.parse(mine.now) - Date.now() : 0; // the desk's clock, not this machine's
const now = () => new Date(Date.now() + ahead);
const desk = { live: false };
const tools = () => import(mine.tools); // what a first page does not need
root.classList.add("js");

// Times: words that count on, in the agent's zone

const dated = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: zone(), ...options });
function zone() {
  try { Intl.DateTimeFormat("en", { timeZone: mine.zone }); return mine.zone; } catch { return "UTC"; }
}
function span(moment) {
  const minutes = Math.floor((now() - moment) / 60000), hours = Math.floor(minutes / 60);
  if (minutes < 1) return "now";
  return hours < 1 ? `${minutes} min` : hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}
function day(moment) {
  const same = dated({ year: "numeric" }).format(moment) === dated({ year: "numeric" }).format(now());
  return dated({ day: "numeric", month: "short", ...(same ? {} : { year: "numeric" }) }).format(moment);
}
function clock(moment) {
  const time = dated({ hour: "2-digit", minute: "2-digit" }).format(moment);
  const days = [0, 864e5].map((back) => dated({ dateStyle: "short" }).format(now() - back));
  const at = days.indexOf(dated({ dateStyle: "short" }).format(moment));
  return at === 0 ? time : `${at === 1 ? "yesterday" : day(moment)} ${time}`;
}
const due = (moment) => (moment < now() ? `late since ${clock(moment)}` : `due in ${span(2 * now() - moment - 59999)}`);
const AS = { span, clock, day, due };
function tellTimes(within = document) {
  for (const time of all("time[data-as]", within)) {
    const moment = new Date(time.dateTime), past = now() - moment, words = AS[time.dataset.as](moment);
    if (time.textContent !== words) time.textContent = words;
    time.closest(".wait.waiting")?.classList.toggle("long", past >= 864e5);
    time.closest(".due")?.classList.toggle("bad", past > 0);
  }
}
setInterval(tellTimes, 20000);

// Saying things: for screen readers, and as toasts

function announce(words) {
  const region = one("#announce");
  if (region) region.textContent = words;
}
function toast(words, bad = false, href = "") {
  const box = document.createElement("div");
  box.className = bad ? "toast bad" : "toast";
  box.dataset.toast = bad ? 0 : 8;
  const said = document.createElement(href ? "a" : "p");
  said.textContent = words;
  if (href) said.href = href;
  const gone = document.createElement("button");
  Object.assign(gone, { type: "button", className: "quiet", textContent: "Dismiss" });
  gone.dataset.do = "dismiss";
  box.append(said, gone);
  one("#toasts").append(box);
  runOut(box);
}
function runOut(box) {
  if (box.dataset.running) return;
  box.dataset.running = 1;
  const seconds = Number(box.dataset.toast), bar = one(".left", box);
  if (bar) bar.style.animationDuration = `${seconds}s`;
  if (seconds) setTimeout(() => (box.dataset.until || !box.matches(":hover, :focus-within") ? box.remove() : box.addEventListener("mouseleave", () => box.remove())), seconds * 1000);
  for (const old of all(".toast").slice(0, -3)) old.remove();
}

// The list: rows come, change and go; nothing jumps

const listRows = () => all("#rows > .row");
const openTicket = () => one("#ticket")?.dataset.ticket || "";
const about = (path) => /\/tickets\/([^/?]+)/.exec(path)?.[1];
function mark(row, unread) {
  row.classList.toggle("unread", unread);
  one(".unread-word", row).textContent = unread ? "Unread. " : "";
}
function parse(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content;
}
function sortKey(row) {
  const waiting = one("#list").dataset.order === "waiting";
  return waiting ? row.dataset.waiting : row.dataset.updated;
}
function isBefore(a, b) {
  return one("#list").dataset.order === "waiting" ? sortKey(a) < sortKey(b) : sortKey(a) > sortKey(b);
}
function dropRow(row) {
  if (row.contains(document.activeElement)) (one("a", row.nextElementSibling || row.previousElementSibling || row) || one("#list-scroll")).focus();
  row.remove();
}
function putRow(row, lists) {
  const list = one("#list"), rows = one("#rows"), old = one(`#t-${row.dataset.ticket}`), scroll = one("#list-scroll");
  if (!list) return;
  if (lists && list.dataset.list && !lists.includes(list.dataset.list)) {
    if (old) dropRow(old);
  } else if (old || list.dataset.list) {
    if (row.dataset.seen !== undefined) mark(row, !row.dataset.seen.split(" ").includes(mine.agent));
    const link = one("a", row), key = JSON.parse(rows.getAttribute("hx-vals")).in;
    if (openTicket() === row.dataset.ticket) {
      link.setAttribute("aria-current", "true");
      if (!document.hidden) mark(row, false);
    }
    link.search = new URLSearchParams({ in: key });
    const place = listRows().find((each) => each !== old && isBefore(row, each));
    if (!place && !old && one("#more")) return; // it belongs on a later page
    const had = old?.contains(document.activeElement), top = scroll.scrollTop, next = old?.nextElementSibling;
    if (old && (next === place || (!place && (!next || next.id === "more")))) old.replaceWith(row);
    else {
      old?.remove();
      rows.insertBefore(row, place || one("#more"));
      const above = row.offsetTop < top + 8;
      if (above && (top > 8 || scroll.matches(":hover, :focus-within"))) {
        if (scroll.scrollTop === top) scroll.scrollTop = top + row.offsetHeight;
        pill(list, "New at the top", () => (scroll.scrollTop = 0));
      }
    }
    if (!old) row.classList.add("fresh");
    htmx.process(row);
    if (had) link.focus();
  }
  tellTimes(row);
  one("#list-empty").hidden = listRows().length > 0;
}
function pill(where, words, act) {
  one(":scope > .pill", where)?.remove();
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "pill", textContent: words });
  button.addEventListener("click", () => { act(); button.remove(); });
  where.append(button);
  setTimeout(() => button.remove(), 15000);
}
function count(counts) {
  for (const place of all("[data-bucket]")) {
    const amount = counts[place.dataset.bucket];
    if (amount === undefined && place.dataset.bucket === "notices") continue;
    const words = !amount ? "" : amount > 99 ? "99+" : String(amount);
    if (place.textContent !== words) place.textContent = words;
  }
}

// The conversation

const atBottom = (scroll) => Math.abs(scroll.scrollTop) < 60;
function putMessage(entry) {
  const list = one("#messages"), old = document.getElementById(entry.id), scroll = one("#scroll");
  if (!list || !entry.dataset.message) return;
  if (old) {
    if (old.outerHTML !== entry.outerHTML && !old.contains(document.activeElement)) old.replaceWith(entry);
    else return;
  } else {
    const after = all(":scope > [data-message]", list).find((each) => each.dataset.message > entry.dataset.message);
    const stay = atBottom(scroll);
    list.insertBefore(entry, after || null);
    entry.classList.add("fresh");
    if (entry.dataset.kind === "message" && entry.dataset.author !== mine.agent) tools().then(({ arrived }) => arrived(entry));
    if (!stay && !after) pill(one(".conversation"), "New below", () => (scroll.scrollTop = 0));
  }
  htmx.process(entry);
  tellTimes(entry);
}
function showNewest() {
  const scroll = one("#scroll"), newest = all('#messages > [data-direction="in"]').pop();
  if (!scroll || !newest) return;
  const above = newest.getBoundingClientRect().top - scroll.getBoundingClientRect().top - 12;
  if (above < 0) scroll.scrollTop += above; // column-reverse: it starts at the bottom
}
function fit(frame) {
  const { documentElement: html, body: inner } = frame.contentDocument;
  if (!inner) return;
  const size = () => (frame.style.height = `${Math.min(html.offsetHeight + (html.scrollWidth > html.clientWidth ? 16 : 0), 6000)}px`);
  size();
  new ResizeObserver(size).observe(inner);
}
document.addEventListener("load", ({ target }) => target.matches?.("iframe.frame") && fit(target), true);

// Fetching without htmx

function send(path, fields = {}, options = {}) {
  return fetch(mine.base + path, {
    method: "POST",
    headers: { "X-CSRF-Token": mine.csrf, "HX-Request": "true" },
    body: new URLSearchParams(fields),
    ...options,
  });
}
async function read(path) {
  const answer = await fetch(path, { headers: { "HX-Request": "true" } });
  if (!answer.ok) throw new Error(answer.status);
  return answer;
}
const newest = {}, came = {}; // what two workers push may cross on its way, or the answer to a question
const isNew = (id, at) => !(at < newest[id]) && ((newest[id] = at), (came[id] = Date.now()), true);
desk.catchUp = () => tools().then(({ catchUp }) => catchUp(), () => {});
desk.frame = async ({ row, message, counts, notice, missed }) => {
  if (missed) desk.catchUp();
  if (counts && isNew("counts")) count(counts);
  if (row && isNew(row.ticket, row.version)) {
    const fresh = one(".row", parse(row.html)), { last } = fresh.dataset;
    putRow(fresh, row.lists);
    if (row.ticket === openTicket()) {
      tools().then(({ keepHead }) => keepHead(fresh.dataset.state));
      setTimeout(() => last && !document.getElementById(`m-${last}`) && desk.catchUp(), 1500);
    }
  }
  if (message?.ticket === openTicket() && isNew(message.id, message.read)) {
    const here = `${mine.base}/tickets/${message.ticket}/messages/${message.id}`;
    const html = message.fetch ? await (await read(here)).text() : message.html;
    const entry = one("[data-message]", parse(html));
    if (entry && message.ticket === openTicket()) putMessage(entry);
  }
  if (notice) {
    toast(notice.text, false, mine.base + (notice.path || `/tickets/${notice.ticket}`));
    const place = one('[data-bucket="notices"]');
    if (place) place.textContent = Number.parseInt(place.textContent || "0", 10) + 1;
  }
};

// Writing: formatted text, drafts, recipients, files

const isFilled = (form) => form.elements.text.value.trim() !== "" || one("[name=attachment]", form) !== null;
const writer = (form = one("#composer")) => form && (one(".editor", form) || form.elements.text);
function dress(form) {
  const plain = form?.elements.text;
  if (!plain || form.dataset.dressed) return;
  form.dataset.dressed = 1;
  if (plain.dataset.format === "mail") {
    const editor = document.createElement("div");
    editor.className = "editor";
    editor.contentEditable = "true";
    for (const [name, value] of Object.entries({ role: "textbox", "aria-multiline": "true", "aria-label": one("label[for=c-text]").textContent, "data-placeholder": plain.placeholder, "aria-placeholder": plain.placeholder, spellcheck: "true" })) editor.setAttribute(name, value);
    for (const name of ["aria-invalid", "aria-describedby"]) if (plain.hasAttribute(name)) editor.setAttribute(name, plain.getAttribute(name));
    if (form.elements.html.value) editor.innerHTML = form.elements.html.value;
    else editor.textContent = plain.value;
    editor.addEventListener("paste", (event) => {
      const files = [...(event.clipboardData.files || [])];
      event.preventDefault();
      if (files.length) tools().then(({ attach }) => attach(form, files));
      else document.execCommand("insertText", false, event.clipboardData.getData("text/plain"));
    });
    plain.hidden = true;
    plain.after(editor);
  }
  form.classList.toggle("filled", isFilled(form));
}
function words(node) {
  let said = "";
  for (const child of node.childNodes) {
    if (child.nodeType === 3) said += child.data;
    else if (child.tagName === "BR") said += "\n";
    else {
      const inner = words(child), block = /^(DIV|P|LI|UL|OL)$/.test(child.tagName);
      if (block && said && !said.endsWith("\n")) said += "\n";
      said += (child.tagName === "LI" ? "- " : "") + inner + (block && !inner.endsWith("\n") ? "\n" : "");
    }
  }
  return said;
}
function take(form) {
  const editor = one(".editor", form);
  if (editor) {
    if (editor.innerHTML === "<br>") editor.textContent = "";
    form.elements.text.value = words(editor).replace(/\u00a0/g, " ").replace(/\n$/, "");
    form.elements.html.value = one("b, strong, i, em, ul, ol, a", editor) ? editor.innerHTML : "";
  }
  form.classList.toggle("filled", isFilled(form));
}
let dirty = null, since = 0, timer = 0, saving = null;
function changed(form) {
  take(form);
  dirty = form;
  since ||= Date.now();
  clearTimeout(timer);
  timer = setTimeout(save, Math.max(0, Math.min(1200, since + 4000 - Date.now())));
}
async function save(leaving = false) {
  const form = dirty;
  if (!form) return;
  clearTimeout(timer);
  dirty = null;
  since = 0;
  saving = new AbortController();
  const told = (words) => form.isConnected && (one(".saved", form).textContent = words);
  try {
    const answer = await send(form.dataset.draft.slice(mine.base.length), new FormData(form), leaving === true ? { keepalive: true } : { signal: saving.signal });
    if (!answer.ok) throw new Error(answer.status);
    told(isFilled(form) ? "Draft kept" : "");
  } catch (error) {
    if (error.name === "AbortError" || !form.isConnected) return;
    told("Not kept yet: no connection");
    dirty ||= form;
    timer = setTimeout(save, 5000);
  }
}
function forget() {
  clearTimeout(timer);
  saving?.abort();
  dirty = null;
  since = 0;
}
addEventListener("pagehide", () => save(true));
document.addEventListener("visibilitychange", () => document.hidden && save(true));

document.addEventListener("input", ({ target }) => {
  const form = target.closest?.("#composer");
  if (form && !target.closest(".linking") && target.type !== "file") {
    changed(form);
    tools().then(({ typed }) => typed(form));
  }
});
document.addEventListener("focusin", ({ target }) => target.closest("#composer") && tools());
document.addEventListener("change", ({ target }) => {
  if (target.dataset.do !== "attach") return;
  const files = [...target.files], { form } = target;
  tools().then(({ attach }) => attach(form, files));
  target.value = "";
});
document.addEventListener("mousedown", (event) => event.target.closest(".format button") && event.preventDefault());
for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => {
  const form = event.target.closest?.(".conversation") && one("#composer");
  if (!form || !event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  const files = [...event.dataTransfer.files];
  if (kind === "drop") tools().then(({ attach }) => attach(form, files));
});

// What buttons do that are no forms

const DO = {
  dismiss: (button) => button.closest(".toast").remove(),
  close: (button) => button.closest("dialog").close(),
  undo: ({ form }) => {
    if (about(form.action) !== openTicket()) form.setAttribute("hx-target", "#toasts");
    form.requestSubmit();
  },
  keys: () => one("#keys").showModal(),
  rail: () => one("#rail").classList.toggle("shown"),
  panel: (button) => button.setAttribute("aria-expanded", one("#ticket").classList.toggle("with-panel")),
  seen: ({ dataset: { show } }) => {
    const form = one("#composer");
    form.elements.last_seen.value = show;
    document.getElementById(`m-${show}`)?.scrollIntoView({ block: "center" });
    one(".banner", form)?.remove();
    writer().focus();
  },
  replies: ({ form }) => tools().then(({ pick }) => pick(form)),
  "catch-up": (button) => desk.catchUp().then(() => DO.seen(button)),
};
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do], [data-format], [data-ask]");
  if (!button || event.target.matches("input[type=file]")) return;
  if (button.dataset.ask && !confirm(button.dataset.ask)) event.preventDefault();
  if (button.dataset.do && button.dataset.do !== "attach") { event.preventDefault(); DO[button.dataset.do](button); }
  if (button.matches("button[data-format]")) {
    writer(button.form).focus();
    if (button.dataset.format === "createLink") tools().then(({ linking }) => linking(button.closest(".tools")));
    else { document.execCommand(button.dataset.format); changed(button.form); }
  }
});
document.addEventListener("click", ({ target }) => {
  for (const menu of all("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
});

// Keys

const typing = (at) => at.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable=true]");
let went = 0;
function step(by) {
  const links = listRows().map((row) => one("a", row));
  const at = links.indexOf(document.activeElement), from = at < 0 ? links.findIndex((link) => link.ariaCurrent === "true") : at;
  const next = links[from < 0 ? 0 : Math.min(links.length - 1, Math.max(0, from + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}
function rest() {
  const row = one('#rows [aria-current="true"]');
  (row?.offsetParent ? row : one("#ticket-name") || one("#list-scroll"))?.focus();
}
function write(mode) {
  const form = one("#composer");
  if (!form?.elements.text) return;
  if (form.elements.mode.value === mode || (mode === "reply" && form.elements.mode.value === "sender")) toEnd(writer());
  else { wantsFocus = true; one(`.modes [value=${mode}]`, form)?.click(); }
}
function toEnd(field) {
  field.focus();
  if (field.isContentEditable) { getSelection().selectAllChildren(field); getSelection().collapseToEnd(); }
}
function use(key) {
  const found = one(`[data-key="${key}"]`);
  if (!found) return false;
  if (found.matches("details")) {
    found.open = true;
    (one("input:not([type=hidden])", found) && key === "t" ? one("input:not([type=hidden])", found) : one("div button", found)).focus();
  } else if (found.matches("select")) {
    found.focus();
    try { found.showPicker(); } catch { /* only after a key of the user: it has the focus all the same */ }
  } else found.click();
  return true;
}
const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  u: () => (one(".to-list")?.offsetParent ? one(".to-list").click() : step(0)),
  r: () => write("reply"),
  f: () => write("forward"),
  n: () => write("note"),
  "/": () => { if (!one("#search").offsetParent) DO.rail(); one("#search").focus(); },
  g: () => (went = Date.now()),
  "?": () => DO.keys(),
};
document.addEventListener("keydown", (event) => {
  const { key, target } = event, command = event.ctrlKey || event.metaKey;
  if (command && key === "Enter" && target.closest("#composer")) {
    event.preventDefault();
    const form = target.closest("#composer");
    take(form);
    ((event.shiftKey && one("button[value=resolved]", form)) || one("button.primary", form)).click();
  } else if (command && key.toLowerCase() === "k" && one("#palette")) {
    event.preventDefault();
    tools().then(({ openPalette }) => openPalette());
  } else if (key === "Escape") {
    const menu = one("details.menu[open]");
    if (menu) { menu.open = false; one("summary", menu).focus(); }
    else if (one(".with-panel")) { DO.panel(one("[data-do=panel]")); one("[data-do=panel]").focus(); }
    else if (typing(target) && !target.closest("dialog")) rest();
  } else if (command && key === "z" && !typing(target) && one("[data-do=undo]")) {
    event.preventDefault();
    all("[data-do=undo]").pop().click();
  } else if (!command && !event.altKey && !typing(target) && !one("dialog[open]") && body.classList.contains("desk")) {
    const going = Date.now() - went < 1500 && one(`[data-go="${CSS.escape(key)}"]`);
    went = 0;
    if (going) going.click();
    else if (KEYS[key]) KEYS[key]();
    else if (!/^[a-z]$/.test(key) || !use(key)) return;
    event.preventDefault();
  }
});

// After something was swapped in, or before it goes

let wantsFocus = false;
function settle() {
  tellTimes();
  dress(one("#composer"));
  one("#rail")?.classList.remove("shown");
  all(".toast").forEach(runOut);
  for (const form of all("form[data-until]")) setTimeout(() => form.remove(), Math.max(0, Date.parse(form.dataset.until) - now()));
  for (const row of all("#rows > .row a")) row.toggleAttribute("aria-current", false) || (row.parentElement.dataset.ticket === openTicket() && row.setAttribute("aria-current", "true"));
  const list = one("#rows")?.dataset.rows?.replace(/\/rows$/, "");
  for (const link of all(".rail a.item")) link.getAttribute("href") === list ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
}
document.addEventListener("htmx:beforeRequest", ({ detail, target }) => {
  const row = target.closest?.(".row");
  if (row) {
    for (const link of all('#rows [aria-current="true"]')) link.removeAttribute("aria-current");
    one("a", row).setAttribute("aria-current", "true");
    mark(row, false);
  }
  if (detail.target?.id === "ticket" || detail.target?.id === "work") save(true);
  if (target.id === "composer") { take(target); forget(); target.setAttribute("aria-busy", "true"); }
  const { xhr, requestConfig: { verb, path } } = detail;
  if (verb === "post" && about(path)) xhr.addEventListener("readystatechange", () => {
    if (xhr.readyState < 4 || detail.target.isConnected) return; // we moved on
    if (!target.isConnected) xhr.onload = xhr.onerror = null;
    else if (xhr.getResponseHeader("hx-retarget")) return;
    tools().then(({ late }) => late(path, xhr, target));
  });
});
document.addEventListener("htmx:configRequest", ({ detail, target }) => {
  if (target.closest?.("#composer")) take(one("#composer"));
  if (target.closest?.("#composer") && detail.parameters.set) detail.parameters.set("text", one("#composer").elements.text.value);
});
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const kind = detail.xhr.getResponseHeader("content-type") || "";
  if (detail.xhr.status >= 400 && !kind.startsWith("text/html")) {
    detail.shouldSwap = false;
    toast("The desk did not answer as it should. Try again in a moment.", true);
  }
  const { xhr, requestConfig: { verb, path } } = detail, of = about(path);
  if (verb === "post" && of && xhr.status < 400 && (of !== openTicket() || detail.target.id === "toasts")) {
    detail.shouldSwap = false;
    tools().then(({ late }) => late(path, xhr));
  }
});
document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  for (const entry of all("[data-message]", detail.fragment)) if (detail.target.id === "messages") document.getElementById(entry.id)?.remove(); // pushed already
});
document.addEventListener("htmx:afterRequest", ({ detail, target }) => {
  target.removeAttribute?.("aria-busy");
  if (detail.successful) target.closest?.(".toast")?.remove();
  if (detail.failed) target.closest?.("#ticket-head form")?.reset();
  else if (detail.requestConfig?.verb === "post" && !desk.live) desk.catchUp();
});
let stale = false; // signed out, or in again in another tab
const renew = () => tools().then(({ renewed }) => renewed()).then((good) => (stale = !good), () => {});
document.addEventListener("htmx:responseError", ({ detail: { xhr } }) => {
  stale ||= xhr.status === 401;
  if (xhr.status === 403) renew();
});
addEventListener("focus", () => stale && renew());
document.addEventListener("htmx:sendError", () => toast("No connection. What you typed is still here: try again.", true));
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  const id = detail.target?.id;
  settle();
  if (id === "ticket" || id === "work") {
    desk.look?.();
    showNewest();
    if (id === "ticket") announce(`Ticket ${openTicket()} is open: ${one("#ticket").dataset.subject}`);
    if (!one("#list")?.offsetParent) one("#ticket-name")?.focus();
    else if (document.activeElement.id === "search") step(0);
    else if (document.activeElement === body) rest();
  } else if (id === "composer" || id === "ticket-head") {
    const form = one("#composer"), lost = document.activeElement === body;
    if (id === "composer" && isFilled(form)) changed(form);
    if (wantsFocus || (id === "composer" && lost && (isFilled(form) || one("[role=alert], .error", form)))) toEnd(form.elements.to?.value === "" ? form.elements.to : writer());
    else if (lost) rest();
    wantsFocus = false;
  }
});
document.addEventListener("htmx:historyRestore", () => { settle(); desk.look?.(); showNewest(); rest(); });
document.addEventListener("desk:unread", ({ detail }) => {
  const row = one(`#t-${detail.ticket}`);
  if (row) mark(row, true);
  toast("Marked as unread.");
});
const connection = () => { const note = one("#offline"); if (note) note.hidden = navigator.onLine; if (navigator.onLine && dirty) save(); };
addEventListener("online", connection);
addEventListener("offline", connection);
settle();
showNewest();
one('#rows [aria-current="true"]')?.scrollIntoView({ block: "center" });
all("iframe.frame").forEach(fit); // loaded before us
one(".side [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
