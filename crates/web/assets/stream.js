// The live changes of a page, from the stream that all pages of the browser share.

const EVENTS = ["hello", "presence", "person", "person-removed", "reset"];

function shared(since, on) {
  const worker = new SharedWorker(new URL("./stream-worker.js", import.meta.url), { type: "module", name: "offhook" });
  worker.port.onmessage = ({ data }) => on(data.name, data.data);
  worker.port.postMessage({ since });
  // A page that the browser keeps for "back" gets no changes, and reads everything again.
  addEventListener("pagehide", () => worker.port.postMessage({}));
}

function own(since, on) {
  const source = new EventSource(`/api/v1/events?since=${encodeURIComponent(since)}`);
  for (const name of EVENTS) {
    source.addEventListener(name, (event) => on(name, event.data));
  }
  source.onerror = () => on(source.readyState === EventSource.CLOSED ? "closed" : "lost");
}

const receivers = [];

// Calls `on` with the name and the data of each event after `since`. A page has one connection: the first call opens it.
export function listen(since, on) {
  receivers.push(on);
  if (receivers.length > 1) {
    return;
  }
  (globalThis.SharedWorker ? shared : own)(since, (name, data) => {
    const parsed = data ? JSON.parse(data) : undefined;
    for (const receive of receivers) {
      receive(name, parsed);
    }
  });
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}
