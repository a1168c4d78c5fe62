/** Timers count whole milliseconds: what is due within half of one goes now, else it is later still. */
const NEAR_ENOUGH_MS = 0.5;

/** Forwards in both directions; every byte arrives so many milliseconds after it was sent. */
export function joinDistant(client, upstream, eachWayMs) {
  forwardLater(client, upstream, eachWayMs);
  forwardLater(upstream, client, eachWayMs);
}

function forwardLater(from, to, delayMs) {
  const underWay = [];
  const deliver = () => {
    while (underWay.length > 0) {
      const waitMs = underWay[0].dueAt - performance.now();
      if (waitMs > NEAR_ENOUGH_MS) {
        setTimeout(deliver, waitMs);
        return;
      }
      to.write(underWay.shift().bytes);
    }
  };
  from.on('data', (bytes) => {
    underWay.push({ bytes, dueAt: performance.now() + delayMs });
    if (underWay.length === 1) setTimeout(deliver, delayMs);
  });
}
