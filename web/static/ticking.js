// What ticks between two messages of the server: the business clock, and how long each call has lasted.
(() => {
  let told = null; // what the server last said, as it stands on the page
  let at = 0; // business time when we looked last, in milliseconds
  let looked = performance.now();
  let format = null;
  let heard = null; // the last message, and when it came
  let heardAt = performance.now();
  const SILENCE = 6000; // milliseconds after which the page says that it shows old news

  const now = (clock) => {
    const speed = Number(clock.dataset.speed);
    const moment = performance.now();
    at += (moment - looked) * speed;
    looked = moment;
    if (clock.dataset.now !== told) {
      told = clock.dataset.now;
      const off = Number(told) - at;
      // A message that was a little slow must not make the clock jump; a clock that was set must.
      at += Math.abs(off) > 1500 * Math.max(speed, 1) ? off : off * 0.2;
    }
    return at;
  };

  const span = (milliseconds) => {
    const s = Math.max(0, Math.floor(milliseconds / 1000));
    if (s < 3600) return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
    return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")}`;
  };

  const write = (element, text) => {
    if (element && element.textContent !== text) element.textContent = text;
  };

  const tick = () => {
    const clock = document.querySelector("[data-now]");
    if (!clock) return;
    if (clock.dataset.told !== heard) {
      heard = clock.dataset.told;
      heardAt = performance.now();
    }
    document.documentElement.classList.toggle("lost", performance.now() - heardAt > SILENCE);
    const instant = now(clock);
    if (!format || format.zone !== clock.dataset.zone) {
      const options = { timeZone: clock.dataset.zone, weekday: "short", day: "numeric", month: "short",
        hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
      format = { zone: clock.dataset.zone, parts: new Intl.DateTimeFormat("en-GB", options) };
    }
    const part = Object.fromEntries(format.parts.formatToParts(instant).map((p) => [p.type, p.value]));
    write(clock.querySelector(".day"), `${part.weekday} ${part.day} ${part.month}`);
    write(clock.querySelector(".time"), `${part.hour}:${part.minute}`);
    write(clock.querySelector(".seconds"), Number(clock.dataset.speed) > 5 ? "" : `:${part.second}`);
    for (const element of document.querySelectorAll("[data-since]")) {
      write(element, span(instant - Number(element.dataset.since)));
    }
  };

  // A sale lights up for a moment.
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  new MutationObserver((changes) => {
    if (calm.matches) return;
    for (const { target } of changes) {
      const figure = (target.nodeType === 3 ? target.parentElement : target)?.closest?.(".figure.sales .number");
      if (figure && !figure.getAnimations().length) {
        figure.animate([{ scale: 1.08 }, { scale: 1 }], { duration: 500, easing: "ease-out" });
      }
    }
  }).observe(document.documentElement, { subtree: true, characterData: true, childList: true });

  setInterval(tick, 100);
})();
