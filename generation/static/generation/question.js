// Rows of a form: moved by buttons instead of numbers, and added when one is wanted.

function dress(rows) {
  rows.dataset.rows = "moved";
  const [spare] = rows.querySelectorAll(".spare");
  for (const row of rows.querySelectorAll(".spare")) row.remove();
  for (const button of rows.querySelectorAll("[data-move], [data-add]")) button.hidden = false;
  if (spare) for (const button of spare.querySelectorAll("[data-move]")) button.hidden = false;
  const add = rows.querySelector("[data-add]");
  add.hidden = !spare;
  add.addEventListener("click", () => {
    const row = spare.cloneNode(true);
    const n = Date.now() % 1e9;
    row.classList.remove("spare");
    for (const each of row.querySelectorAll("[name], [id], [for]")) {
      for (const attribute of ["name", "id", "for"]) {
        const value = each.getAttribute(attribute);
        if (value) each.setAttribute(attribute, value.replace(/-\d+-/, `-${n}-`));
      }
    }
    add.before(row);
    number(rows);
    row.querySelector("input:not([type=number]), textarea").focus();
  });
}

function number(rows) {
  rows.closest("form").dataset.dirty = "";
  rows.querySelectorAll(".order input").forEach((input, n) => (input.value = n + 1));
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-move]");
  if (!button) return;
  const row = button.closest("[data-row]");
  const other = button.dataset.move < 0 ? row.previousElementSibling : row.nextElementSibling;
  if (!other?.matches("[data-row]")) return;
  button.dataset.move < 0 ? other.before(row) : other.after(row);
  number(row.closest("[data-rows]"));
  button.focus();
});

const look = () => document.querySelectorAll('[data-rows=""]').forEach(dress);
new MutationObserver(look).observe(document.getElementById("asks"), { childList: true, subtree: true });
look();
