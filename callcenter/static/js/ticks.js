/* Rows that are ticked: how many, and that they are what is meant. Without scripts the choice is made by hand. */

export function startTicks() {
  const counted = document.querySelector("[data-ticked]");
  if (!counted) return;
  const form = counted.closest("form");
  const count = () => {
    const many = form.querySelectorAll('input[name="ids"]:checked').length;
    counted.textContent = many ? String(many) : "";
    return many;
  };
  // Rows may have been ticked before this ran.
  if (count() && form.elements.which.value === "all") form.elements.which.value = "ticked";
  form.addEventListener("change", (event) => {
    if (event.target.name === "ids") form.elements.which.value = count() ? "ticked" : "all";
    if (event.target.name === "count" || event.target.name === "share") form.elements.which.value = event.target.name;
  });
}
