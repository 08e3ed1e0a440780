/* Arrows along the journey map (from step to step) and along a curve (from minute to minute). */
export function startArrows() {
  document.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!way || event.altKey || event.ctrlKey || event.metaKey) return;
    const link = event.target.closest?.(".map-link");
    const curve = event.target.closest?.("[data-curve]");
    if (link) alongMap(event, way);
    else if (curve) alongCurve(event, curve, way);
  });
}

function alongMap(event, way) {
  const links = [...document.querySelectorAll(".map-link")];
  const next = links[links.indexOf(event.target.closest(".map-link")) + way];
  event.preventDefault();
  next?.focus();
}

/* The curve's points are minute,share,words apart by blanks of the list beside it. */
function alongCurve(event, curve, way) {
  const points = [...document.getElementById(curve.dataset.curve).children];
  const at = Number(curve.getAttribute("aria-valuenow"));
  const next = points[Math.min(points.length - 1, Math.max(0, at + way))];
  event.preventDefault();
  if (!next) return;
  const { x, y } = next.dataset;
  curve.setAttribute("aria-valuenow", points.indexOf(next));
  curve.setAttribute("aria-valuetext", next.textContent);
  curve.querySelector(".curve-probe").setAttribute("transform", `translate(${x} 0)`);
  curve.querySelector(".curve-probe").removeAttribute("hidden");
  curve.querySelector(".curve-probe circle").setAttribute("cy", y);
  document.getElementById(curve.dataset.says).textContent = next.textContent;
}
