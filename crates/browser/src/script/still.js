// Milliseconds since the layout last moved or the page became longer.
(() => {
  const moved = globalThis.onejobMoved;
  if (!moved) return 0;
  const root = document.documentElement;
  const height = Math.max(root ? root.scrollHeight : 0, document.body ? document.body.scrollHeight : 0);
  if (height !== moved.height) {
    moved.height = height;
    moved.at = performance.now();
  }
  return performance.now() - moved.at;
})()
