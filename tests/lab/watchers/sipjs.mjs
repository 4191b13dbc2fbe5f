// A lamp in a browser's program: SIP.js watches the dialogs of an extension over a WebSocket.
//   node sipjs.mjs SERVER USER PASSWORD DOMAIN TARGET     e.g. wss://127.0.0.1:5066 1001 secret pbx.test 1002
// Prints a line for each NOTIFY: the state of the dialog and the words beside it. Ends with its standard input.
import { createRequire } from "node:module";

// The packages are not beside this file.
const require = createRequire(process.env.WATCHERS_MODULES + "/");
globalThis.WebSocket = require("ws");
const { Subscriber, SubscriptionState, UserAgent } = require("sip.js");

const [server, user, password, domain, target] = process.argv.slice(2);
const agent = new UserAgent({
  uri: UserAgent.makeURI(`sip:${user}@${domain}`),
  authorizationUsername: user,
  authorizationPassword: password,
  transportOptions: { server },
  logBuiltinEnabled: Boolean(process.env.WATCHERS_LOG),
});
await agent.start();
const subscriber = new Subscriber(agent, UserAgent.makeURI(`sip:${target}@${domain}`), "dialog", {
  expires: 600,
  extraHeaders: ["Accept: application/dialog-info+xml"],
});
subscriber.delegate = {
  onNotify(notification) {
    notification.accept();
    const body = notification.request.body ?? "";
    const state = /<state[^>]*>([^<]*)</.exec(body)?.[1] ?? "none";
    const words = /display="([^"]*)"/.exec(body)?.[1] ?? "";
    console.log(`${state} ${words}`.trim());
  },
};
subscriber.stateChange.addListener((state) => {
  if (state === SubscriptionState.Terminated) {
    console.log("ended");
  }
});
await subscriber.subscribe();
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
