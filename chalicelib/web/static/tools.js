// What is fetched on first use: what was missed or arrives, what typing brings about, files to send, links, the palette, a session renewed.
// Shares the names of desk.js.

export async function attach(form, files) {
  for (const file of files) {
    const line = document.createElement("li");
    line.className = "file";
    line.textContent = `${file.name} …`;
    one("#c-files", form).append(line);
    try {
      const answer = await send(form.dataset.upload.slice(mine.base.length), { name: file.name, type: file.type, size: file.size });
      if (!answer.ok) throw new Error(one("p", parse(await answer.text()))?.textContent);
      const { url, fields, html } = await answer.json();
      const parcel = new FormData();
      for (const [name, value] of Object.entries(fields)) parcel.append(name, value);
      parcel.append("file", file);
      if (!(await fetch(url, { method: "POST", body: parcel })).ok) throw new Error();
      line.replaceWith(parse(html));
      announce(`${file.name} attached`);
      changed(form);
    } catch (error) {
      line.remove();
      toast(error.message || `${file.name} could not be uploaded. Try again.`, true);
    }
  }
}
export function linking(tools) {
  const chosen = getSelection().rangeCount ? getSelection().getRangeAt(0).cloneRange() : null;
  const place = parse('<span class="actions linking"><input aria-label="Link to" placeholder="https://…" inputmode="url"><button type="button">Add link</button></span>').firstChild;
  one(".linking", tools)?.remove();
  tools.append(place);
  const input = one("input", place), form = tools.closest("form");
  input.focus();
  const add = () => {
    const address = /^(https?:|mailto:)/i.test(input.value) ? input.value.trim() : `https://${input.value.trim()}`;
    writer(form).focus();
    if (chosen) { getSelection().removeAllRanges(); getSelection().addRange(chosen); }
    if (input.value.trim()) {
      if (getSelection().isCollapsed) document.execCommand("insertText", false, address);
      else document.execCommand("createLink", false, address);
    }
    place.remove();
    changed(form);
  };
  one("button", place).addEventListener("click", add);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); add(); }
    if (event.key === "Escape") { event.stopPropagation(); place.remove(); writer(form).focus(); }
  });
}

// The command palette: everything that has a link or a button, found by its words

function commands() {
  const found = all("[data-go]").map((link) => [`Go to ${one(".cut", link).textContent}`, `g ${link.dataset.go}`, () => link.click()]);
  found.push(...all(".rail a.item:not([data-go])").map((link) => [`Go to ${one(".cut", link).textContent}`, "", () => link.click()]));
  found.push(...all(".modes button").map((button) => [button.textContent.trim(), button.dataset.key, () => write(button.value)]));
  found.push(...all("#ticket-head select").map((field) => [`Change: ${field.ariaLabel}`, field.dataset.key, () => use(field.dataset.key) || field.focus()]));
  for (const button of all("#ticket-head details button:not(.primary)")) {
    const label = [...button.childNodes].map((node) => (node.nodeType === 3 ? node.data : "")).join("").trim();
    found.push([button.closest('[data-key="z"]') ? `Snooze: ${label}` : label, button.dataset.key || "", () => button.click()]);
  }
  if (one("#ticket-head")) found.push(["Tags", "t", () => use("t")]);
  if (one('[data-key="c"]')) found.push(["New ticket", "c", () => use("c")]);
  return [...found, ["Keys", "?", () => DO.keys()]];
}
export function openPalette() {
  const dialog = one("#palette"), input = one("input", dialog), box = one("#commands"), known = commands();
  let shown = [], at = 0;
  const draw = () => {
    const words = input.value.toLowerCase().split(/\s+/);
    const rank = ([label]) => (label.toLowerCase().startsWith(input.value.trim().toLowerCase()) ? 0 : 2) + label.startsWith("Go to ");
    shown = known.filter(([label]) => words.every((word) => label.toLowerCase().includes(word))).sort((a, b) => rank(a) - rank(b));
    if (input.value.trim()) shown.push([`Search for “${input.value.trim()}”`, "/", () => { one("#search").value = input.value; one(".find").requestSubmit(); }]);
    at = Math.max(0, Math.min(at, shown.length - 1));
    box.replaceChildren(...shown.map(([label, key], index) => {
      const option = document.createElement("div");
      Object.assign(option, { id: `command-${index}`, role: "option", ariaSelected: String(index === at) });
      option.append(label);
      if (key) option.append(Object.assign(document.createElement("kbd"), { textContent: key }));
      option.addEventListener("click", () => run(index));
      return option;
    }));
    input.setAttribute("aria-activedescendant", `command-${at}`);
    one('[aria-selected="true"]', box)?.scrollIntoView({ block: "nearest" });
  };
  const run = (index) => { dialog.close(); shown[index]?.[2](); };
  input.value = "";
  input.oninput = () => { at = 0; draw(); };
  input.onkeydown = (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && shown.length) { event.preventDefault(); at = (at + by + shown.length) % shown.length; draw(); }
    if (event.key === "Enter") { event.preventDefault(); run(at); }
  };
  draw();
  if (!dialog.open) dialog.showModal();
}

// What came while nobody listened

export async function catchUp() {
  const rows = one("#rows"), list = one("#messages"), ticket = openTicket(), asked = Date.now();
  const known = (id) => came[id] >= asked; // pushed meanwhile: newer than these answers
  try {
    const counts = await (await read(`${mine.base}/counts`)).json();
    if (!known("counts")) count(counts);
    if (rows?.dataset.rows) {
      const found = parse(await (await read(rows.dataset.rows)).text());
      if (rows.isConnected) merge(found, ({ dataset }) => known(dataset.ticket)); // else another list is there by now
    }
    if (list?.isConnected) {
      const found = all("[data-message]", parse(await (await read(`${mine.base}/tickets/${ticket}/messages`)).text()));
      if (list.isConnected) found.filter(({ dataset }) => !known(dataset.message)).forEach(putMessage);
    }
  } catch { /* offline, or signed out: the next action says so */ }
}
function merge(page, known) {
  const found = all(".row", page), last = found.at(-1), ids = new Set(found.map((row) => row.id));
  for (const row of listRows()) if (!known(row) && !ids.has(row.id) && (!one("#more", page) || isBefore(row, last))) dropRow(row);
  for (const row of found) if (!known(row)) putRow(row);
}

// While something is typed

let replies = null;
export function typed(form) {
  compareRecipients(form);
  if (form.dataset.replies && form.elements.text.value.includes("/")) offer(form);
}
async function offer(form) {
  replies ||= import(form.dataset.script);
  (await replies).offer(form);
}
export function pick(form) {
  const field = writer(form);
  toEnd(field);
  document.execCommand("insertText", false, /\S$/.test(form.elements.text.value) ? " /" : "/");
}

function compareRecipients(form) {
  const box = one(".recipients[data-last]", form), said = one(".changed", form);
  if (!box || form.elements.mode.value === "forward" || !box.dataset.last) return;
  const typed = ["to", "cc", "bcc"].map((name) => form.elements[name]?.value || "").join(",");
  const after = new Set((typed.match(/[^\s<>,;"]+@[^\s<>,;"]+/g) || []).map((each) => each.toLowerCase()));
  const before = new Set(box.dataset.last.split(","));
  const added = [...after].filter((each) => !before.has(each)), out = [...before].filter((each) => !after.has(each));
  said.textContent = [added.length ? `Added since the last mail: ${added.join(", ")}.` : "", out.length ? `Left out: ${out.join(", ")}.` : ""].join(" ").trim();
  said.hidden = !said.textContent;
}

export function arrived({ id }) {
  const entry = document.getElementById(id); // perhaps in its next state by now, or gone with its ticket
  if (!entry) return;
  const form = one("#composer"), by = entry.dataset.by;
  announce(`New message from ${by}: ${(one(".text", entry)?.textContent || "").slice(0, 160)}`);
  if (form && !isFilled(form)) form.elements.last_seen.value = entry.dataset.message;
  else if (form && !one(".banner", form)) {
    const banner = parse('<div class="banner warn"><span></span><button type="button" data-do="seen">Show</button></div>').firstChild;
    one("span", banner).textContent = `${by} wrote while you typed.`;
    one("button", banner).dataset.show = entry.dataset.message;
    one(".modes", form).after(banner);
  }
  if (!document.hidden) send(`/tickets/${openTicket()}/seen`);
}

export async function keepHead(state) {
  const head = one("#ticket-head"), inUse = () => head.matches(":focus-within, :has([open])");
  if (!head || head.dataset.state === state || inUse()) return;
  const above = await read(head.dataset.head).then((answer) => answer.text()).then(parse, () => {}); // offline: the next change asks again
  if (!head.isConnected) { // another ticket is open by now, or this one shows a change of before or after
    if (one("#ticket-head")?.dataset.head === head.dataset.head) keepHead(state);
    return;
  }
  if (!above || inUse()) return;
  for (const fresh of [one("#ticket-head", above), one("#flags", above)]) {
    one(`#${fresh.id}`)?.replaceWith(fresh);
    htmx.process(fresh);
  }
}

// The page outlived its session and the agent has signed in again elsewhere

export async function renewed() {
  const { agent, csrf } = await (await read(`${mine.base}/session`)).json();
  if (agent !== mine.agent) return false;
  mine.csrf = csrf;
  body.setAttribute("hx-headers", JSON.stringify({ "X-CSRF-Token": csrf }));
  for (const field of all("input[name=csrf]")) field.value = csrf;
  return true;
}

// An answer about a ticket that is no longer open: its toast, what went wrong, or the way there.
// by: what asked and is gone by now; without it the agent asked from another ticket.

export async function late(path, xhr, by) {
  const ticket = about(path), rows = one("#rows"), list = rows && new URLSearchParams({ in: JSON.parse(rows.getAttribute("hx-vals")).in });
  const href = `${mine.base}/tickets/${ticket}${list ? `?${list}` : ""}`;
  const answer = parse(xhr.responseText || ""), told = one(".toast", answer), undo = path.endsWith("/undo");
  if (!xhr.status || xhr.status >= 400) {
    const form = by?.closest("#composer");
    const why = one(".banner, .error, .toast p", answer);
    all("button, a", why || answer).forEach((each) => each.remove());
    if (form && path.endsWith("/write")) await send(form.dataset.draft.slice(mine.base.length), new FormData(form)).catch(() => {});
    toast(`#${ticket}: ${why?.textContent.trim() || "No connection. Open the ticket and try again."}`, true, href);
  } else if (undo && !by) location.assign(href);
  else if (undo) toast(`#${ticket}: taken back. It was not sent.`, false, href);
  else if (told) {
    one("#toasts").append(told);
    htmx.process(told);
    runOut(told);
  }
  const composer = one("#composer"), fresh = one("#composer", answer);
  if (ticket === openTicket() && by && fresh && composer) { // gone and back again: its draft was sent meanwhile
    composer.replaceWith(fresh);
    htmx.process(fresh);
    dress(fresh);
  }
  if (!desk.live || ticket === openTicket()) desk.catchUp();
}
