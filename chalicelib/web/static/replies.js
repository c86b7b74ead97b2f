// Saved replies in the composer: "/" at the beginning of a word opens a list, filtered while typing.
// Fetched on first use; shares the names of desk.js.

const WORD = /(^|\s)\/(\S{0,30})$/;
const KEPT = 60000; // how long a list is taken for the present one
let open = null; // the field, the list below which words are typed, what it shows and which is chosen
let declined = false; // closed by Escape: these words are no shortcut
let list = { at: 0, options: [] };

// What stands before the caret, on its line and in its node
function before(field) {
  if (field.matches("textarea")) return field.selectionStart === field.selectionEnd ? field.value.slice(0, field.selectionStart) : "";
  const { focusNode, focusOffset, isCollapsed } = getSelection();
  return isCollapsed && focusNode?.nodeType === 3 && field.contains(focusNode) ? focusNode.data.slice(0, focusOffset) : "";
}

async function options(form) {
  if (Date.now() - list.at > KEPT) {
    const page = parse(await (await read(form.dataset.replies)).text());
    list = { at: Date.now(), options: all("[role=option]", page) };
  }
  return list.options;
}

export async function offer(form) {
  const field = writer(form);
  if (!WORD.test(before(field))) {
    declined = false;
    return close();
  }
  if (declined) return;
  const known = await options(form).catch(() => null);
  if (declined) return; // meanwhile
  const words = WORD.exec(before(field))?.[2].toLowerCase(); // as they are by now
  if (words === undefined || !field.isConnected) return close();
  if (!known) return !words && toast("The saved replies could not be read. Try again.", true);
  if (open?.field === field && open.words === words) return; // a later key was quicker
  const begins = (option) => option.dataset.words.startsWith(`/${words}`);
  const shown = known.filter((option) => option.dataset.words.includes(words)).sort((a, b) => begins(b) - begins(a));
  if (!known.length && !words) toast("No saved reply yet. Save the first one under Settings.", false, `${mine.base}/settings/replies`);
  if (!shown.length) return close();
  if (open?.field !== field) show(form, field);
  Object.assign(open, { words, shown });
  one("[role=listbox]", open.box).replaceChildren(...shown);
  mark(0);
  announce(shown.length === 1 ? "1 saved reply" : `${shown.length} saved replies`);
}

function show(form, field) {
  close();
  const box = parse('<div class="palette banner"><div id="replies" role="listbox" aria-label="Saved replies"></div></div>').firstChild;
  Object.assign(box.style, { display: "block", margin: "0 0 8px" });
  one("[role=listbox]", box).style.maxHeight = "30vh";
  box.addEventListener("mousedown", (event) => event.preventDefault()); // the caret stays where it is
  box.addEventListener("click", ({ target }) => target.closest("[role=option]") && insert(target.closest("[role=option]")));
  (one(".recipients", form) || one(".modes", form)).after(box);
  for (const [name, value] of Object.entries({ controls: "replies", autocomplete: "list", haspopup: "listbox" })) field.setAttribute(`aria-${name}`, value);
  open = { form, field, box };
}

function close() {
  if (!open) return;
  for (const name of ["controls", "autocomplete", "haspopup", "activedescendant"]) open.field.removeAttribute(`aria-${name}`);
  open.box.remove();
  open = null;
}

function mark(at) {
  open.at = at;
  open.shown.forEach((option, index) => option.setAttribute("aria-selected", index === at));
  open.field.setAttribute("aria-activedescendant", open.shown[at].id);
  open.shown[at].scrollIntoView({ block: "nearest" });
}

// The words take the place of the slash and what was typed behind it
async function insert({ dataset: { reply } }) {
  const { form, field } = open, put = replacing(field, WORD.exec(before(field))[2].length + 1);
  close();
  const answer = await send(`${form.dataset.replies.slice(mine.base.length)}/${reply}`).catch(() => null);
  if (!answer?.ok) {
    const why = answer && one("p", parse(await answer.text()))?.textContent;
    return toast(why || "The saved reply could not be read. Try again.", true);
  }
  const { text, missing } = await answer.json();
  if (!field.isConnected) return;
  put(text);
  changed(form);
  if (!missing.length) return announce("Inserted");
  const left = missing.map((name) => `{${name}}`);
  select(field, left[0]);
  toast(`Still to fill in: ${left.join(", ")}.`);
}

function replacing(field, chars) {
  const end = field.selectionStart, caret = getSelection(), range = document.createRange();
  if (end === undefined) {
    range.setStart(caret.focusNode, caret.focusOffset - chars);
    range.setEnd(caret.focusNode, caret.focusOffset);
  }
  return (text) => {
    field.focus();
    if (end !== undefined) field.setSelectionRange(end - chars, end);
    else { caret.removeAllRanges(); caret.addRange(range); }
    document.execCommand("insertText", false, text); // so that Ctrl Z takes it back
  };
}

function select(field, words) {
  if (field.matches("textarea")) return field.setSelectionRange(field.value.indexOf(words), field.value.indexOf(words) + words.length);
  const walker = document.createTreeWalker(field, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, at = node.data.indexOf(words);
    if (at >= 0) return getSelection().setBaseAndExtent(node, at, node, at + words.length);
  }
}

document.addEventListener("keydown", (event) => {
  const { key, ctrlKey, metaKey, altKey, shiftKey, isComposing, target } = event;
  if (!open || target !== open.field || isComposing || ctrlKey || metaKey || altKey || shiftKey) return;
  const by = { ArrowDown: 1, ArrowUp: -1 }[key], { at, shown } = open;
  if (by) mark((at + by + shown.length) % shown.length);
  else if (key === "Enter" || key === "Tab") insert(shown[at]);
  else if (key === "Escape") { declined = true; close(); }
  else return;
  event.preventDefault();
  event.stopPropagation();
}, true);
document.addEventListener("selectionchange", () => open && !WORD.test(before(open.field)) && close());
document.addEventListener("focusout", ({ target }) => target === open?.field && close());
