// A provider of OpenID Connect with its own pages to sign in at. Whoever signs in is who they say, and their address counts
// as checked unless it begins with "unchecked". With a third argument it keeps to the standard's defaults: the secret as Basic
// authentication, and claims at UserInfo only.
import { createRequire } from "node:module";

const [modules, redirect, defaults] = process.argv.slice(2);
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
    token_endpoint_auth_method: defaults ? "client_secret_basic" : "client_secret_post",
  }],
  claims: { openid: ["sub"], email: ["email", "email_verified"] },
  conformIdTokenClaims: Boolean(defaults),
  cookies: { keys: ["only for tests"] },
  findAccount: account,
});
server.on("request", provider.callback());
console.log(issuer);
