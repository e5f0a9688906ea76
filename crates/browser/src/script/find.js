// Finds elements by selector, through open shadow roots. `a >>> b` looks for b inside of what a finds, shadow roots
// included. With an index, shows that one in the window and gives back where it is.
(async (selector, index) => {
  const inside = (root) => {
    const roots = [root];
    for (let at = 0; at < roots.length; at += 1) {
      const here = roots[at];
      if (here.shadowRoot) roots.push(here.shadowRoot);
      for (const element of here.querySelectorAll('*')) if (element.shadowRoot) roots.push(element.shadowRoot);
    }
    return roots;
  };
  let found = [document];
  for (const part of selector.split('>>>').map((text) => text.trim())) {
    const next = new Set();
    for (const from of found) for (const root of inside(from)) for (const element of root.querySelectorAll(part)) next.add(element);
    found = [...next];
  }
  if (index === null) return { count: found.length };
  const element = found[index];
  if (!element) return { count: found.length };
  const shown = element.getClientRects().length > 0 && (!element.checkVisibility || element.checkVisibility({ visibilityProperty: true }));
  element.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
  await new Promise((done) => { requestAnimationFrame(() => done()); setTimeout(done, 100); });
  const { x, y, width, height } = element.getBoundingClientRect();
  return { count: found.length, shown, x: x + scrollX, y: y + scrollY, width, height };
})
