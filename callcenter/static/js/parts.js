/* A part of a page whose answer is still to come (a back-test) is fetched each second until it no longer asks. */

const EVERY_MS = 1000;
let isAsking = false;

async function refetch(part) {
  const answer = await fetch(part.dataset.refetch, { headers: { "HX-Request": "true" } });
  if (!answer.ok || answer.redirected || !part.isConnected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector(`[data-part="${part.dataset.part}"]`);
  if (fresh && part.isConnected) part.replaceWith(document.adoptNode(fresh));
}

export function startParts() {
  window.setInterval(async () => {
    const part = document.querySelector("[data-refetch]");
    if (!part || isAsking) return;
    isAsking = true;
    try {
      await refetch(part);
    } catch {
      /* the next second asks again */
    } finally {
      isAsking = false;
    }
  }, EVERY_MS);
}
