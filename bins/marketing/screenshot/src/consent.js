// Looks for a banner that asks for consent. Gives back how it is called; hides it, or presses its button to reject.
(async (wish) => {
  const known = '#onetrust-banner-sdk, #onetrust-consent-sdk, #CybotCookiebotDialog, #usercentrics-root, #usercentrics-cmp-ui, .qc-cmp2-container, #didomi-host, .fc-consent-root, [id^="sp_message_container"], #truste-consent-track, #cookiescript_injected, .osano-cm-dialog, #iubenda-cs-banner, #tarteaucitronRoot, .cky-consent-container, #BorlabsCookieBox, #shopify-pc__banner, #axeptio_overlay, .cc-window';
  const topic = /cookie|consent|gdpr|ccpa|datenschutz|einwilligung|rgpd|конфиденциальн|куки|persónuvernd|privacidad/i;
  const reject = /^(reject|decline|refuse|deny|disagree|no,? thanks|only (necessary|essential|required)|(use )?(necessary|essential|required)( cookies)? only|continue without|alle ablehnen|ablehnen|nur (notwendige|erforderliche|essenzielle)|tout refuser|refuser|continuer sans|rechazar|rifiuta|odrzu|weiger|alleen (noodzakelijke|functionele)|avvisa|neka|afvis|отклонить|отказаться|только необходимые|відхилити|rejeitar|recusar)/i;
  const accept = /accept|agree|allow|akzeptier|zustimm|accepter|aceptar|accetta|принять|принимаю|соглас|погод/i;
  const roots = [document];
  for (let at = 0; at < roots.length; at += 1) for (const element of roots[at].querySelectorAll('*')) if (element.shadowRoot) roots.push(element.shadowRoot);
  const seen = (element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && (!element.checkVisibility || element.checkVisibility({ visibilityProperty: true, opacityProperty: true }));
  };
  const text = (element) => (element.innerText || element.shadowRoot?.textContent || element.textContent || '').trim();
  const buttons = (element) => {
    const within = [element];
    for (let at = 0; at < within.length; at += 1) {
      const here = within[at];
      if (here.shadowRoot) within.push(here.shadowRoot);
      for (const inner of here.querySelectorAll('*')) if (inner.shadowRoot) within.push(inner.shadowRoot);
    }
    return within.flatMap((root) => [...root.querySelectorAll('button, [role=button], a, input[type=button], input[type=submit]')]);
  };
  const label = (button) => (text(button) || button.value || button.getAttribute('aria-label') || '').replace(/\s+/g, ' ').trim();
  const find = () => {
    for (const root of roots) for (const element of root.querySelectorAll(known)) if (seen(element) || element.shadowRoot) return element;
    for (const root of roots) {
      for (const element of root.querySelectorAll('[role=dialog], [role=alertdialog], [aria-modal], dialog, div, section, aside, footer, form')) {
        const place = getComputedStyle(element).position;
        const over = place === 'fixed' || place === 'sticky';
        const dialog = element.matches('[role=dialog], [role=alertdialog], [aria-modal], dialog');
        if ((!over && !dialog) || !seen(element) || element.contains(document.body)) continue;
        const words = [element.id, element.className, element.getAttribute('aria-label'), text(element).slice(0, 800)].join(' ');
        if (topic.test(words) && buttons(element).some((button) => accept.test(label(button)) || reject.test(label(button)))) return element;
      }
    }
    return null;
  };
  const banner = find();
  if (!banner) return null;
  const name = (banner.id && '#' + banner.id) || banner.getAttribute('aria-label') || banner.tagName.toLowerCase();
  const found = { banner: String(name).slice(0, 100) };
  if (wish === 'hide') {
    banner.style.setProperty('display', 'none', 'important');
    for (const root of [document.documentElement, document.body]) if (root && getComputedStyle(root).overflowY === 'hidden') root.style.setProperty('overflow', 'visible', 'important');
    found.gone = !seen(banner);
  }
  if (wish === 'reject') {
    const button = buttons(banner).find((one) => { const words = label(one); return reject.test(words) && !accept.test(words) && seen(one); });
    if (!button) return found;
    found.button = label(button).slice(0, 100);
    button.click();
    for (let wait = 0; wait < 20; wait += 1) {
      await new Promise((done) => setTimeout(done, 100));
      found.gone = !banner.isConnected || !seen(banner);
      if (found.gone) break;
    }
  }
  return found;
})
