/* A link's token stands behind the # of its address: it is sent once, in a form, and taken out of the history. */
export function openByLink() {
  const form = document.querySelector("form[data-opens-link]");
  const token = location.hash.slice(1);
  if (!form || !token) return;
  history.replaceState(null, "", location.pathname);
  form.elements.token.value = token;
  form.submit();
}
