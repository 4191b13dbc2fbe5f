// One event stream for all pages of a browser: a connection for each would use the browser's few connections up.

const EVENTS = ["hello", "presence", "person", "person-removed", "reset"];
const ports = new Set();
let source;

function send(message) {
  for (const port of ports) {
    port.postMessage(message);
  }
}

// A page that opens has missed what came after it was rendered: the stream begins there again, and the other pages get some
// changes twice, in the same order.
function open(since) {
  source?.close();
  source = new EventSource(`/api/v1/events?since=${encodeURIComponent(since)}`);
  for (const name of EVENTS) {
    source.addEventListener(name, (event) => send({ name, data: event.data }));
  }
  source.onerror = ({ target }) => {
    if (target === source) {
      send({ name: target.readyState === EventSource.CLOSED ? "closed" : "lost" });
    }
  };
}

self.addEventListener("connect", ({ ports: [port] }) => {
  port.onmessage = ({ data }) => {
    if (data.since !== undefined) {
      ports.add(port);
      open(data.since);
    } else {
      ports.delete(port);
      if (ports.size === 0) {
        source?.close();
      }
    }
  };
});
