// A provider of OpenID Connect with its own pages to sign in at. Whoever signs in is who they say, and their address counts
// as checked unless it begins with "unchecked".
import { createRequire } from "node:module";

const [modules, redirect] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const { default: Provider } = await import(require.resolve("oidc-provider"));

const account = (_, id) => ({
  accountId: id,
  claims: () => ({ sub: id, email: id, email_verified: !id.startsWith("unchecked") }),
});
const http = await import("node:http");
const server = http.createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [{
    client_id: "offhook",
    client_secret: "a secret of the tests",
    redirect_uris: [redirect],
    token_endpoint_auth_method: "client_secret_post",
  }],
  claims: { openid: ["sub"], email: ["email", "email_verified"] },
  conformIdTokenClaims: false,
  cookies: { keys: ["only for tests"] },
  findAccount: account,
});
server.on("request", provider.callback());
console.log(issuer);
