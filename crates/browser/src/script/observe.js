// Begins to note when the layout last moved; kept beside the document, where the page's scripts do not see it.
(() => {
  if (globalThis.onejobMoved) return;
  const moved = (globalThis.onejobMoved = { at: performance.now(), height: 0 });
  try {
    new PerformanceObserver((list) => {
      if (list.getEntries().length) moved.at = performance.now();
    }).observe({ type: 'layout-shift', buffered: true });
  } catch { /* a browser without it has only the height */ }
})()
