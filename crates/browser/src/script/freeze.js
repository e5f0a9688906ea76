// Stops what moves: what goes on for ever stands at its first frame, what has an end is at its end, as a visitor would
// see it later. The caret is hidden. Gives back how many there were of each.
(async () => {
  const style = document.createElement('style');
  style.textContent = '*, *::before, *::after { caret-color: transparent !important }';
  (document.head || document.documentElement).append(style);
  const roots = [document];
  const count = { paused: 0, finished: 0 };
  for (let at = 0; at < roots.length; at += 1) {
    for (const element of roots[at].querySelectorAll('*')) if (element.shadowRoot) roots.push(element.shadowRoot);
  }
  for (const root of roots) {
    for (const animation of root.getAnimations()) {
      try {
        if (animation.timeline !== document.timeline) continue;
        const ends = animation.effect && Number.isFinite(animation.effect.getComputedTiming().endTime);
        if (ends) { animation.finish(); count.finished += 1; } else { animation.pause(); animation.currentTime = 0; count.paused += 1; }
      } catch { /* one that cannot be moved stays as it is */ }
    }
    for (const video of root.querySelectorAll('video')) video.pause();
  }
  const frame = () => new Promise((done) => { requestAnimationFrame(() => done()); setTimeout(done, 100); });
  await frame();
  await frame();
  return count;
})()
