// Waits for fonts and pictures, and names the fonts that did not come.
(async (fonts_ms, pictures_ms) => {
  const within = (promise, ms) => Promise.race([promise, new Promise((done) => setTimeout(done, ms))]);
  await within(document.fonts.ready, fonts_ms);
  const families = (wanted) => [...new Set([...document.fonts].filter((font) => wanted.includes(font.status)).map((font) => font.family.replace(/^["']|["']$/g, '')))];
  const pictures = [...document.images].filter((image) => image.complete && image.naturalWidth > 0);
  await within(Promise.all(pictures.slice(0, 2000).map((image) => image.decode().catch(() => 0))), pictures_ms);
  const broken = [...document.images].filter((image) => image.complete && image.naturalWidth === 0 && image.currentSrc).length;
  return { failed: families(['error']), slow: families(['loading']), broken };
})
