// Shows the whole page once, window by window, so that what comes only when it is seen comes. Gives back the height in
// the beginning and at the end, and whether it was left before the end of the page.
(async (most_ms, screens) => {
  const root = document.scrollingElement || document.documentElement;
  const height = () => root.scrollHeight;
  const step = Math.max(innerHeight * 0.85, 100);
  const frame = () => new Promise((done) => { requestAnimationFrame(() => done()); setTimeout(done, 100); });
  const begun = performance.now();
  const first = height();
  const limit = Math.max(first, innerHeight * screens);
  let late = false;
  let at = 0;
  while (at + innerHeight < Math.min(height(), limit)) {
    at += step;
    scrollTo({ top: at, left: 0, behavior: 'instant' });
    await frame();
    await frame();
    if (performance.now() - begun > most_ms) { late = true; break; }
    if (at + innerHeight >= height()) {
      // A page that grows needs a moment for it.
      for (let wait = 0; wait < 3 && at + innerHeight >= height(); wait += 1) await new Promise((done) => setTimeout(done, 100));
    }
  }
  const last = height();
  scrollTo({ top: 0, left: 0, behavior: 'instant' });
  await frame();
  return { first, last, limit, late, seen: at + innerHeight };
})
